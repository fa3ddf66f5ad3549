/** One kind of error that a model makes on validation, in words that quote nothing held out. */
export interface Failure {
  /** `got payment where return is right`. */
  readonly description: string
  /** The right label, of label tasks. */
  readonly label?: string | undefined
  /** The label that was given instead. */
  readonly instead?: string | undefined
  /** On how many validation rows. */
  readonly rows: number
  /** Ids of train seeds that are most like those rows. */
  readonly near: readonly string[]
}
