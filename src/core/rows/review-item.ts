import type { Candidate, Example, Split } from "./example.ts"

/** What a person is asked about; its kind is a file of `stages/standing/kinds/`. */
export interface ReviewItem {
  readonly id: string
  /** The name of its kind. */
  readonly kind: string
  readonly input: Candidate["input"]
  /** The proposed output; undefined for an input without an answer. */
  readonly output: unknown
  /** The output that the row has, where another one is proposed; of a conflict, the output of the other row. */
  readonly current?: unknown
  /** The input of the other row of a conflict. */
  readonly other?: Candidate["input"]
  /** The rows of a suspected error or a conflict, with the outputs that they had when the question was asked. */
  readonly rows?: readonly {
    readonly row: string
    readonly check: string
    readonly output: unknown
    readonly revision: string
  }[]
  /** Why it is asked. */
  readonly note?: string
  readonly revision: string
  /** The item that reviewers decided on differently, where this one asks which of their answers holds. */
  readonly disputed?: ReviewItem
  /** The gold example that it checks a reviewer by. Not for reviewers. */
  readonly gold?: { readonly row: string; readonly output: unknown }
  /** Whether it is a settled conflict that is asked anew because one of its rows was corrected since. */
  readonly isReopened?: boolean
}

/** An example before anybody corrected it, by the id of the seed, input or candidate that it came from. */
export interface SourceRow {
  readonly row: string
  readonly split: Split
  readonly example: Example
}
