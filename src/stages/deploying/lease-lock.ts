import { tryWithLock, withLongLock } from "../../store/files/lock.ts"
import type { StageContext } from "../context.ts"

/** One command at a time deploys a run's model, uses it for an evaluation, or tears it down; others wait. */
export function withLeaseLock<Result>(
  { workspace, report, sleep, signal }: StageContext,
  run: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const onWait = () => report.note(`another command is at the deployment of ${run}; waiting for it`)
  return withLongLock(fileOf(workspace, run), { sleep, signal, onWait }, work)
}

/** The same for a command that does not wait: `busy` where another one is at it. */
export function ifLeaseIsFree<Result>(
  { workspace }: StageContext,
  run: string,
  work: () => Promise<Result>,
): Promise<Result | "busy"> {
  return tryWithLock(fileOf(workspace, run), work)
}

function fileOf(workspace: StageContext["workspace"], run: string): string {
  return workspace.lockFile(`${run}.deployment`)
}
