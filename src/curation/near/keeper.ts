import { KeptRows, PrintTable, type SketchedRow } from "./kept-rows.ts"
import { RepeatedTexts } from "./repeated-texts.ts"
import type { SetSearch } from "./similar-sets.ts"

/** What came of a row. */
export interface Verdict {
  readonly isKept: boolean
  /** Why it is dropped. A row that is kept may be a `conflict`, or have no reason. */
  readonly reason: "exact-duplicate" | "near-duplicate" | "conflict" | undefined
  /** The number of the kept row that the reason speaks of; -1 for none. */
  readonly witness: number
  readonly similarity: number
}

/** The verdict on a row that is near no kept one. */
export const keptAlone: Verdict = { isKept: true, reason: undefined, witness: -1, similarity: 0 }

/** In what keepers differ; rows are known by their numbers. */
export interface KeeperRules {
  /** Whether outputs agree that have different fingerprints; default never. */
  readonly agree?: (kept: number, row: number) => boolean
  /**
   * The order of equally similar rows. With it the witness is the most similar of all rows that agree; without it the
   * first that is met.
   */
  readonly order?: (a: number, b: number) => number
  /**
   * Of each text one row is kept: another with the text is compared with that one alone, and dropped as a conflict
   * where their outputs differ. So many rows may be offered.
   */
  readonly onePerText?: { readonly mostRows: number }
  /**
   * Rows with one text are compared with others by the first of them alone, so that there may be as many as rows. Not
   * with `agree`, and of no use with the two rules around.
   */
  readonly eachTextOnce?: boolean
  /**
   * Whether there may be as many outputs as rows. Those with one output are then looked for by themselves: in a bucket
   * of near rows they are few.
   */
  readonly outputsAreMany?: boolean
  /** After so many looks at kept rows the search for one that agrees ends; default never. */
  readonly mostLooks?: number
}

// Of a bucket of near rows that all differ in their outputs (a template with slots) so many are looked at for the most
// similar.
const mostDiffering = 100

/**
 * Goes through rows in the order in which they are offered. A row is dropped when it is at or above the threshold with
 * a kept one and their outputs agree, so that every dropped row has a kept witness. A row that is near kept ones with
 * other outputs alone is kept and told as a conflict with the most similar of them. Connected components instead would
 * drop rows that are near no kept one.
 *
 * Of pairs right at the threshold a few are missed, as the bands say.
 */
export class Keeper {
  readonly #sets: SetSearch
  readonly #rules: KeeperRules
  readonly #kept = new KeptRows()
  readonly #byText: PrintTable | undefined
  readonly #repeated: RepeatedTexts | undefined
  readonly #agreeing: Nearest
  readonly #differing: Nearest
  // The row on offer; no functions are made for each.
  #row = noRow
  #number = -1
  #group = 0
  readonly #meet = (place: number, similarity: number) => this.#note(place, similarity)
  readonly #mostLooks: number
  readonly #isEqual = (place: number) => this.#kept.hasOutput(place, this.#row)
  readonly #isOther = (place: number) => !this.#kept.hasOutput(place, this.#row)
  readonly #mayMatter = (place: number) => this.#differing.offered < mostDiffering || this.#agrees(place)

  /** The sets are empty, and this keeper's alone. */
  constructor(sets: SetSearch, rules: KeeperRules) {
    const { onePerText, order, mostLooks = Infinity } = rules
    this.#sets = sets
    this.#rules = rules
    this.#byText = onePerText && new PrintTable(this.#kept, "text", onePerText.mostRows)
    this.#repeated = rules.eachTextOnce === true ? new RepeatedTexts(this.#kept) : undefined
    this.#agreeing = new Nearest(this.#kept, order)
    this.#differing = new Nearest(this.#kept, order)
    this.#mostLooks = mostLooks
  }

  /** The memory that the kept rows take beside their sets. */
  get bytes(): number {
    return this.#kept.bytes + (this.#byText?.bytes ?? 0) + (this.#repeated?.bytes ?? 0)
  }

  /** Forgets the rows that were kept, as the sets must. */
  clear(): void {
    this.#byText?.clear()
    this.#repeated?.clear()
  }

