import type { Check } from "../../core/contracts/backend.ts"
import { isTerminal, reduceRun } from "../../core/training/run.ts"
import type { ModelUse } from "../../stages/models/models-in-use.ts"
import { endingsOf, type ModelEnding } from "../../stages/models/what-to-do.ts"
import { adoptedJob } from "../../stages/training/adopt.ts"
import type { Host } from "../host.ts"
import { readModelsInUse } from "./in-use.ts"

/**
 * What ends soon or has ended of the models that the workspace depends on now: those of specifications and jobs, and of
 * each job's newest run. That an earlier run's model has gone is history, which `models` tells.
 */
export async function currentEndings(host: Host): Promise<ModelEnding[]> {
  const newest = new Set<string>()
  const jobs = new Set<string>()
  const { runs } = host.context().readLedger()
  for (const { run, job } of await runs.list()) {
    const { state } = reduceRun(run, await runs.events(run))
    // Adopted runs have one name for all their jobs.
    const key = job === adoptedJob ? run : job
    if (jobs.has(key) || (isTerminal(state) && state !== "succeeded")) continue
    jobs.add(key)
    newest.add(run)
  }
  const isCurrent = ({ kind, name }: ModelUse) => kind !== "run" || newest.has(name)
  // What cannot be read is said by the checks of specifications and jobs.
  const models = await readModelsInUse(host, () => undefined)
  return endingsOf(models.map((used) => ({ ...used, usedBy: used.usedBy.filter(isCurrent) })))
}

/** A warning for each model that ends within 90 days, a failure for each that has ended. */
export async function sunsetChecks(host: Host): Promise<Check[]> {
  if (!host.hasWorkspace) return []
  return (await currentEndings(host)).map(({ model, sunset, when, usedBy, todo }) => ({
    name: `model ${model}`,
    status: sunset.state === "over" ? "failed" : "warning",
    detail: `${when}; used by ${usedBy.map(({ kind, name }) => `${kind} ${name}`).join(", ")}`,
    hint: todo.join("; "),
  }))
}

/** What `status` says of one. */
export function describeEnding({ model, sunset, when, todo }: ModelEnding): string {
  return [
    `${sunset.state === "over" ? "overdue" : "ends soon"}: ${model} ${when}`,
    ...todo.map((line) => `  ${line}`),
  ].join("\n")
}
