import { digest } from "../../core/canonical.ts"
import { compareText } from "../rows/ranking.ts"

/**
 * The fold of each row by its id, from 0 up to but without `count`: families stay whole, strata are spread evenly, and
 * the order of the rows does not matter.
 *
 * Greedy, as StratifiedGroupKFold of scikit-learn: the largest family first, each to the fold that has the least of its
 * strata by then; of equal folds to the one with the fewest rows, then to the first. Equally large families come in the
 * order of their digests.
 */
export function stratifiedFolds(
  rows: readonly { readonly id: string; readonly stratum: string; readonly family: string }[],
  count: number,
): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const { stratum } of rows) sizes.set(stratum, (sizes.get(stratum) ?? 0) + 1)
  const families = [...Map.groupBy(rows, ({ family }) => family)]
    .map(([family, members]) => ({ members, place: digest(family) }))
    .sort((a, b) => b.members.length - a.members.length || compareText(a.place, b.place))
  const folds = Array.from({ length: count }, (_, number) => ({ number, rows: 0, strata: new Map<string, number>() }))
  const assigned = new Map<string, number>()
  for (const { members } of families) {
    const strata = [...Map.groupBy(members, ({ stratum }) => stratum)].map(([stratum, rows]) => ({
      stratum,
      rows: rows.length,
    }))
    const ranked = folds.map((fold) => ({
      fold,
      // In shares of a stratum, so that a rare one weighs as much as a frequent one.
      fullness: strata.reduce(
        (sum, { stratum, rows }) => sum + (rows * (fold.strata.get(stratum) ?? 0)) / (sizes.get(stratum) as number),
        0,
      ),
    }))
    const best = ranked.reduce((a, b) =>
      b.fullness < a.fullness || (b.fullness === a.fullness && b.fold.rows < a.fold.rows) ? b : a,
    ).fold
    for (const { id } of members) assigned.set(id, best.number)
    best.rows += members.length
    for (const { stratum, rows } of strata) best.strata.set(stratum, (best.strata.get(stratum) ?? 0) + rows)
  }
  return assigned
}
