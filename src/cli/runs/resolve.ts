import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { resolveSubmission } from "../../stages/training/resolve.ts"
import type { Host } from "../host.ts"
import { resolveRun } from "../resolve-run.ts"
import { backendOfRun, planOfRun } from "./run-backend.ts"

interface Options {
  readonly created?: string
  readonly notCreated?: boolean
  readonly by?: string
}

export function registerResolve(command: Command, host: Host): void {
  command
    .command("resolve")
    .argument("<run>", "the run's id, or `latest`")
    .option("--created <id>", "the job that you found at the provider")
    .option("--not-created", "there is no job; the next train submits another")
    .option("--by <name>", "who says so (default: your user name)")
    .description("say whether a run that is uncertain has a job")
    .addHelpText(
      "after",
      "\nThe provider is asked first. Your word is kept with your name and the time.\n" +
        "Example: tuneloop runs resolve latest --created ftjob-abc123",
    )
    .action(async (given: string, options: Options) => {
      const { created, notCreated } = options
      const run = await resolveRun(host, given)
      if ((created === undefined) === (notCreated !== true))
        throw new UsageError(
          "either --created ID or --not-created is needed",
          `See where to look for the job: tuneloop runs show ${run}`,
        )
      const by = options.by ?? userName(host.environment)
      if (by === undefined) throw new UsageError("nobody knows who you are", "Give --by NAME.")
      const plan = planOfRun(host, run)
      const backend = await backendOfRun(host, run)
      const { state, summary } = await resolveSubmission(host.context(), run, { plan, backend }, { by, created })
      host.print(
        { run, outcome: state, state: summary.state, job: summary.job?.id ?? null },
        `${state === "unchanged" ? "unchanged: " : ""}${run} ` +
          (summary.job === undefined
            ? `has no job; submit another: tuneloop train ${plan.job}`
            : `has the job ${summary.job.id} and is ${summary.state}; bring it up to date: tuneloop runs sync`),
      )
    })
}

function userName(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return [environment["USER"], environment["LOGNAME"], environment["USERNAME"]].find(Boolean)
}
