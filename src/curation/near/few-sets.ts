import { MarkedSet } from "./marked-set.ts"
import { mayBeNear } from "./bit-sketch.ts"
import { sharesKey, type Question, type SetSearch, type Sketch } from "./similar-sets.ts"

/** The search of `SimilarSets` among a few sets: the same answers, without tables to make. Sets stay where they lie. */
export class FewSets implements SetSearch {
  readonly #threshold: number
  readonly #bands: number
  readonly #places: { readonly sketch: Sketch; readonly group: number }[] = []
  readonly #marked = new MarkedSet()

  constructor(threshold: number, bands: number) {
    this.#threshold = threshold
    this.#bands = bands
  }

  visit(
    sketch: Sketch,
    visit: (place: number, similarity: number) => boolean,
    { isWanted, group = 0 }: Question = {},
  ): void {
    let isMarked = false
    for (let place = 0; place < this.#places.length; place += 1) {
      const { sketch: other, group: itsGroup } = this.#places[place] as {
        readonly sketch: Sketch
        readonly group: number
      }
      if (itsGroup !== group || !sharesKey(sketch, other, this.#bands) || !mayBeNear(this.#threshold, sketch, other))
        continue
      if (isWanted?.(place) === false) continue
      if (!isMarked) this.#marked.mark(sketch.numbers, sketch.hashes, sketch.size)
      isMarked = true
      const similarity = this.#marked.similarity(other.numbers, other.hashes, other.size, this.#threshold)
      if (similarity >= this.#threshold && visit(place, similarity)) return
    }
  }

  add(sketch: Sketch, group = 0): number {
    return this.#places.push({ sketch, group }) - 1
  }

  addAgain(_place: number, sketch: Sketch, group: number): number {
    return this.add(sketch, group)
  }

  clear(): void {
    this.#places.length = 0
  }
}
