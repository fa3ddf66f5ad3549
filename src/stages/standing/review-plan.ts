import { assignmentOf, calibrationItems, inOrderOf } from "../../curation/review/asked-reviewers.ts"
import { canonicalJson } from "../../core/canonical.ts"
import type { Decision, Output, RealInput } from "../../core/rows/example.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { acceptance, errorEstimate, type Acceptance, type JudgedCandidate } from "../../evaluation/review/acceptance.ts"
import type { PlacedCandidate } from "../../store/rows/grown-rows.ts"
import { candidateItem } from "./kinds/candidate.ts"
import { inputItem } from "./kinds/input.ts"
import { adjudicationOf, currentOn, standingOf, type Standing } from "./standing.ts"

/** Why an item is asked, the most pressing first; the queue is in this order. */
export const needs = [
  "calibration",
  "disagreement",
  "low-confidence",
  "label-error",
  "uncovered",
  "random",
  "rest",
] as const
export type Need = (typeof needs)[number]

/** An item that waits for a person: why, and for whom. */
export interface AskedItem {
  readonly item: ReviewItem
  readonly need: Need
  readonly confidence?: number | undefined
  /** The named reviewers to whom it falls; empty where it is anybody's. */
  readonly reviewers: readonly string[]
  /** Who decided on it, or on what it is about. */
  readonly decidedBy: readonly string[]
}

/**
 * How candidates and inputs stand after their decisions and the policies of the task, and which of them wait for whom.
 */
export interface ReviewPlan extends Pick<Acceptance, "strata"> {
  standing(id: string): Standing
  /**
   * The question that waits; undefined for what is settled, accepted by a policy, or waits for the sample of its
   * stratum.
   */
  asked(id: string): AskedItem | undefined
  /** The candidates drawn from everything, and what people found. */
  readonly estimate: { readonly drawn: number; readonly decided: number; readonly wrong: number }
  /** Candidates of which nobody is asked until the sample of their stratum is decided. */
  readonly waiting: number
}

/**
 * The plan for all candidates that passed their checks and all inputs. `covers` says whether an example with the output
 * is in train already.
 */
export function reviewPlan(
  task: TaskSpecification,
  candidates: readonly PlacedCandidate[],
  inputs: readonly RealInput[],
  decisions: ReadonlyMap<string, readonly Decision[]>,
): ReviewPlan {
  const { review } = task
  const items = [
    ...inputs.map((input) => ({ item: inputItem(input), confidence: undefined })),
    ...candidates.map((candidate) => ({ item: candidateItem(candidate), confidence: candidate.confidence })),
  ]
  const calibration = calibrationItems(
    review,
    items.map(({ item }) => item.id),
  )
  const standings = new Map<string, Standing>()
  const waiting = new Map<string, AskedItem>()
  for (const { item, confidence } of items) {
    const given = decisions.get(item.id) ?? []
    const { standing, asked } = standItem(review, item, { given, confidence, isCalibration: calibration.has(item.id) })
    standings.set(item.id, standing)
    if (asked !== undefined) waiting.set(item.id, asked)
  }
  const judged = candidates.map((candidate) => judge(task, candidate, standings.get(candidate.id)))
  const accepted = acceptance(review, judged)
  const left = applyPolicies(candidates, accepted, standings, waiting)
  return {
    strata: accepted.strata,
    estimate: errorEstimate(review, judged),
    waiting: left,
    standing: (id) => standings.get(id) ?? { state: "pending" },
    asked: (id) => waiting.get(id),
  }
}

/** How an item stands by its decisions alone, and the question that waits, unless it is settled. */
export function standItem(
  review: TaskSpecification["review"],
  item: ReviewItem,
  {
    given,
    confidence,
    isCalibration,
  }: {
    readonly given: readonly Decision[]
    readonly confidence: number | undefined
    readonly isCalibration: boolean
  },
): { readonly standing: Standing; readonly asked?: AskedItem } {
  const isUncertain = confidence !== undefined && confidence < review.lowConfidence
  const { reviewers, needed } = assignmentOf(review, { id: item.id, isUncertain, isCalibration })
  const current = currentOn(item, given).map(({ reviewer }) => reviewer)
  const decidedBy = current.length < 2 ? current : [...new Set(current)]
  const decided = standingOf(item, given)
  // A decision that is to be made by two waits for the second one, unless a dispute was settled already.
  const isSecondMissing = decidedBy.length > 0 && decidedBy.length < needed
  const standing: Standing =
    isSecondMissing && (decided.state === "accepted" || decided.state === "rejected") ? { state: "pending" } : decided
  if (standing.state === "accepted" || standing.state === "rejected") return { standing }
  const dispute = standing.state === "conflict" ? adjudicationOf(item, given) : undefined
  const others = () => inOrderOf(review, item.id).filter((name) => !decidedBy.includes(name))
  return {
    standing,
    asked: {
      item: dispute ?? item,
      need: dispute ? "disagreement" : isCalibration ? "calibration" : isUncertain ? "low-confidence" : "rest",
      confidence,
      reviewers: dispute ? others().slice(0, 1) : reviewers,
      decidedBy,
    },
  }
}

/**
 * What a policy accepts stands so and is not asked about; what waits for the sample of its stratum is not asked about
 * yet. Returns how many wait so.
 */
function applyPolicies(
  candidates: readonly PlacedCandidate[],
  accepted: Acceptance,
  standings: Map<string, Standing>,
  waiting: Map<string, AskedItem>,
): number {
  let left = 0
  for (const { id, output } of candidates) {
    const question = waiting.get(id)
    if (question === undefined || isAskedAnyway(question.need)) continue
    const by = accepted.acceptedBy.get(id)
    if (by !== undefined) standings.set(id, { state: "accepted", output, by })
    else if (accepted.asked.has(id)) {
      if (question.need === "rest" && accepted.random.has(id)) waiting.set(id, { ...question, need: "random" })
      continue
    } else left++
    waiting.delete(id)
  }
  return left
}

/** No policy answers what all are asked, or what people disagree on. */
export function isAskedAnyway(need: Need): boolean {
  return need === "calibration" || need === "disagreement"
}

/** How many people have to answer a question still: at least one. */
export function answersMissing({ reviewers, decidedBy }: Pick<AskedItem, "reviewers" | "decidedBy">): number {
  return Math.max(1, reviewers.filter((name) => !decidedBy.includes(name)).length)
}

/**
 * Where people decide differently from what a policy would do, they are asked as before: only what they agree on
 * counts.
 */
function judge(task: TaskSpecification, candidate: PlacedCandidate, standing: Standing | undefined): JudgedCandidate {
  const { id, batch, strategy, confidence, output } = candidate
  const isRight =
    standing?.state === "accepted"
      ? canonicalJson(standing.output) === canonicalJson(output)
      : standing?.state === "rejected"
        ? false
        : undefined
  return { id, batch, strategy, confidence, labels: labelsIn(task, output), isRight }
}

/** The labels of an output; none for tasks without labels. */
export function labelsIn(task: TaskSpecification, output: Output): string[] {
  if (task.kind === "label") return [String(output)]
  return task.kind === "multilabel" ? [...(output as readonly string[])] : []
}
