import { contentDigits, digest, digestText } from "../../core/canonical.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import { baseOf } from "../../core/training/model-ref.ts"
import { folderDigests } from "../../store/files/folder-digests.ts"
import { answersFile } from "../../store/rows/answers.ts"
import { readBasePin } from "../../store/rows/base-pin.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"
import { linesAsked, type Question } from "./questions.ts"

/** Raised when the same question to the same model would be answered otherwise. */
const semantics = 1

/** A question, and where its answers are kept. */
export interface KeyedQuestion extends Question {
  /** 16 hex digits of contender, model, prompt, decoding and rows. */
  readonly key: string
  readonly file: string
  /** Where they are kept when nothing is known of the base model but that this run was trained on it. */
  readonly fileOfRun: string
  /** The digest of what is asked. */
  readonly rowsDigest: string
  /** Whether the base model is, as far as is known, the one that the run was trained on. */
  readonly isBaseOfRun: boolean
}

/** The questions with their keys, the same for whatever rule or metric the answers are wanted. */
export async function withKeys(
  context: StageContext,
  plan: EvaluationPlan,
  questions: readonly Question[],
): Promise<KeyedQuestion[]> {
  const base = baseOf(plan.training)
  const pin = isCommit(base.revision) ? base.revision : await plan.backend.pin?.(base)
  const pinOfRun = readBasePin(runFiles(context.workspace, plan.run))?.pin
  const isBaseOfRun = pin === undefined || pinOfRun === undefined || pin === pinOfRun
  const identities = [
    { pin: pin ?? null, run: pin === undefined ? plan.run : null },
    { pin: null, run: plan.run },
  ]
  return questions.map((question) => {
    const rowsDigest = digestOfLines(linesAsked(plan, question))
    const [key, keyOfRun] = identities.map((origin) => keyOf(plan, question, rowsDigest, origin)) as [string, string]
    const fileOf = (digits: string) => answersFile(context.workspace, plan.task.task, question.contender, digits)
    return { ...question, key, file: fileOf(key), fileOfRun: fileOf(keyOfRun), rowsDigest, isBaseOfRun }
  })
}

/** The digest of lines, which are never in memory all at once. */
export function digestOfLines(lines: Iterable<string>): string {
  return digest(Array.from(lines, (line) => digestText(line)))
}

/** Where a base model comes from: what it is, or the run that was trained on it while that is not known. */
interface Origin {
  readonly pin: string | null
  readonly run: string | null
}

function keyOf(
  { job, training, recordings }: EvaluationPlan,
  question: Question,
  rows: string,
  origin: Origin,
): string {
  const { contender, work, latency } = question
  const shared = { semantics, contender, prompt: training.prompt, rows }
  if (work.kind === "computed") return contentDigits({ ...shared, computed: work.model })
  if (work.kind === "kept") return contentDigits({ ...shared, recorded: recordings[contender] })
  const { maxNewTokens, latencyRows } = job.evaluation
  const decoding = { greedy: true, maxNewTokens, latencyRows: latency ? latencyRows : 0 }
  return contentDigits({ ...shared, model: identityOf(work.model, origin), decoding })
}

/** The model by what its weights are, wherever they lie. */
function identityOf(model: ModelRef, origin: Origin): object {
  switch (model.kind) {
    case "base":
      return { ...model, ...origin }
    case "adapter":
      return { kind: model.kind, base: { ...model.base, ...origin }, weights: weightsOf(model.location, origin) }
    case "weights":
      return { kind: model.kind, weights: weightsOf(model.location, origin) }
    default:
      return model
  }
}

/**
 * The digests of the weights and of how they are applied, without what else lies beside them; for weights that are not
 * here, where they are and the run that they are of.
 */
function weightsOf(location: string, origin: Origin): object {
  const files = folderDigests(location)
  if (files === undefined) return { location, ...origin }
  const weights = Object.entries(files).filter(([name]) =>
    /\.(safetensors|bin|pt|gguf)$|adapter_config\.json$/.test(name),
  )
  return weights.length === 0 ? files : Object.fromEntries(weights)
}

function isCommit(revision: string | null): revision is string {
  return revision !== null && /^[0-9a-f]{40}$/.test(revision)
}
