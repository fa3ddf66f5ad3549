import { headerNumbers, Buckets } from "./buckets.ts"
import { FineBitSketches } from "./fine-bit-sketch.ts"
import { MarkedSet } from "./marked-set.ts"
import { sharesKey, writeHeader, type Question, type SetSearch, type Sketch } from "./similar-sets.ts"

/**
 * The search of `SimilarSets` in one list: the same answers, sooner where most of up to some thousand sets share keys
 * with each other. Sets stay where they lie.
 */
export class SetList implements SetSearch {
  readonly #threshold: number
  readonly #bands: number
  readonly #places: { readonly sketch: Sketch; readonly group: number }[] = []
  readonly #buckets = new Buckets()
  readonly #header = new Int32Array(headerNumbers)
  readonly #bitSketch: FineBitSketches
  readonly #marked = new MarkedSet()
  #list = 0

  constructor(threshold: number, bands: number) {
    this.#threshold = threshold
    this.#bands = bands
    this.#bitSketch = new FineBitSketches(threshold)
  }

  visit(
    sketch: Sketch,
    visit: (place: number, similarity: number) => boolean,
    { isWanted, group = 0 }: Question = {},
  ): void {
    if (this.#list === 0) return
    writeHeader(this.#header, 0, -1, sketch)
    this.#buckets.ask(this.#header)
    this.#bitSketch.ask(sketch)
    let isMarked = false
    let next = 0
    do {
      const count = this.#buckets.scan(this.#list, next, this.#threshold)
      next = this.#buckets.stopped(this.#list)
      for (let index = 0; index < count; index += 1) {
        const place = this.#buckets.found[index] as number
        if (!this.#bitSketch.mayBeNear(place)) continue
        const { sketch: other, group: itsGroup } = this.#places[place] as {
          readonly sketch: Sketch
          readonly group: number
        }
        if (itsGroup !== group || isWanted?.(place) === false || !sharesKey(sketch, other, this.#bands)) continue
        if (!isMarked) this.#marked.mark(sketch.numbers, sketch.hashes, sketch.size)
        isMarked = true
        const similarity = this.#marked.similarity(other.numbers, other.hashes, other.size, this.#threshold)
        if (similarity >= this.#threshold && visit(place, similarity)) return
      }
    } while (next > 0)
  }

  add(sketch: Sketch, group = 0): number {
    const place = this.#places.push({ sketch, group }) - 1
    this.#bitSketch.add(sketch)
    writeHeader(this.#header, 0, place, sketch)
    this.#list =
      this.#list === 0 ? this.#buckets.start(this.#header, 0) : this.#buckets.add(this.#list, this.#header, 0)
    return place
  }

  addAgain(_place: number, sketch: Sketch, group: number): number {
    return this.add(sketch, group)
  }
}
