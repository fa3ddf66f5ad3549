import type { Issue } from "../../core/errors.ts"
import { removeElement, type WrittenAnswer } from "./read-decision.ts"
import type { Correction } from "../../core/task/leaves.ts"

/** A row in which somebody filled something in. */
export interface FilledRow {
  /** The file, and the sheet where it has several. */
  readonly place: string
  readonly row: number
  readonly id: string
  readonly part: string
  readonly decision: string
  readonly corrected: string
  readonly corrections: readonly Correction[]
  readonly comment: string
  readonly reviewer: string
  readonly revision: string
}

/** An answer and the rows it was read from: that of the item, then those of elements. */
export interface PlacedAnswer {
  readonly id: string
  readonly answer: WrittenAnswer
  readonly first: FilledRow
  readonly rows: readonly FilledRow[]
}

/**
 * One answer for each item and reviewer, whatever the order of the rows: the rows of elements belong to those of their
 * item, the same row twice counts once. Rows that contradict each other are issues, and so are rows of elements alone.
 */
export function answersOf(rows: readonly FilledRow[], byDefault: string): { answers: PlacedAnswer[]; issues: Issue[] } {
  const issues: Issue[] = []
  const answers: PlacedAnswer[] = []
  const issue = ({ place, row }: FilledRow, path: string, message: string) =>
    issues.push({ file: place, line: row, path, message })
  for (const [id, ofItem] of Map.groupBy(rows, (row) => row.id)) {
    const elements = ofItem.filter(({ part }) => part !== "")
    const mains = Map.groupBy(
      ofItem.filter(({ part }) => part === ""),
      (row) => row.reviewer || byDefault,
    )
    for (const [reviewer, [first, ...others]] of mains) {
      if (first === undefined) continue
      const contradicting = others.find((other) => contentOf(other) !== contentOf(first))
      if (contradicting !== undefined) {
        issue(contradicting, "id", `${id} was decided differently in row ${first.row}`)
        continue
      }
      const own = elements.filter((row) => mains.size === 1 || row.reviewer === "" || row.reviewer === reviewer)
      const byPart = Map.groupBy(own, ({ part }) => part)
      const twice = [...byPart.values()].flatMap(([one, ...more]) =>
        more.filter((other) => one && contentOf(other) !== contentOf(one)).slice(0, 1),
      )
      for (const row of twice) issue(row, "part", `${row.part} of ${id} is filled in differently in another row`)
      const wrong = own.filter(
        ({ decision }) => decision !== "" && decision !== removeElement && decision !== first.decision.toLowerCase(),
      )
      for (const row of wrong)
        issue(
          row,
          "decision",
          `got ${JSON.stringify(row.decision)} in the row of ${row.part}; decide in the item's first row, ` +
            "here only remove is allowed",
        )
      if (twice.length + wrong.length > 0) continue
      const parts = [...byPart.values()].flatMap(([row]) => (row === undefined ? [] : [row]))
      answers.push({
        id,
        first,
        rows: [first, ...parts],
        answer: {
          decision: first.decision,
          corrected: first.corrected,
          comment: first.comment,
          reviewer,
          corrections: [...first.corrections, ...parts.flatMap(({ corrections }) => corrections)],
          removed: parts.filter(({ decision }) => decision === removeElement).map(({ part }) => part),
        },
      })
    }
    if (mains.size === 0 && elements[0] !== undefined)
      issue(
        elements[0],
        "decision",
        `the row of ${elements[0].part} is filled in, but the first row of ${id} has no decision; write edit there`,
      )
  }
  return { answers, issues }
}

function contentOf({ decision, corrected, corrections }: FilledRow): string {
  return JSON.stringify([decision.toLowerCase(), corrected, corrections])
}
