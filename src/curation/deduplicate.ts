import type { OutputEquality, OutputPrint } from "./output-equality.ts"
import { compareText } from "./ranking.ts"
import type { RowTable, Why } from "./row-table.ts"
import { SimilarSets, type Sketch } from "./similar-sets.ts"
import { printNumber } from "./sketcher.ts"

/** Two kept rows whose inputs are near-duplicates and whose outputs differ; `a` is the one more worth keeping. */
export interface Conflict {
  readonly a: string
  readonly b: string
  readonly similarity: number
}

/** A row made ready to be compared with others. */
export interface ComparedRow extends Sketch {
  /** The fingerprints of the input's text and of the output. */
  readonly print: OutputPrint
  readonly output: OutputPrint
}

// Of a crowd of near rows that all differ in their outputs (a template with slots) so many are looked at for the most similar.
const mostDiffering = 100

/** Goes through the rows in their order, the best first; each is kept unless a kept one makes it superfluous. Keep-first instead of connected
 * components, which would remove rows that are near no kept one. */
export class KeepBest {
  readonly conflicts: Conflict[] = []
  readonly #table: RowTable
  readonly #outputs: OutputEquality
  readonly #sets: SimilarSets
  readonly #byPrint = new Map<number, number>()
  /** Of each place in `#sets` the row, and the prints of its text and output. */
  #places = new Int32Array(numbersAPlace * 1024)

  constructor(table: RowTable, outputs: OutputEquality, threshold: number, bands: number, expected: number) {
    this.#table = table
    this.#outputs = outputs
    this.#sets = new SimilarSets(threshold, bands, expected)
  }

  offer(number: number, row: ComparedRow): void {
    const why = this.#exact(number, row) ?? this.#near(number, row)
    if (why === undefined) this.#keep(number, row)
    else this.#table.drop(number, why)
  }

  #exact(number: number, { print: [low, high], output }: ComparedRow): Why | undefined {
    const place = this.#byPrint.get(printNumber(low, high))
    if (place === undefined || this.#places[numbersAPlace * place + 2] !== high) return undefined
    const agrees = this.#equal(place, output) || this.#similar(place, number)
    return { reason: agrees ? "exact-duplicate" : "conflict", witness: this.#idAt(place), similarity: 1 }
  }

  /** Looks for the most similar row that agrees; where there is none, notes the most similar one that does not. */
  #near(number: number, row: ComparedRow): Why | undefined {
    const [agreeing, differing] = [new Nearest(this.#table), new Nearest(this.#table)]
    const { output } = row
    const group = this.#groupOf(row)
    if (group === 0)
      this.#sets.visit(
        row,
        (place, similarity) => {
          const agrees = this.#equal(place, output) || this.#similar(place, number)
          if (agrees) agreeing.offer(this.#rowAt(place), similarity)
          else if (differing.offered < mostDiffering) differing.offer(this.#rowAt(place), similarity)
          return false
        },
        this.#outputs.bySimilarity ? {} : { isWanted: (place) => differing.offered < mostDiffering || this.#equal(place, output) },
      )
    else {
      const look = (nearest: Nearest, most: number) => (place: number, similarity: number) => {
        nearest.offer(this.#rowAt(place), similarity)
        return nearest.offered >= most
      }
      this.#sets.visit(row, look(agreeing, Infinity), { group, isWanted: (place) => this.#equal(place, output) })
      if (agreeing.row === undefined) this.#sets.visit(row, look(differing, mostDiffering), { isWanted: (place) => !this.#equal(place, output) })
    }
    if (agreeing.row !== undefined) return { reason: "near-duplicate", witness: this.#table.id(agreeing.row), similarity: agreeing.similarity }
    if (differing.row !== undefined)
      this.conflicts.push({ a: this.#table.id(differing.row), b: this.#table.id(number), similarity: differing.similarity })
    return undefined
  }

  #keep(number: number, row: ComparedRow): void {
    const place = this.#sets.add(row)
    this.#note(place, number, row)
    this.#byPrint.set(printNumber(...row.print), place)
    const group = this.#groupOf(row)
    if (group !== 0) this.#note(this.#sets.addAgain(place, row, group), number, row)
  }

  /** Where every row may have another output, those with one output are looked for by themselves: in a crowd of near rows they are few. */
  #groupOf({ output: [low] }: ComparedRow): number {
    return this.#outputs.areMany ? low || 1 : 0
  }

  #note(place: number, number: number, { print, output }: ComparedRow): void {
    if (numbersAPlace * (place + 1) > this.#places.length) {
      const longer = new Int32Array(2 * this.#places.length)
      longer.set(this.#places)
      this.#places = longer
    }
    this.#places.set([number, ...print, ...output], numbersAPlace * place)
  }

  #equal(place: number, [low, high]: OutputPrint): boolean {
    return this.#places[numbersAPlace * place + 3] === low && this.#places[numbersAPlace * place + 4] === high
  }

  #similar(place: number, number: number): boolean {
    return this.#outputs.bySimilarity && this.#outputs.areSimilar(this.#rowAt(place), number, (row) => String(this.#table.example(row).output))
  }

  #rowAt(place: number): number {
    return this.#places[numbersAPlace * place] as number
  }

  #idAt(place: number): string {
    return this.#table.id(this.#rowAt(place))
  }
}

const numbersAPlace = 5

/** The most similar row of those offered, of equals the one with the smaller id. */
class Nearest {
  row: number | undefined
  similarity = 0
  offered = 0
  readonly #table: RowTable

  constructor(table: RowTable) {
    this.#table = table
  }

  offer(row: number, similarity: number): void {
    this.offered += 1
    if (this.row !== undefined && similarity < this.similarity) return
    if (this.row !== undefined && similarity === this.similarity && compareText(this.#table.id(this.row), this.#table.id(row)) < 0) return
    this.row = row
    this.similarity = similarity
  }
}
