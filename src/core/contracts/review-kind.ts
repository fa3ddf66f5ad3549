import type {
  Candidate,
  Decision,
  DecisionLine,
  QueuedConflict,
  QueuedSuspect,
  RealInput,
  Seed,
} from "../rows/example.ts"
import type { Migrations } from "../rows/migration.ts"
import type { ReviewItem, SourceRow } from "../rows/review-item.ts"
import type { TaskSpecification } from "../task/task.ts"
import type { ChoiceButton } from "./choice-button.ts"

/**
 * A kind of review item: what is asked, how it may be answered, and what a decision means. The page, the spreadsheets
 * and the command line know of a kind what is said here, and nothing else.
 */
export interface ReviewKind {
  /** Stands in the spreadsheet's column `kind` and after `--only`. */
  readonly name: string
  /** What the ids of its items begin with, before `_` and 16 hex digits. */
  readonly idPrefix: string
  /** What the page asks. */
  readonly question: string
  /** The ways to answer, in the order in which they are named. */
  readonly choices: readonly Choice[]
  /** The buttons of the page for the item, beside those that every item has: edit, comment, skip. */
  buttons(task: TaskSpecification, item: ReviewItem): readonly ChoiceButton[]
  readonly rejecting: RejectMeaning
  /**
   * Whether it asks about rows that are examples already. The ids of such items follow from the rows' content, so that
   * every decision counts; a decision on another item counts for the revision that it was made on.
   */
  readonly isAboutRows: boolean
  /** A line of the spreadsheet's guide, where the sheet has the column. */
  readonly guide?: { readonly column: string; readonly title: string; readonly text: string }
  /** What `review export --help` says of the choices, where they mean something of their own. */
  readonly help?: string
  /** How those that wait are counted: the field in JSON, and the words after the number, of several and of one. */
  readonly counted?: { readonly field: string; readonly words: string; readonly word: string }
  /** Every item of the kind, decided or not. */
  items(material: ReviewMaterial): readonly ReviewItem[]
  /**
   * The items that wait, of a kind whose rows are examples all the same. Kinds that decide whether a row becomes an
   * example have none: what waits of them follows from the plan of the review.
   */
  waiting?(material: ReviewMaterial): readonly ReviewItem[]
  /** The output that a row keeps when the item is rejected, where it keeps one. */
  kept?(item: ReviewItem): unknown
  /** What a decision says of each of the item's rows, in their order. */
  onRows?(item: ReviewItem, line: DecisionLine): readonly DecisionLine[]
}

/** A way to answer an item: a word in a spreadsheet, a button on the page. */
export interface Choice {
  /** `edit` is the name of the one for which the reviewer writes the output: the page offers to write where it is. */
  readonly name: string
  readonly verdict: Decision["verdict"]
  /** Other words for it in a spreadsheet, in lower case. */
  readonly words: readonly string[]
  /** The output that the decision carries. An edit without it carries the one that the reviewer writes. */
  readonly output?: (item: ReviewItem) => unknown
  /** The colour of its cell. */
  readonly tint: "good" | "changed" | "bad"
}

export interface RejectMeaning {
  /** In a note, among the answers that reviewers gave. */
  readonly note: string
  /** On the page, in the place of an output. */
  readonly chip: string
  /** Whether it turns an example down: then the reviewer says why. */
  readonly needsReason: boolean
}

/** What items are made of. */
export interface ReviewMaterial {
  readonly rows: ReviewRows
  /** By the id of the row. */
  readonly sources: ReadonlyMap<string, SourceRow>
  /** By the id of the item. */
  readonly decisions: ReadonlyMap<string, readonly Decision[]>
}

/** The rows of a task that reviewers are asked about, and what was found in them. */
export interface ReviewRows {
  readonly migrations: Migrations
  seeds(): readonly Seed[]
  inputs(): readonly RealInput[]
  readonly grown: { candidates(): readonly Candidate[] }
  readonly review: { suspects(): readonly QueuedSuspect[]; conflicts(): readonly QueuedConflict[] }
}
