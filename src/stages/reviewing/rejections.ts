import { canonicalText } from "../../core/canonical.ts"
import type { ReviewTally } from "./review-tally.ts"

/** Why people turned candidates down: a reason in their words, how often, and of which strategies. */
export interface Rejection {
  readonly reason: string
  readonly count: number
  readonly strategies: Readonly<Record<string, number>>
  /** The candidates, by id. */
  readonly candidates: readonly string[]
}

/**
 * The reasons for which candidates stand rejected, the most frequent first: for the next plan of a strategy. Case,
 * white space and a full stop at the end make no other reason; the first wording by id is shown. Those without a reason
 * count as `no reason given`. Held-out rows are never candidates.
 */
export function rejectionsByReason(rejected: ReviewTally["rejected"]): Rejection[] {
  const found = rejected
    .map(({ reason, ...candidate }) => ({ ...candidate, reason: reason?.trim() || "no reason given" }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  return [...Map.groupBy(found, ({ reason }) => folded(reason)).values()]
    .flatMap(([first, ...others]): Rejection[] => {
      if (first === undefined) return []
      const all = [first, ...others]
      const byStrategy = Map.groupBy(all, ({ strategy }) => strategy)
      const strategies = Object.fromEntries([...byStrategy].map(([name, { length }]) => [name, length]))
      return [{ reason: first.reason, count: all.length, strategies, candidates: all.map(({ id }) => id) }]
    })
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1))
}

function folded(reason: string): string {
  return canonicalText(reason).toLowerCase().replace(/\s+/g, " ").replace(/\.$/, "")
}
