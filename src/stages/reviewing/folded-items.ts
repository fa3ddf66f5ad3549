import type { RealInput } from "../../core/rows/example.ts"
import type { ReviewItem } from "../../core/rows/review-item.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { JudgedCandidate } from "../../evaluation/review/acceptance.ts"
import type { Columns } from "../../store/rows/columns.ts"
import type { FoldedFile } from "../../store/rows/folded-rows.ts"
import type { PlacedCandidate } from "../../store/rows/grown-rows.ts"
import { candidateFlags, type CandidateColumn } from "../../store/rows/review-columns.ts"
import { candidate as candidateKind, candidateItem } from "../standing/kinds/candidate.ts"
import { input as inputKind, inputItem } from "../standing/kinds/input.ts"
import { standItem } from "../standing/review-plan.ts"
import { decisionOf, type FoldedDecisions, idOf, type FoldedItem, type OnlyDecision } from "./folded-decisions.ts"
import type { CountedCandidate } from "./review-tally.ts"

export const none: readonly string[] = []

/** Stands for the output that an item has: of its only decision it is asked alone whether it gives another one. */
export const asProposed = Symbol("as proposed")
/** Stand for the revision of an item, and for any other. */
const [itsRevision, anotherRevision] = ["its", "another"]

/** A candidate that passed its checks: nothing of it is made but what is looked at. */
export class FoldedCandidate implements JudgedCandidate, CountedCandidate {
  readonly kind = "cand"
  readonly number: number
  readonly batch: string
  labels: readonly string[] = none
  isRight: boolean | undefined = undefined
  #id: string | undefined
  readonly #columns: Columns<CandidateColumn>
  readonly #row: number

  constructor(number: number, batch: string, columns: Columns<CandidateColumn>, row: number) {
    this.number = number
    this.batch = batch
    this.#columns = columns
    this.#row = row
  }

  get high(): number {
    return this.#columns.at("high", this.#row)
  }
  get low(): number {
    return this.#columns.at("low", this.#row)
  }
  get id(): string {
    this.#id ??= idOf(this)
    return this.#id
  }
  get confidence(): number | undefined {
    const hasOne = (this.#columns.at("flags", this.#row) & candidateFlags.hasConfidence) !== 0
    return hasOne ? this.#columns.at("confidence", this.#row) : undefined
  }
  get strategy(): string {
    return this.#columns.text("strategy", this.#row) as string
  }
  get cell(): string {
    return this.#columns.text("cell", this.#row) as string
  }
  get draw(): number {
    return this.#columns.at("draw", this.#row)
  }
}

/** What is asked about an item with one decision or none, of which nothing but that is looked at. */
class FoldedQuestion implements ReviewItem {
  readonly kind: string
  readonly input = {}
  readonly output: unknown
  readonly revision = itsRevision
  readonly #item: FoldedItem

  constructor(item: FoldedItem) {
    this.kind = item.kind === "cand" ? candidateKind.name : inputKind.name
    this.output = item.kind === "cand" ? asProposed : undefined
    this.#item = item
  }

  get id(): string {
    return idOf(this.#item)
  }
}

type Stand = ReturnType<typeof standItem>

/** Where the row of an item is. */
interface ItemPlace {
  readonly file: Pick<FoldedFile<RevisionColumn, PlacedCandidate | RealInput>, "read"> & {
    readonly columns: { at(name: RevisionColumn, row: number): number }
  }
  readonly row: number
}

/**
 * How items stand after their decisions, as `standItem` has it: of what is asked its id and its content are no matter.
 * An item is read where it has several decisions.
 */
export class FoldedStandings {
  readonly #review: TaskSpecification["review"]
  readonly #decisions: FoldedDecisions
  readonly #calibration: ReadonlySet<string>
  /** Where nobody is drawn, items that were decided alike stand alike. */
  readonly #alike: Map<unknown, Map<number, Stand>> | undefined

  constructor(review: TaskSpecification["review"], decisions: FoldedDecisions, calibration: ReadonlySet<string>) {
    this.#review = review
    this.#decisions = decisions
    this.#calibration = calibration
    this.#alike = review.reviewers.length < 2 ? new Map() : undefined
  }

  of(item: AskedItem, { file, row }: ItemPlace): Stand {
    const { confidence } = item
    const only = this.#decisions.onlyOn(item)
    if (only === undefined && this.#decisions.hasAnyOn(item)) {
      const whole = file.read(row)
      const asked = "checks" in whole ? candidateItem(whole) : inputItem(whole)
      const isCalibration = this.#calibration.has(asked.id)
      return standItem(this.#review, asked, { given: this.#decisions.allOn(item), confidence, isCalibration })
    }
    const isSame = only !== undefined && isOfRevision(only, file.columns, row)
    const isUncertain = confidence !== undefined && confidence < this.#review.lowConfidence
    const way = only === undefined ? 0 : wayOf(only)
    if (this.#alike === undefined || way === undefined) return this.#stand(item, only, isSame)
    const key = 8 * way + (isSame ? 4 : 0) + (isUncertain ? 2 : 0) + (item.kind === "cand" ? 1 : 0)
    const alike = this.#alikeIn(only?.columns)
    const known = alike.get(key) ?? this.#stand(item, only, isSame)
    alike.set(key, known)
    return known
  }

  #stand(item: AskedItem, only: OnlyDecision | undefined, isSame: boolean): Stand {
    const question = new FoldedQuestion(item)
    const isCalibration = this.#calibration.size > 0 && this.#calibration.has(question.id)
    const given = only === undefined ? [] : [decisionOf(only, isSame ? itsRevision : anotherRevision)]
    return standItem(this.#review, question, { given, confidence: item.confidence, isCalibration })
  }

  #alikeIn(columns: OnlyDecision["columns"] | undefined): Map<number, Stand> {
    const known = this.#alike?.get(columns) ?? new Map<number, Stand>()
    this.#alike?.set(columns, known)
    return known
  }
}

type AskedItem = FoldedItem & { readonly confidence: number | undefined }
type RevisionColumn = "r0" | "r1" | "r2" | "r3"

function isOfRevision(
  { columns, row: decision }: OnlyDecision,
  item: ItemPlace["file"]["columns"],
  row: number,
): boolean {
  const isEqual = (name: RevisionColumn) => columns.at(name, decision) === item.at(name, row)
  return isEqual("r0") && isEqual("r1") && isEqual("r2") && isEqual("r3")
}

/**
 * A number for how it was decided, by whom and why: another one for each way, among the decisions of a file; undefined
 * for an edit.
 */
function wayOf({ columns, row }: OnlyDecision): number | undefined {
  if (columns.at("output", row) >= 0) return undefined
  const who = (columns.at("reason", row) + 1) * columns.texts.length + columns.at("reviewer", row)
  return 1 + who * 4 + columns.at("verdict", row)
}
