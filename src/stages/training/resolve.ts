import type { FineTuneBackend, TrainingPlan } from "../../core/contracts/backend.ts"
import { ToolkitError, UsageError } from "../../core/errors.ts"
import { isTerminal, isUnsettled, type RunSummary } from "../../core/training/run.ts"
import { withLongLock } from "../../store/files/lock.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import { refreshRun, summaryOf } from "./sync.ts"

/** What a person found at the provider. */
export interface PersonsWord {
  readonly by: string
  /** The id of the job that is there; undefined where there is none. */
  readonly created: string | undefined
}

/**
 * A run of which nobody knew whether it has a job is settled by a person's word, which is kept with who said it and
 * when. The backend is asked first: what it knows counts. A named job must be that of the run. No command submits the
 * job meanwhile. The same word again changes nothing; a run that is not uncertain is an error. Of two words at once, on
 * one machine or two, the ledger takes one.
 */
export async function resolveSubmission(
  context: StageContext,
  run: string,
  { plan, backend }: { readonly plan: TrainingPlan; readonly backend: FineTuneBackend },
  word: PersonsWord,
): Promise<{ readonly state: "resolved" | "unchanged"; readonly summary: RunSummary }> {
  const onWait = () => context.report.note(`another command is starting the job ${plan.job}; waiting for it`)
  const wait = { sleep: context.sleep, signal: context.signal, onWait }
  return withLongLock(context.workspace.lockFile(`${plan.task}.${plan.job}.training`), wait, async () => {
    const before = await summaryOf(context, run)
    if (isSaid(before, word)) return { state: "unchanged", summary: before }
    if (!isUnsettled(before)) throw notUncertain(before, plan.job)
    const { summary } = await refreshRun(context, run, backend)
    if (isSaid(summary, word)) return { state: "resolved", summary }
    if (!isUnsettled(summary) || summary.submissionKey === undefined) throw notUncertain(summary, plan.job)
    const { submissionKey } = summary
    const { by, created } = word
    const job =
      created === undefined
        ? undefined
        : await namedJob(context, run, created, () => {
            if (backend.confirm !== undefined)
              return backend.confirm(created, plan, runFiles(context.workspace, run), submissionKey)
            throw new UsageError(
              `${backend.name} finds its jobs by itself; it cannot be told one`,
              `Run it again: tuneloop train ${plan.job}`,
            )
          })
    const outcome = job === undefined ? "not-created" : "created"
    // The lock is this machine's; another may have decided meanwhile, and the ledger knows.
    const isFirst = await context
      .ledger()
      .runs.resolveSubmission(run, submissionKey, [
        { type: "resolved", submissionKey, outcome, by },
        ...(job === undefined ? [] : [{ type: "submitted", job } as const]),
      ])
    const after = await summaryOf(context, run)
    if (!isFirst && !isSaid(after, word)) throw notUncertain(after, plan.job)
    return { state: isFirst ? "resolved" : "unchanged", summary: after }
  })
}

/** Whether the run is already what the person says. */
function isSaid({ job, submissionKey, denied }: RunSummary, { created }: PersonsWord): boolean {
  if (created !== undefined) return job?.id === created
  return job === undefined && denied.some((known) => known.submissionKey === submissionKey)
}

/** The job, where no other run has it. */
async function namedJob(
  context: StageContext,
  run: string,
  id: string,
  confirm: () => ReturnType<NonNullable<FineTuneBackend["confirm"]>>,
) {
  for (const other of await context.ledger().runs.list()) {
    const { job, lateJobs } = await summaryOf(context, other.run)
    if (other.run !== run && [job, ...lateJobs].some((known) => known?.id === id))
      throw new UsageError(`${id} is the job of ${other.run}`, `See it: tuneloop runs show ${other.run}`)
  }
  return confirm()
}

function notUncertain({ run, state, job, submissionKey, denied }: RunSummary, name: string): ToolkitError {
  const denial = denied.find((known) => known.submissionKey === submissionKey)
  const who = denial === undefined ? "" : `, as ${denial.by} said`
  const known = job === undefined ? `and has no job${who}` : `with the job ${job.id}`
  return new ToolkitError(`${run} is ${state}, ${known}; only a run that is uncertain can be resolved`, {
    code: "not-uncertain",
    hint:
      job === undefined
        ? `Submit it: tuneloop train ${name}`
        : isTerminal(state)
          ? `See it: tuneloop runs show ${run}`
          : `Follow it: tuneloop runs watch ${run}`,
  })
}
