import { cuts, type ShinglerName } from "../near/cuts.ts"
import { WordHashes } from "../text/word-hashes.ts"
import { leakDefinition } from "./definition.ts"
import { windowHashes } from "./witness-windows.ts"

/** How the witness cuts texts; plain data. */
export interface WitnessCut {
  readonly shingles: ShinglerName
  /** The hashes of the spans that are boilerplate. */
  readonly boilerplate: ReadonlySet<number>
}

/** A text as the definition has it: the words of its folded form, and its shingles. Overwritten by the next text. */
export class WitnessText {
  readonly words = new WordHashes()
  /** The hashes of the shingles that are left without boilerplate, in their order, with repeats. */
  shingles = new Uint32Array(256)
  shingleCount = 0
  #spans = new Uint32Array(256)
  #own = new Uint32Array(256)
  #points = new Int32Array(256)

  read(text: string): void {
    this.words.read(text)
  }

  /** Cuts the text that was read last. */
  cut(text: string, { shingles: name, boilerplate }: WitnessCut): void {
    const { size, span, fewest } = cuts[name]
    const [units, count] = name === "word-5" ? ([this.words.hashes, this.words.count] as const) : this.#pointsOf(text)
    if (count > this.shingles.length) this.shingles = new Uint32Array(2 * count)
    const length = Math.min(size, count)
    const all = windowHashes(units, count, length, this.shingles)
    this.shingleCount = all
    if (boilerplate.size === 0 || all <= 1) return
    if (count > this.#spans.length) this.#spans = new Uint32Array(2 * count)
    const spans = windowHashes(units, count, span, this.#spans)
    const own = this.#keepOwn(all, spans, { span, length, boilerplate })
    if (hasDistinct(this.#own, own, fewest)) {
      this.shingles.set(this.#own.subarray(0, own))
      this.shingleCount = own
    }
  }

  /** The hashes of the text's spans, in the form in which boilerplate is given. */
  spans(text: string, name: ShinglerName): Uint32Array {
    const { span } = cuts[name]
    const [units, count] = name === "word-5" ? ([this.words.hashes, this.words.count] as const) : this.#pointsOf(text)
    if (count > this.#spans.length) this.#spans = new Uint32Array(2 * count)
    return this.#spans.subarray(0, windowHashes(units, count, span, this.#spans))
  }

  /** Puts the shingles that lie inside no span of boilerplate into `#own`; their number. */
  #keepOwn(
    shingles: number,
    spans: number,
    { span, length, boilerplate }: { span: number; length: number; boilerplate: ReadonlySet<number> },
  ): number {
    if (shingles > this.#own.length) this.#own = new Uint32Array(2 * shingles)
    let covered = 0
    let count = 0
    for (let at = 0; at < shingles; at += 1) {
      if (at < spans && boilerplate.has(this.#spans[at] as number)) covered = at + span
      if (at + length > covered) this.#own[count++] = this.shingles[at] as number
    }
    return count
  }

  /** The characters of the folded text. */
  #pointsOf(text: string): readonly [Int32Array, number] {
    const folded = leakDefinition.fold(text)
    if (folded.length > this.#points.length) this.#points = new Int32Array(2 * folded.length)
    let count = 0
    for (let place = 0; place < folded.length; place += 1) {
      const point = folded.codePointAt(place) as number
      if (point > 0xffff) place += 1
      this.#points[count++] = point
    }
    return [this.#points, count]
  }
}

/** Whether so many of the first hashes differ. */
function hasDistinct(hashes: Uint32Array, count: number, least: number): boolean {
  const seen = new Set<number>()
  for (let index = 0; index < count && seen.size < least; index += 1) seen.add(hashes[index] as number)
  return seen.size >= least
}

/** The hashes without repeats, from the least to the greatest. */
export function distinctSorted(hashes: Uint32Array): Uint32Array {
  const sorted = hashes.slice().sort()
  let count = 0
  for (let index = 0; index < sorted.length; index += 1)
    if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[count++] = sorted[index] as number
  return sorted.subarray(0, count)
}
