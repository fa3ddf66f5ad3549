import { dirname } from "node:path"
import { machineCacheFolder } from "../core/machine-cache.ts"
import { Outputs } from "../store/files/outputs.ts"
import type { Host } from "./host.ts"
import { platform } from "./machine.ts"

/** Guards what a command writes where a person says, in or beside this workspace. */
export function workspaceOutputs({ workspace, environment }: Host): Outputs {
  const { cacheFolder, ledgerFile } = workspace
  const locks = dirname(workspace.lockFile("any"))
  // What SQLite keeps beside its file, which it would read as its own.
  const ledger = ["", "-wal", "-shm", "-journal"].map((ending) => `${ledgerFile}${ending}`)
  return new Outputs(cacheFolder, [cacheFolder, locks, ...ledger, ...machineFolder(environment)])
}

/** The same for a command that needs no workspace. */
export function machineOutputs({ environment }: Host): Outputs {
  const [folder] = machineFolder(environment)
  return new Outputs(folder, machineFolder(environment))
}

function machineFolder(environment: Host["environment"]): string[] {
  return [machineCacheFolder(environment, platform) ?? []].flat()
}
