import type { ClosedCuration, Conflict } from "../../curation/version/curation.ts"
import type { BuildHands } from "./build-hands.ts"

/** What comes of comparing all rows that were taken in: in the table, and the conflicts among those that are kept. */
export async function compareRows(closed: ClosedCuration, hands: BuildHands): Promise<Conflict[]> {
  const { rows, recordedBands } = closed
  // May be under way while it is judged what overlaps.
  const joined = hands.join(rows, recordedBands)
  const overlapping = closed.overlapping()
  const { toJudge } = overlapping
  const judged = overlapping.judged(toJudge === undefined ? [] : await hands.judge(toJudge.rows, toJudge.plan))
  const { comparison, resketch } = judged
  const bands = comparison.plan.bands.count
  if (resketch === undefined) return judged.finish(await hands.compare(judged.groups(await joined(bands)), comparison))
  await hands.resketch(judged.left(), resketch)
  const rejoined = await hands.join(rows, bands)(bands)
  return judged.finish(await hands.compare(judged.groups(rejoined), comparison))
}
