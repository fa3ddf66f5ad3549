import { diffWordsWithSpace } from "diff"
import type { Difference } from "./review-wire.ts"

/**
 * Beyond so many changed words the whole texts stand against each other: a person does not read such a difference, and
 * finding it takes long.
 */
const mostEdits = 2000

/** How two texts differ, word by word; the pieces of both sides, in order, make the texts again. */
export function differenceOf(before: string, after: string): Difference[] {
  const changes = diffWordsWithSpace(before, after, { maxEditLength: mostEdits })
  if (changes === undefined)
    return [
      { text: before, side: "before" },
      { text: after, side: "after" },
    ]
  return changes.map(({ value, added, removed }) => ({
    text: value,
    side: added ? "after" : removed ? "before" : "both",
  }))
}
