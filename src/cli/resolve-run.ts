import { UsageError } from "../core/errors.ts"
import { nearest, show } from "../core/parse.ts"
import { reduceRun } from "../core/training/run.ts"
import type { Host } from "./host.ts"

/** The same for what needs a finished run: `latest` is the newest that succeeded, whatever was begun since. */
export async function resolveFinishedRun(host: Host, given: string): Promise<string> {
  const ledger = host.context().readLedger()
  if (given === "latest")
    for (const { run } of await ledger.runs.list())
      if (reduceRun(run, await ledger.runs.events(run)).state === "succeeded") return run
  return resolveRun(host, given)
}

/**
 * The id of the run that is meant: `latest`, an id, or the beginning of just one; anything else is an error that lists
 * the newest. Makes no ledger.
 */
export async function resolveRun(host: Host, given: string): Promise<string> {
  const runs = (await host.context().readLedger().runs.list()).map(({ run }) => run)
  if (given === "latest" && runs[0] !== undefined) return runs[0]
  if (runs.includes(given)) return given
  const starting = given === "" ? [] : runs.filter((run) => run.startsWith(given))
  if (starting.length === 1 && starting[0] !== undefined) return starting[0]
  if (starting.length > 1)
    throw new UsageError(
      `${starting.length} runs begin with ${show(given)}: ${starting.slice(0, 5).join(", ")}`,
      "Give more of the run's id, or `latest`.",
    )
  const meant = nearest(given, runs)
  const known = runs.length === 0 ? "the workspace has none" : `the newest are: ${runs.slice(0, 5).join(", ")}`
  const suggestion = meant ? `; did you mean ${show(meant)}?` : ""
  throw new UsageError(`there is no run ${show(given)}; ${known}${suggestion}`, "tuneloop runs ls lists them.")
}
