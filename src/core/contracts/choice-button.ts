// By itself, for the page in the browser reads this type and knows nothing of Node.

/** An answer that one press gives. */
export interface ChoiceButton {
  readonly key: string
  readonly text: string
  readonly choice: string
  /** Of an edit. */
  readonly output?: unknown
  readonly isMain: boolean
}
