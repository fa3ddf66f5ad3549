import { stableShare } from "../../core/stable-share.ts"
import type { TaskSpecification } from "../../core/task/task.ts"

/** Who has to decide on an item, and of how many people a decision is needed. */
export interface AskedReviewers {
  readonly reviewers: readonly string[]
  readonly needed: number
}

/**
 * Who is asked about an item: one reviewer, two of an item in the overlap or of an uncertain one, all about a
 * calibration item. Each draw follows from the item's id alone, and a reviewer who joins takes over only what falls to
 * them (rendezvous hashing, Thaler and Ravishankar 1998). Without named reviewers one person is needed, whoever it is.
 */
export function assignmentOf(
  review: TaskSpecification["review"],
  {
    id,
    isUncertain,
    isCalibration,
  }: { readonly id: string; readonly isUncertain: boolean; readonly isCalibration: boolean },
): AskedReviewers {
  const ordered = inOrderOf(review, id)
  if (ordered.length < 2) return { reviewers: ordered, needed: 1 }
  const needed = isCalibration ? ordered.length : isUncertain || stableShare("overlap", id) < review.overlap ? 2 : 1
  return { reviewers: ordered.slice(0, needed), needed }
}

/** The reviewers in the order in which an item falls to them. */
export function inOrderOf({ reviewers }: TaskSpecification["review"], id: string): string[] {
  if (reviewers.length < 2) return [...reviewers]
  return reviewers
    .map((name) => ({ name, draw: stableShare(`reviewer ${name}`, id) }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ name }) => name)
}

/**
 * The items that all reviewers decide on: so many of the lowest draw, so that they stay when there are fewer new ones.
 * None without two named reviewers.
 */
export function calibrationItems(review: TaskSpecification["review"], ids: readonly string[]): ReadonlySet<string> {
  if (review.reviewers.length < 2 || review.calibration === 0) return new Set()
  const drawn = ids.map((id) => ({ id, draw: stableShare("calibration", id) })).sort((a, b) => a.draw - b.draw)
  return new Set(drawn.slice(0, review.calibration).map(({ id }) => id))
}
