import type { Decision } from "../../core/rows/example.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import type { ReviewPlan } from "../standing/review-plan.ts"
import { isByPolicy, type Standing } from "../standing/standing.ts"

/** What is counted of a task's rows and decisions. */
export interface ReviewFigures {
  readonly tally: ReviewTally
  /** How many candidates there are with those that stand in several batches. */
  readonly grown: number
  /** How many items wait that decide whether a row becomes an example. */
  readonly open: number
  readonly testRows: number
  /** How many questions about examples wait, by the fields of their kinds. */
  readonly counts: Readonly<Record<string, number>>
  /** How many decisions are missing. */
  readonly missing: number
  readonly plan: Pick<ReviewPlan, "strata" | "estimate" | "waiting">
  /** The gold checks, and the decisions among which those on them are, in the order of time. */
  readonly gold: readonly ReviewItem[]
  readonly goldDecisions: readonly Decision[]
}

/** A candidate as far as it is counted. */
export interface CountedCandidate {
  readonly id: string
  readonly strategy: string
  /** The name of its cell. */
  readonly cell: string
}

/** Counts how items stand and what people decided, in any order. */
export class ReviewTally {
  readonly states: Record<Standing["state"], number> = { pending: 0, conflict: 0, stale: 0, accepted: 0, rejected: 0 }
  acceptedByPolicy = 0
  /** Candidates that people decided on, by strategy. */
  readonly errors = new Map<string, { decided: number; edited: number; rejected: number }>()
  /** Accepted candidates, by strategy and cell. */
  readonly accepted = new Map<string, number>()
  readonly rejected: { readonly id: string; readonly strategy: string; readonly reason: string | undefined }[] = []
  decisions = 0
  readonly byGuideline = new Map<string, number>()
  /** When each reviewer decided, in milliseconds. */
  readonly times = new Map<string, number[]>()

  item(standing: Standing): void {
    this.states[standing.state] += 1
    if (standing.state === "accepted" && isByPolicy(standing.by)) this.acceptedByPolicy += 1
  }

  /** `isEdited`: whether it is accepted with another output. */
  candidate(candidate: CountedCandidate, standing: Standing, isEdited: boolean): void {
    const { state } = standing
    const { strategy } = candidate
    if (state === "rejected") this.rejected.push({ id: candidate.id, strategy, reason: standing.reason })
    if (state === "accepted") {
      const key = cellKey(strategy, candidate.cell)
      this.accepted.set(key, (this.accepted.get(key) ?? 0) + 1)
    }
    if ((state !== "accepted" && state !== "rejected") || isByPolicy(standing.by)) return
    const count = this.errors.get(strategy) ?? { decided: 0, edited: 0, rejected: 0 }
    this.errors.set(strategy, count)
    count.decided += 1
    if (state === "rejected") count.rejected += 1
    else if (isEdited) count.edited += 1
  }

  /** A decision that stands; what followed from others for rows, or for what was disputed, is none that was given. */
  decision({ item, settles, reviewer, guideline, at }: Decision): void {
    if (settles === undefined && !item.startsWith("check_")) this.given(reviewer, guideline, Date.parse(at))
  }

  given(reviewer: string, guideline: string, atMs: number): void {
    this.decisions += 1
    this.byGuideline.set(guideline, (this.byGuideline.get(guideline) ?? 0) + 1)
    const times = this.times.get(reviewer)
    if (times === undefined) this.times.set(reviewer, [atMs])
    else times.push(atMs)
  }
}

export function cellKey(strategy: string, cell: string): string {
  return `${strategy} ${cell}`
}
