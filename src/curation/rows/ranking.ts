import { digest } from "../../core/canonical.ts"
import type { Example } from "../../core/rows/example.ts"

/** What speaks for keeping an accepted example. */
export interface Rank {
  readonly human: boolean
  readonly reviewed: boolean
}

/** An accepted example and its rank. */
export type CurationRow = Example & { readonly rank: Rank }

/**
 * The rows from the one most worth keeping to the least: by people before grown, reviewed before not, longer input text
 * before shorter, then by digest of the content, then by id. A total order on content, so that any permutation of the
 * rows gives the same.
 */
export function byWorth<Row extends CurationRow & { readonly text: string }>(rows: readonly Row[]): Row[] {
  return rows
    .map((row) => ({ row, content: digest({ input: row.input, output: row.output }) }))
    .sort(
      (a, b) =>
        Number(b.row.rank.human) - Number(a.row.rank.human) ||
        Number(b.row.rank.reviewed) - Number(a.row.rank.reviewed) ||
        b.row.text.length - a.row.text.length ||
        compareText(a.content, b.content) ||
        compareText(a.row.id, b.row.id),
    )
    .map(({ row }) => row)
}

/** The order of two texts by UTF-16 code units, the same everywhere. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
