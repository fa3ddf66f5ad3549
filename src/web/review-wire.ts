/** What the page for reviewers and its server say to each other. Types only: the page's own scripts read them too. */

import type { ChoiceButton } from "../core/contracts/choice-button.ts"

/** A piece of a text beside another: in both, only in the first, only in the second. */
export interface Difference {
  readonly text: string
  readonly side: "both" | "before" | "after"
}

/** The task, once for a page. */
export interface TaskView {
  readonly task: string
  readonly kind: "label" | "multilabel" | "json" | "text" | "chat"
  readonly description: string
  readonly guideline: string
  /** The fields of an input; empty for chat. */
  readonly fields: readonly { readonly name: string; readonly description: string | undefined }[]
  readonly labels: readonly { readonly name: string; readonly meaning: string }[]
  /** JSON Schema of the output, of a json task. */
  readonly schema: Readonly<Record<string, unknown>> | undefined
  /** The tools that a turn may call, of a chat task. */
  readonly tools: readonly {
    readonly name: string
    readonly description: string | undefined
    readonly parameters: Readonly<Record<string, unknown>>
  }[]
  /** Whether an output may have no label, of a multilabel task. */
  readonly mayBeEmpty: boolean
  /** Who reviews, when the command line says so. */
  readonly reviewer: string | undefined
  /** Why an example is turned down, in a few words. */
  readonly reasons: readonly string[]
}

/** What is asked, with all that is shown beside it. */
export interface ItemView {
  readonly id: string
  /** What the question is about; of a dispute, what is disputed. */
  readonly kind: string
  readonly question: string
  readonly revision: string
  readonly input: Readonly<Record<string, unknown>>
  readonly proposed: unknown
  /** The output that the row has, where another one is proposed. */
  readonly current: unknown
  /** The other row of a conflict, with the outputs of both. */
  readonly pair:
    | { readonly other: Readonly<Record<string, unknown>>; readonly outputs: readonly [unknown, unknown] }
    | undefined
  /**
   * What reviewers said who disagree, where the question is which of them is right; undefined otherwise, so that nobody
   * is led.
   */
  readonly answers:
    | readonly { readonly isReject: boolean; readonly output: unknown; readonly comment: string | undefined }[]
    | undefined
  readonly note: string | undefined
  readonly choices: readonly string[]
  /** The answers that have a button of their own. */
  readonly buttons: readonly ChoiceButton[]
  /** What it means that somebody rejected it. */
  readonly rejected: string
  /** Whether a reject must say why. */
  readonly needsReason: boolean
  /**
   * From the current output to the proposed one, or from that of row a to that of row b; undefined where they are not
   * shown against each other.
   */
  readonly outputDifference: readonly Difference[] | undefined
  /** From the input of row a to that of row b. */
  readonly inputDifference: readonly Difference[] | undefined
  /** The reviewer's own last answer, where they go back to it. */
  readonly mine: Said | undefined
  readonly nearest: readonly {
    readonly id: string
    readonly input: Readonly<Record<string, unknown>>
    readonly output: unknown
  }[]
}

export interface Said {
  readonly verdict: "accept" | "edit" | "reject"
  readonly output: unknown
  readonly comment: string | undefined
}

export interface Progress {
  /** What the reviewer decided on, ever. */
  readonly decided: number
  /** What waits for the reviewer, without what other pages have open. */
  readonly waiting: number
  /** Of what waits, how much was skipped. */
  readonly skipped: number
  /** What other pages have open. */
  readonly elsewhere: number
  readonly agreement: { readonly items: number; readonly unanimous: number; readonly alpha: number | undefined }
}

export interface NextAnswer {
  readonly item: ItemView | undefined
  readonly progress: Progress
}

/** The last decision of the page, as much of it as taking it back needs. */
export interface Recorded {
  readonly item: string
  readonly at: string
  readonly verdict: "accept" | "edit" | "reject"
}

export interface OutputCheck {
  readonly issues: readonly { readonly path: string; readonly message: string }[]
  readonly difference: readonly Difference[] | undefined
}
