import type { Command } from "commander"
import type { Host } from "../host.ts"
import { registerAdopt } from "../runs/adopt.ts"
import { registerCancel } from "../runs/cancel.ts"
import { registerDeploy } from "../runs/deploy.ts"
import { registerFetch } from "../runs/fetch.ts"
import { registerLogs } from "../runs/logs.ts"
import { registerLs } from "../runs/ls.ts"
import { registerPause } from "../runs/pause.ts"
import { registerPurge } from "../runs/purge.ts"
import { registerResolve } from "../runs/resolve.ts"
import { registerShow } from "../runs/show.ts"
import { registerSync } from "../runs/sync.ts"
import { registerUndeploy } from "../runs/undeploy.ts"
import { registerWatch } from "../runs/watch.ts"

export function register(command: Command, host: Host): void {
  registerLs(command, host)
  registerShow(command, host)
  registerWatch(command, host)
  registerLogs(command, host)
  registerSync(command, host)
  registerResolve(command, host)
  registerPause(command, host)
  registerCancel(command, host)
  registerAdopt(command, host)
  registerFetch(command, host)
  registerPurge(command, host)
  registerDeploy(command, host)
  registerUndeploy(command, host)
}
