import { machineCacheFolder } from "../core/machine-cache.ts"
import { Outputs } from "../store/files/outputs.ts"
import type { Host } from "./host.ts"
import { platform } from "./machine.ts"

/** Guards what a command writes where a person says, in or beside this workspace. */
export function workspaceOutputs({ workspace }: Host): Outputs {
  return new Outputs(workspace.cacheFolder, [workspace.cacheFolder, workspace.ledgerFile])
}

/** The same for a command that needs no workspace. */
export function machineOutputs({ environment }: Host): Outputs {
  return new Outputs(machineCacheFolder(environment, platform))
}
