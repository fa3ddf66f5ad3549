import type { NumberRule } from "../../core/task/number-rule.ts"
import type { ShinglerName } from "../near/cuts.ts"
import { joinHash, mixBits } from "../text/hashing.ts"
import { hasDigit, tokenHash, WordHashes } from "../text/word-hashes.ts"
import { leakDefinition } from "./definition.ts"
import { windowHashes } from "./witness-windows.ts"

const { cuts } = leakDefinition.shingles

/** How the witness cuts texts; plain data. */
export interface WitnessCut {
  readonly shingles: ShinglerName
  /** The hashes of the spans that are boilerplate. */
  readonly boilerplate: ReadonlySet<number>
  readonly numbers: NumberRule
}

/** A text as the definition has it: the words of its folded form, and its shingles. Overwritten by the next text. */
export class WitnessText {
  readonly words = new WordHashes()
  /** The hashes of the shingles that are left without boilerplate, in their order, with repeats. */
  shingles = new Uint32Array(256)
  shingleCount = 0
  #spans = new Uint32Array(256)
  #units = new Int32Array(256)

  read(text: string): void {
    this.words.read(text)
  }

  /** Cuts the text that was read last. */
  cut(text: string, { shingles: name, boilerplate, numbers }: WitnessCut): void {
    const { size, span } = cuts[name]
    const { units, count, salt } = this.#unitsOf(text, name, numbers)
    if (count > this.shingles.length) this.shingles = new Uint32Array(2 * count)
    let left = boilerplate.size === 0 ? 0 : this.#cutOwn(units, count, { size, span, boilerplate })
    if (left === 0) left = windowHashes(units, count, Math.min(size, count), this.shingles)
    this.shingleCount = left
    if (salt === 0) return
    // With its numbers a shingle is another one.
    for (let index = 0; index < left; index += 1)
      this.shingles[index] = mixBits(joinHash(salt, this.shingles[index] as number))
  }

  /** The hashes of the text's spans, in the form in which boilerplate is given. */
  spans(text: string, { shingles: name, numbers }: WitnessCut): Uint32Array {
    const { units, count } = this.#unitsOf(text, name, numbers)
    if (count > this.#spans.length) this.#spans = new Uint32Array(2 * count)
    return this.#spans.subarray(0, windowHashes(units, count, cuts[name].span, this.#spans))
  }

  /** The shingles of each stretch of units that is in no span of boilerplate; their number. */
  #cutOwn(
    units: Int32Array,
    count: number,
    { size, span, boilerplate }: { size: number; span: number; boilerplate: ReadonlySet<number> },
  ): number {
    if (count > this.#spans.length) this.#spans = new Uint32Array(2 * count)
    const spans = windowHashes(units, count, span, this.#spans)
    const isCovered = new Uint8Array(count)
    for (let at = 0; at < spans; at += 1)
      if (boilerplate.has(this.#spans[at] as number)) isCovered.fill(1, at, at + span)
    let left = 0
    for (let from = 0; from < count; from += 1) {
      if (isCovered[from] === 1) continue
      let until = from + 1
      while (until < count && isCovered[until] === 0) until += 1
      const stretch = units.subarray(from, until)
      left += windowHashes(stretch, stretch.length, Math.min(size, stretch.length), this.shingles.subarray(left))
      from = until
    }
    return left
  }

  /**
   * The units of the text that was read last: its words and signs, or the characters of its folded form. `salt` stands
   * for its numbers; zero where it has none, or all are one.
   */
  #unitsOf(
    text: string,
    name: ShinglerName,
    rule: NumberRule,
  ): { readonly units: Int32Array; readonly count: number; readonly salt: number } {
    const { words } = this
    if (!words.hasNumbers) {
      if (name === "word-5") return { units: words.hashes, count: words.count, salt: 0 }
      return { ...this.#pointsOf(leakDefinition.fold(text)), salt: 0 }
    }
    const salt = rule === "drop" ? 0 : this.#saltOf()
    if (name === "word-5") {
      const { hashes, areNumbers, count } = words
      const units = rule === "drop" ? hashes.map((hash, at) => (areNumbers[at] === 1 ? anyNumber : hash)) : hashes
      return { units, count, salt }
    }
    const tokens = leakDefinition.fold(text).split(" ")
    const seen = rule === "drop" ? tokens.map((token) => (hasDigit(token) ? "0" : token)) : tokens
    return { ...this.#pointsOf(seen.join(" ")), salt }
  }

  /** A hash of the numbers of the text in their order; not zero. */
  #saltOf(): number {
    const { hashes, areNumbers, count } = this.words
    let salt = 0
    for (let at = 0; at < count; at += 1) if (areNumbers[at] === 1) salt = joinHash(salt, hashes[at] as number)
    return mixBits(salt) || 1
  }

  #pointsOf(folded: string): { readonly units: Int32Array; readonly count: number } {
    if (folded.length > this.#units.length) this.#units = new Int32Array(2 * folded.length)
    let count = 0
    for (let place = 0; place < folded.length; place += 1) {
      const point = folded.codePointAt(place) as number
      if (point > 0xffff) place += 1
      this.#units[count++] = point
    }
    return { units: this.#units, count }
  }
}

const anyNumber = tokenHash("0")

/** The hashes without repeats, from the least to the greatest. */
export function distinctSorted(hashes: Uint32Array): Uint32Array {
  const sorted = hashes.slice().sort()
  let count = 0
  for (let index = 0; index < sorted.length; index += 1)
    if (index === 0 || sorted[index] !== sorted[index - 1]) sorted[count++] = sorted[index] as number
  return sorted.subarray(0, count)
}
