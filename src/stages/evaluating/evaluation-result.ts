import { z } from "zod"
import { pairedTests } from "../../evaluation/scores/comparisons.ts"
import type { Comparison } from "../../evaluation/scores/comparisons.ts"
import type { Confusion } from "../../evaluation/scores/confusion.ts"
import type { ContenderScores } from "../../evaluation/scores/contenders.ts"
import type { PrevalenceScores } from "../../evaluation/scores/prevalence.ts"
import type { OutOfScope } from "../../evaluation/scores/slices.ts"
import type { Verdict } from "../../evaluation/verdict/verdict.ts"
import type { Wear } from "../../evaluation/verdict/wear.ts"
import type { Taint } from "../../curation/leaks/taint.ts"
import { DataError } from "../../core/errors.ts"
import { parseJson } from "../../core/json-text.ts"
import { formatPath, issuesOf } from "../../core/parse.ts"
import { evaluationFile, evaluationText } from "../../store/rows/run-files.ts"
import type { Workspace } from "../../store/workspace.ts"

/** The result of an evaluation, as kept in `evaluations/<id>.json`. */
export interface Evaluation {
  readonly schemaVersion: 1
  readonly evaluation: string
  readonly run: string
  readonly task: string
  readonly dataset: string
  readonly holdout: string
  /**
   * The test rows that a contender was trained on, or nearly: none was scored on them. Absent in evaluations of before
   * they were looked for.
   */
  readonly tainted?: readonly Taint[] | undefined
  readonly metric: string
  readonly incumbent: string
  readonly rule: string
  readonly contenders: readonly ContenderScores[]
  readonly comparisons: readonly Comparison[]
  readonly confusion?: Confusion | undefined
  readonly prevalence?: PrevalenceScores | undefined
  readonly outOfScope?: OutOfScope | undefined
  readonly verdict: Verdict["verdict"]
  readonly reason: string
  readonly power: Verdict["power"]
  /** How worn the test set is, this evaluation included; absent in evaluations of before it was measured. */
  readonly wear?: Wear | undefined
  readonly notes: readonly string[]
  readonly report: string
  /** Where the answers are kept, by label; absent in evaluations that kept them under their own id. */
  readonly answers?: Readonly<Record<string, string>> | undefined
  readonly at: string
}

/** JSON has no NaN: a figure that could not be computed is null there. */
const figure = z.number().or(z.null().transform(() => NaN))
const interval = { low: figure, high: figure }
const score = z.looseObject({
  value: figure,
  ...interval,
  n: z.number(),
  others: z.record(z.string(), figure).optional(),
})
const latency = z.looseObject({
  p50: figure,
  p95: figure,
  n: z.number(),
  p95Low: figure.optional(),
  p95High: figure.optional(),
})
const contender = z.looseObject({
  name: z.string(),
  metrics: z.record(z.string(), score),
  unreadable: z.number(),
  cut: z.number().optional(),
  latencyMs: latency.nullable(),
  tokens: z.looseObject({ inputMean: figure, outputMean: figure }).nullable(),
})
const comparison = z.looseObject({
  a: z.string(),
  b: z.string(),
  metric: z.string(),
  difference: figure,
  ...interval,
  direction: z.literal("lower").optional(),
  pValue: figure,
  test: z.enum(pairedTests),
  discordance: z.looseObject({ wins: z.number(), losses: z.number() }).optional(),
  pValueHolm: figure,
})
const taint = z.looseObject({
  id: z.string(),
  check: z.enum(["lineage", "exact", "near", "ngram"]),
  train: z.string(),
  similarity: z.number().optional(),
  contenders: z.array(z.string()),
})
const prevalence = z.looseObject({
  shares: z.array(z.looseObject({ label: z.string(), test: figure, true: z.number() })),
  untested: z.array(z.string()),
  effectiveRows: figure,
  contenders: z.array(
    z.looseObject({
      name: z.string(),
      metrics: z.record(z.string(), z.looseObject({ value: figure, low: figure.optional(), high: figure.optional() })),
    }),
  ),
})
const outOfScope = z.looseObject({
  label: z.string(),
  isDeclared: z.boolean(),
  rows: z.looseObject({ out: z.number(), in: z.number() }),
  contenders: z.array(
    z.looseObject({
      name: z.string(),
      recognised: score.nullable(),
      inScopeAccuracy: score.nullable(),
      turnedAway: z.number(),
    }),
  ),
})

/** Keys that a later version added are kept. */
const evaluationSchema: z.ZodType<Evaluation> = z.looseObject({
  schemaVersion: z.literal(1),
  evaluation: z.string(),
  run: z.string(),
  task: z.string(),
  dataset: z.string(),
  holdout: z.string(),
  tainted: z.array(taint).optional(),
  metric: z.string(),
  incumbent: z.string(),
  rule: z.string(),
  contenders: z.array(contender),
  comparisons: z.array(comparison),
  confusion: z.looseObject({ labels: z.array(z.string()), counts: z.array(z.array(z.number())) }).optional(),
  prevalence: prevalence.optional(),
  outOfScope: outOfScope.optional(),
  verdict: z.enum(["promote", "reject", "undecided"]),
  reason: z.string(),
  power: z.looseObject({ needed: z.number(), rows: z.number(), chance: figure, further: z.number().nullable() }),
  wear: z.looseObject({ openings: z.number(), limit: z.number(), isWorn: z.boolean(), byChance: figure }).optional(),
  notes: z.array(z.string()),
  report: z.string(),
  answers: z.record(z.string(), z.string()).optional(),
  at: z.string(),
})

/** The result of an evaluation; undefined where there is none. A file that is no result is a DataError naming it. */
export function readEvaluation(workspace: Workspace, run: string, evaluation: string): Evaluation | undefined {
  const text = evaluationText(workspace, run, evaluation)
  if (text === undefined) return undefined
  const raw = parseJson(text)
  const parsed = evaluationSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const file = workspace.show(evaluationFile(workspace, run, evaluation))
  throw new DataError(
    `${file} is no result of an evaluation`,
    issuesOf(evaluationSchema, parsed.error, raw).map(({ path, message }) => ({
      file,
      path: formatPath(path),
      message,
    })),
    "Restore the file, or delete it and evaluate again: the kept answers are scored anew.",
  )
}
