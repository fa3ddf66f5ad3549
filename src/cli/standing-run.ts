import { reduceRun } from "../core/training/run.ts"
import type { StageContext } from "../stages/context.ts"
import { evaluationsOf } from "../store/rows/run-files.ts"

/** Where a task's trainings stand. */
export interface TrainingStanding {
  /** The newest run that nobody cancelled; a cancelled one where there is no other. */
  readonly run: { readonly id: string; readonly state: string } | null
  /** The last verdict on that run, or, while it has none, on any other. */
  readonly verdict: KnownVerdict | null
  /** The last run that a verdict promoted, where it is another one. */
  readonly promoted: string | null
}

export interface KnownVerdict {
  readonly run: string
  readonly verdict: string
  readonly evaluation: string
  /** The report's path; undefined for an evaluation that names none. */
  readonly report: string | undefined
}

/** The run and the verdict that stand for the task: a run that was cancelled hides none that was evaluated. */
export async function trainingStanding(context: StageContext, task: string): Promise<TrainingStanding> {
  const ledger = context.readLedger()
  let run: TrainingStanding["run"] = null
  for (const { run: id } of await ledger.runs.list({ task })) {
    const { state } = reduceRun(id, await ledger.runs.events(id))
    if (run === null || state !== "cancelled") run = { id, state }
    if (state !== "cancelled") break
  }
  const verdicts = evaluationsOf(context.workspace, task).flatMap((header): KnownVerdict[] => {
    const { verdict, report } = header as { verdict?: unknown; report?: unknown }
    if (typeof verdict !== "string") return []
    const { evaluation } = header
    return [{ run: header.run, verdict, evaluation, report: typeof report === "string" ? report : undefined }]
  })
  const verdict = verdicts.findLast((each) => each.run === run?.id) ?? verdicts.at(-1) ?? null
  const promoted = verdicts.findLast((each) => each.verdict === "promote")?.run ?? null
  return { run, verdict, promoted: promoted === verdict?.run ? null : promoted }
}