  /** Decides on the next row, which is known by its number from now on if it is kept. */
  offer(row: SketchedRow, number: number): Verdict {
    this.#row = row
    this.#number = number
    this.#group = this.#rules.outputsAreMany === true ? (row.numbers[row.prints + 2] as number) || 1 : 0
    const same = this.#byText?.find(row.numbers, row.prints) ?? -1
    if (same >= 0) {
      const reason = this.#agrees(same) ? "exact-duplicate" : "conflict"
      return { isKept: false, reason, witness: this.#kept.numberAt(same), similarity: 1 }
    }
    const [agreeing, differing] = [this.#agreeing, this.#differing]
    agreeing.reset()
    differing.reset()
    this.#look()
    if (agreeing.place >= 0) {
      const reason = this.#kept.hasText(agreeing.place, row) ? "exact-duplicate" : "near-duplicate"
      return { isKept: false, reason, witness: this.#witness(agreeing.place), similarity: agreeing.similarity }
    }
    this.#keep()
    if (differing.place < 0) return keptAlone
    const witness = this.#kept.numberAt(differing.place)
    return { isKept: true, reason: "conflict", witness, similarity: differing.similarity }
  }

  /** Looks for the rows that agree; where there are none, for those that do not. */
  #look(): void {
    const [row, group, mostLooks] = [this.#row, this.#group, this.#mostLooks]
    if (group === 0) {
      // Any row may agree where that does not follow from the fingerprint.
      const isWanted = this.#rules.agree === undefined ? this.#mayMatter : undefined
      this.#sets.visit(row, this.#meet, { isWanted, mostLooks })
      return
    }
    this.#sets.visit(row, this.#meet, { group, isWanted: this.#isEqual, mostLooks })
    if (this.#agreeing.place < 0) this.#sets.visit(row, this.#meet, { isWanted: this.#isOther, mostLooks })
  }

  /** True ends the question: nothing that is left would change the verdict. */
  #note(place: number, similarity: number): boolean {
    if (this.#agrees(place)) {
      this.#agreeing.offer(place, similarity)
      return this.#rules.order === undefined
    }
    if (this.#differing.offered < mostDiffering) this.#differing.offer(place, similarity)
    return this.#group !== 0 && this.#differing.offered >= mostDiffering
  }

  #agrees(place: number): boolean {
    if (this.#isEqual(place)) return true
    if (this.#repeated !== undefined) return this.#repeated.find(place, this.#row) >= 0
    return this.#rules.agree?.(this.#kept.numberAt(place), this.#number) === true
  }

  /** The row at the place that agrees, or the one with its text that does. */
  #witness(place: number): number {
    const other = this.#repeated === undefined || this.#isEqual(place) ? -1 : this.#repeated.find(place, this.#row)
    return other < 0 ? this.#kept.numberAt(place) : other
  }

  #keep(): void {
    const [row, group] = [this.#row, this.#group]
    if (this.#repeated?.add(row, this.#number) === true) return
    const place = this.#sets.add(row)
    this.#kept.note(place, row, this.#number)
    this.#byText?.add(place, row)
    this.#repeated?.addFirst(place, row)
    if (group !== 0) this.#kept.note(this.#sets.addAgain(place, row, group), row, this.#number)
  }
}

const noRow: SketchedRow = { numbers: new Int32Array(), hashes: 0, size: 0, keys: 0, bitSketch: 0, prints: 0 }

/** The most similar row of those offered; of equals the first by the order, or the one offered first. */
class Nearest {
  /** Below zero for none. */
  place = -1
  similarity = 0
  offered = 0
  readonly #kept: KeptRows
  readonly #order: KeeperRules["order"]

  constructor(kept: KeptRows, order: KeeperRules["order"]) {
    this.#kept = kept
    this.#order = order
  }

  reset(): void {
    this.place = -1
    this.similarity = 0
    this.offered = 0
  }

  offer(place: number, similarity: number): void {
    this.offered += 1
    if (this.place >= 0 && !this.#isNearer(place, similarity)) return
    this.place = place
    this.similarity = similarity
  }

  #isNearer(place: number, similarity: number): boolean {
    if (similarity !== this.similarity || this.#order === undefined) return similarity > this.similarity
    return this.#order(this.#kept.numberAt(place), this.#kept.numberAt(this.place)) < 0
  }
}
