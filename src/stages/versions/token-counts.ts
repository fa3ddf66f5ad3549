import type { FineTuneBackend, TrainingPlan } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { baseOf } from "../../core/training/model-ref.ts"
import type { StageContext } from "../context.ts"
import { type PlannedTraining, planTraining } from "../training/plan-training.ts"

export interface SplitTokens {
  readonly split: "train" | "validation"
  readonly rows: number
  readonly total: number
  readonly shortest: number
  readonly median: number
  readonly p95: number
  readonly longest: number
  /** Rows longer than the job allows, the longest first: the trainer refuses them, nothing is cut. */
  readonly tooLong: readonly { readonly id: string; readonly tokens: number }[]
  readonly failed: readonly { readonly id: string; readonly why: string }[]
}

/**
 * How many tokens the job's rows have, rendered as they are trained on and counted by the base model's tokenizer.
 * Installs and fetches nothing: where the tokenizer is not to be had, the error says what would be needed. The test
 * rows stay closed. Rows are rendered and handed on one by one; memory has their ids and counts.
 */
export async function tokenCounts(
  context: StageContext,
  job: JobSpecification,
  task: TaskSpecification,
  backend: FineTuneBackend,
): Promise<{ plan: TrainingPlan; splits: readonly SplitTokens[] }> {
  if (backend.countTokens === undefined) throw noTokenizer(job, `the backend ${backend.name} cannot count tokens`)
  const { plan, rendered } = planTraining(context, job, task)
  const idsOf: Readonly<Record<SplitTokens["split"], string[]>> = { train: [], validation: [] }
  const started = context.monotonicMs()
  const counted = await backend.countTokens(baseOf(plan), notingIds(rendered, idsOf))
  const seconds = (context.monotonicMs() - started) / 1000
  if ("missing" in counted)
    throw noTokenizer(job, `the tokenizer of ${plan.baseModel} is not to be had here: it needs ${counted.missing}`)
  const rows = plan.files.train.rows + plan.files.validation.rows
  context.report.note(
    `${rows} rows counted in ${seconds.toFixed(1)} s (${((1000 * seconds) / Math.max(1, rows)).toFixed(2)} ms a row)`,
  )
  const { maxLength } = job.hyperparameters
  const splitOf = (split: SplitTokens["split"]): SplitTokens => {
    const ids = idsOf[split]
    const found = ids.flatMap((id) => (counted.counts[id] === undefined ? [] : [{ id, tokens: counted.counts[id] }]))
    const sorted = found.map(({ tokens }) => tokens).sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
    return {
      split,
      rows: ids.length,
      total: sorted.reduce((sum, tokens) => sum + tokens, 0),
      shortest: at(0),
      median: at(0.5),
      p95: at(0.95),
      longest: at(1),
      tooLong: found
        .filter(({ tokens }) => tokens > maxLength)
        .sort((a, b) => b.tokens - a.tokens || (a.id < b.id ? -1 : 1)),
      failed: ids.flatMap((id) => (counted.failed[id] === undefined ? [] : [{ id, why: counted.failed[id] }])),
    }
  }
  return { plan, splits: [splitOf("train"), splitOf("validation")] }
}

function noTokenizer({ job }: JobSpecification, message: string): ToolkitError {
  return new ToolkitError(message, {
    code: "no-tokenizer",
    hint: `tuneloop train ${job} makes it and checks each row against hyperparameters.maxLength before it trains.`,
  })
}

function* notingIds(
  rendered: PlannedTraining["rendered"],
  ids: Readonly<Record<SplitTokens["split"], string[]>>,
): Generator<string> {
  for (const split of ["train", "validation"] as const)
    for (const line of rendered[split]) {
      ids[split].push((JSON.parse(line) as { id: string }).id)
      yield line
    }
}
