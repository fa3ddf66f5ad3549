import { gainOf, type Comparison } from "../../evaluation/scores/comparisons.ts"
import { scoreContenders, type ContenderScores } from "../../evaluation/scores/contenders.ts"
import type { ContenderRows } from "../../evaluation/scores/measured.ts"
import { scoresAtPrevalence, type PrevalenceScores } from "../../evaluation/scores/prevalence.ts"
import { outOfScopeScores, type OutOfScope } from "../../evaluation/scores/slices.ts"
import { unitsOf } from "../../evaluation/scores/units.ts"
import { designEffect } from "../../evaluation/statistics/design-effect.ts"
import { decide, type Verdict } from "../../evaluation/verdict/verdict.ts"
import { countStrata, prevalenceOf, weightsFor } from "../../curation/holdout/prevalence.ts"
import type { ScoredRow } from "../../core/contracts/metric.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { Example } from "../../core/rows/example.ts"
import { stratumOf } from "../../core/task/output.ts"
import { decidingMetric, outOfScopeLabel, type TaskSpecification } from "../../core/task/task.ts"
import type { StageContext } from "../context.ts"
import type { Answers } from "./answers.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"
import { scoredRows } from "./scored-rows.ts"

/** The answers as figures, and what the rule makes of them. */
export interface Scored {
  /** The metric that decides. */
  readonly metric: string
  readonly rows: readonly ContenderRows[]
  readonly contenders: readonly ContenderScores[]
  readonly comparisons: readonly Comparison[]
  readonly prevalence: PrevalenceScores | undefined
  readonly outOfScope: OutOfScope | undefined
  readonly verdict: Verdict
}

/** Every contender scored on the test rows, and the verdict on the tuned model. The same answers give the same. */
export function score(context: StageContext, plan: EvaluationPlan, test: readonly Example[], answers: Answers): Scored {
  const { task, metrics, training } = plan
  const rows = answers.contenders.map((contender) => ({
    name: contender.name,
    rows: scoredRows(task, test, contender),
    predictions: contender.predictions,
  }))
  const scoring = scoreContenders({ task, contenders: rows, metrics, seed: training.seed })
  const outOfScope = outOfScopeLabel(task)
  return {
    metric: decidingMetric(task),
    rows,
    ...scoring,
    prevalence: atPrevalence(plan, test, rows),
    outOfScope: outOfScope && outOfScopeScores(task, outOfScope, rows),
    verdict: verdictOf(context, plan, scoring, rows[0]?.rows ?? []),
  }
}

/** The contender to beat is among those that answer. Throws before the test set is opened for nothing. */
export function requireIncumbent(context: StageContext, { task, job, contenders }: EvaluationPlan): void {
  const { incumbent } = task.verdict
  if (contenders.some(({ name }) => name === incumbent)) return
  const names = contenders.map(({ name }) => name).join(", ")
  throw withoutIncumbent(context, job, `the incumbent ${incumbent} is not among the contenders: ${names}`)
}

function withoutIncumbent({ workspace }: StageContext, { job }: EvaluationPlan["job"], message: string): ToolkitError {
  return new ToolkitError(message, {
    code: "no-incumbent",
    exitCode: 2,
    hint:
      `Name it in --against or in evaluation.contenders of ${workspace.show(workspace.jobFile(job))}, ` +
      "or name another verdict.incumbent or verdict.metric.",
  })
}

function verdictOf(
  context: StageContext,
  { task, job }: EvaluationPlan,
  { contenders, comparisons }: Pick<Scored, "contenders" | "comparisons">,
  rows: readonly ScoredRow[],
): Verdict {
  const metric = decidingMetric(task)
  const { incumbent } = task.verdict
  const comparison = comparisons.find((candidate) => candidate.b === incumbent && candidate.metric === metric)
  const value = (name: string) => contenders.find((contender) => contender.name === name)?.metrics[metric]?.value
  const tuned = value("tuned")
  const incumbentValue = value(incumbent)
  if (comparison === undefined || tuned === undefined || incumbentValue === undefined)
    throw withoutIncumbent(context, job, `the incumbent ${incumbent} was not scored with the metric ${metric}`)
  return decide({
    rule: task.verdict,
    metric,
    rows: rows.length,
    groups: groupsIn(task, rows),
    tuned,
    incumbent: incumbentValue,
    direction: comparison.direction,
    interval: gainOf(comparison),
    pValue: comparison.pValue,
    discordance: comparison.discordance,
  })
}

/** The groups in which the rows come, where they do; how alike they are is what the specification expects. */
function groupsIn(
  task: TaskSpecification,
  rows: readonly ScoredRow[],
): { count: number; designEffect: number } | undefined {
  const units = unitsOf(rows)
  if (units === undefined) return undefined
  const sizes = units.map(({ length }) => length)
  return { count: units.length, designEffect: designEffect(sizes, task.holdout.groupCorrelation) }
}

/** The figures at the prevalence that the specification gives; undefined where it gives none. */
function atPrevalence(
  { task, metrics, training }: EvaluationPlan,
  test: readonly Example[],
  contenders: readonly ContenderRows[],
): PrevalenceScores | undefined {
  const prevalence = prevalenceOf(task)
  if (prevalence === undefined) return undefined
  const byStratum = weightsFor(
    prevalence,
    countStrata(
      task,
      test.map(({ output }) => output),
    ),
    Infinity,
  )
  const weights = Float64Array.from(test, ({ output }) => byStratum[stratumOf(task, output)] ?? 0)
  return scoresAtPrevalence({ task, prevalence, weights, contenders, metrics, seed: training.seed })
}
