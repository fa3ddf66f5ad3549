import type { Decision } from "../core/example.ts"
import { canonicalJson } from "../core/canonical.ts"

export interface Agreement {
  /** Items that more than one reviewer decided on, in the same revision. */
  readonly items: number
  readonly reviewers: readonly string[]
  /** Of those items, how many all their reviewers decided alike. */
  readonly unanimous: number
  /** Krippendorff's alpha for nominal values; undefined where it is not defined (no overlap, or a single value throughout). */
  readonly alpha: number | undefined
}

/** How far reviewers agree where their decisions overlap: on accepting as it is, rejecting, or the same corrected output. Each reviewer's last decision on a revision counts; accepting and writing the proposed output again are the same. */
export function agreementOf(decisions: readonly Decision[], proposed: (item: string) => unknown = () => undefined): Agreement {
  const groups = [...Map.groupBy(decisions, ({ item, revision }) => `${item} ${revision}`).values()]
  const units = groups.flatMap((group) => {
    const last = new Map(group.map((decision) => [decision.reviewer, decision]))
    return last.size < 2 ? [] : [[...last.values()]]
  })
  const values = units.map((unit) => unit.map((decision) => outcome(decision, proposed(decision.item))))
  return {
    items: units.length,
    reviewers: [...new Set(units.flat().map(({ reviewer }) => reviewer))].sort(),
    unanimous: values.filter((unit) => new Set(unit).size === 1).length,
    alpha: nominalAlpha(values),
  }
}

function outcome({ verdict, output }: Decision, proposed: unknown): string {
  if (verdict === "reject") return verdict
  const final = verdict === "edit" ? output : proposed
  return final === undefined ? verdict : canonicalJson(final)
}

/** Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section on nominal data with any number of observers. */
function nominalAlpha(units: readonly (readonly string[])[]): number | undefined {
  const totals = new Map<string, number>()
  let pairs = 0
  let disagreement = 0
  for (const unit of units) {
    pairs += unit.length
    for (const value of unit) totals.set(value, (totals.get(value) ?? 0) + 1)
    const differing = unit.reduce((sum, value) => sum + unit.filter((other) => other !== value).length, 0)
    disagreement += differing / (unit.length - 1)
  }
  const squares = [...totals.values()].reduce((sum, total) => sum + total * total, 0)
  const expected = (pairs * pairs - squares) / (pairs - 1)
  return pairs < 2 || expected === 0 ? undefined : 1 - disagreement / expected
}
