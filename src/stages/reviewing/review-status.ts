import { PersonNeededError } from "../../core/errors.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Stratum } from "../../evaluation/review/acceptance.ts"
import { trialsNeeded, upperErrorBound } from "../../evaluation/statistics/error-bound.ts"
import { medianGap } from "../../evaluation/review/review-effort.ts"
import { wilsonInterval } from "../../evaluation/statistics/wilson.ts"
import { remembered } from "../../store/rows/remembered.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { errsOnGold } from "../standing/gold-checks.ts"
import { guidelineDigest } from "../standing/review-items.ts"
import { taskSources } from "../task-sources.ts"
import { rejectionsByReason, type Rejection } from "./rejections.ts"
import { reviewFigures } from "./review-figures.ts"
import { ReviewTally, type ReviewFigures } from "./review-tally.ts"

/** What reviewing takes. */
export interface Effort {
  readonly decisions: number
  readonly hours: number
  readonly secondsPerDecision: number
  /**
   * Whether the seconds were measured from the times of decisions; otherwise they are the specification's assumption.
   */
  readonly isMeasured: boolean
}

/** Candidates that people looked at: how many were wrong as they were proposed. */
export interface ErrorRate {
  readonly decided: number
  readonly edited: number
  readonly rejected: number
  /** The share that was wrong, with its 95 percent interval (Wilson); null where none was decided. */
  readonly rate: { readonly value: number; readonly low: number; readonly high: number } | null
}

export interface ReviewStatus {
  readonly open: number
  /** The examples of the test set as a build has them: gold examples, and real inputs that people answered. */
  readonly testRows: number
  readonly pending: number
  readonly conflicts: number
  readonly stale: number
  readonly accepted: number
  readonly rejected: number
  /** How many questions about examples wait, by the fields of their kinds. */
  readonly counts: Readonly<Record<string, number>>
  /** Of the accepted, those that a policy accepted; and those of which nobody is asked until a sample is decided. */
  readonly acceptedByPolicy: number
  readonly waiting: number
  /** What the questions that wait now take, at least. */
  readonly effort: Effort
  readonly strata: readonly Stratum[]
  /**
   * The candidates drawn from everything: their error rate is unbiased when all are decided. `bound` is one-sided, at
   * the confidence of the specification.
   */
  readonly estimate: {
    readonly drawn: number
    readonly decided: number
    readonly wrong: number
    readonly bound: number | null
  }
  readonly strategies: Readonly<Record<string, ErrorRate>>
  readonly reviewers: Readonly<
    Record<string, { readonly decisions: number; readonly goldChecks: number; readonly goldErrors: number }>
  >
  readonly rejections: readonly Rejection[]
  /** Decisions that stand, by the guideline they were made under. */
  readonly guideline: { readonly current: number; readonly earlier: number }
}

/** How far the review is. */
export function reviewStatus(context: StageContext, task: TaskSpecification): Promise<ReviewStatus> {
  const { workspace } = context
  return remembered(workspace, task.task, "review", taskSources(context, task, semantics), (digests) =>
    statusOf(task, reviewFigures(workspace, task, digests)),
  )
}

/** Raised when another status follows from the same files. */
const semantics = 1

/** How far the review is of which these are the figures. */
export function statusOf(task: TaskSpecification, figures: ReviewFigures): ReviewStatus {
  const { tally } = figures
  const { states } = tally
  const { strata, estimate, waiting } = figures.plan
  const current = tally.byGuideline.get(guidelineDigest(task)) ?? 0
  return {
    open: figures.open,
    testRows: figures.testRows,
    pending: states.pending,
    conflicts: states.conflict,
    stale: states.stale,
    accepted: states.accepted,
    rejected: states.rejected,
    counts: figures.counts,
    acceptedByPolicy: tally.acceptedByPolicy,
    waiting,
    effort: effortOf(task, tally, figures.missing),
    strata,
    estimate: {
      ...estimate,
      bound: estimate.decided === 0 ? null : upperErrorBound(estimate.wrong, estimate.decided, task.review.confidence),
    },
    strategies: errorRates(tally),
    reviewers: reviewersOf(task, figures),
    rejections: rejectionsByReason(tally.rejected),
    guideline: { current, earlier: tally.decisions - current },
  }
}

/**
 * What deciding on so many new candidates of each strategy takes at most, by the policies of the task: what `expand`
 * would give people to do.
 */
export function expectedEffort(
  context: StageContext,
  task: TaskSpecification,
  planned: readonly { readonly strategy: string; readonly count: number }[],
): Effort {
  const { review } = task
  const decisions = planned.reduce((sum, { strategy, count }) => {
    const rule = review.policies.find((each) => each.strategy === strategy && each.label === undefined) ?? review
    const sample =
      rule.sampleSize ??
      review.sampleSize ??
      trialsNeeded(1, rule.maxError ?? review.maxError, rule.confidence ?? review.confidence)
    return sum + (rule.policy === "sample" && !(rule.perLabel ?? review.perLabel) ? Math.min(sample, count) : count)
  }, 0)
  const shared = review.reviewers.length > 1 ? Math.ceil(decisions * (1 + review.overlap)) : decisions
  const tally = new ReviewTally()
  for (const decision of new TaskRows(context.workspace, task.task).review.decisions()) tally.decision(decision)
  return effortOf(task, tally, shared)
}

/** Raised by a stage that cannot go on while items are open. */
export function reviewNeeded(task: TaskSpecification, open: number): PersonNeededError {
  return new PersonNeededError(
    `${open} items of ${task.task} wait for a decision`,
    `tuneloop review export ${task.task} --out review.xlsx, decide in the spreadsheet, then: tuneloop ` +
      `review import ${task.task} review.xlsx`,
  )
}

function effortOf(task: TaskSpecification, { times }: ReviewTally, decisions: number): Effort {
  const measured = medianGap([...times.values()])
  const secondsPerDecision = measured ?? task.review.secondsPerDecision
  return {
    decisions,
    hours: (decisions * secondsPerDecision) / 3600,
    secondsPerDecision,
    isMeasured: measured !== undefined,
  }
}

function errorRates({ errors }: ReviewTally): Record<string, ErrorRate> {
  return Object.fromEntries(
    [...errors]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([strategy, count]) => {
        const wrong = count.edited + count.rejected
        return [
          strategy,
          { ...count, rate: { value: wrong / count.decided, ...wilsonInterval(wrong, count.decided, 0.95) } },
        ]
      }),
  )
}

function reviewersOf(
  task: TaskSpecification,
  { tally, gold, goldDecisions }: ReviewFigures,
): ReviewStatus["reviewers"] {
  const checks = new Map(gold.map((item) => [item.id, item]))
  const byReviewer = Map.groupBy(goldDecisions, ({ reviewer }) => reviewer)
  return Object.fromEntries(
    [...tally.times]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([reviewer, { length: decisions }]) => {
        // The first word on a check counts: a reviewer who looks again knows more.
        const own = byReviewer.get(reviewer) ?? []
        const first = new Map(own.toReversed().map((decision) => [decision.item, decision]))
        const onGold = [...first.values()].flatMap((decision) => {
          const item = checks.get(decision.item)
          return item === undefined || decision.revision !== item.revision ? [] : [errsOnGold(task, item, decision)]
        })
        return [reviewer, { decisions, goldChecks: onGold.length, goldErrors: onGold.filter(Boolean).length }]
      }),
  )
}
