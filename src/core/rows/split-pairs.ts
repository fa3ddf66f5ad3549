import { z } from "zod"
import type { Input, Output } from "./example.ts"

/** A row of a pair: what it says, where it is held, and its id, or its place in the files for one that stands twice. */
export interface PairedRow {
  readonly id: string
  readonly split: "train" | "validation" | "test" | "held out"
  readonly input: Input
  readonly output: Output
}

/** Two rows that meet although they are in different splits. */
export interface SplitPair {
  readonly check: string
  readonly similarity?: number
  readonly a: PairedRow
  readonly b: PairedRow
}

export const splitPairCountsSchema = z.object({
  holdout: z.string(),
  /** How many pairs, and rows on either side, there are between each two splits. */
  between: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      pairs: z.int(),
      otherOutput: z.int(),
      rowsOfA: z.int(),
      rowsOfB: z.int(),
    }),
  ),
})
/** What a data set's own splits had in common. */
export type SplitPairCounts = z.output<typeof splitPairCountsSchema>
