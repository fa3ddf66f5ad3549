import type { NumberRule } from "../../core/task/number-rule.ts"
import { DataError } from "../../core/errors.ts"
import { bandsFor, multipliersOf, type Bands } from "./bands.ts"
import { cuts, type ShinglerName } from "./cuts.ts"
import { asciiSeparators, foldBlock, foldEntries } from "../text/fold-table.ts"
import { foldForComparison } from "../text/normalise.ts"
import { bitSketchNumbers } from "./bit-sketch.ts"
import type { Sketch } from "./similar-sets.ts"
import { sketcherCode } from "./sketcher-code.ts"
import { instantiate } from "./web-assembly.ts"

export type { ShinglerName } from "./cuts.ts"

/** How the texts of a corpus are cut. */
export interface TextCut {
  readonly name: ShinglerName
  /** The hashes of the spans that so many texts share that they say nothing. */
  readonly boilerplate: Int32Array
  readonly numbers: NumberRule | "text"
}

/** How texts are cut and keyed; plain data, so that every thread can make the same sketcher. */
export interface SketchPlan {
  readonly shingles: ShinglerName
  /** The hashes of the spans that count as boilerplate; none by default. */
  readonly boilerplate?: Int32Array
  /** `keep` by default; with `text` numbers are like any other words. */
  readonly numbers?: NumberRule | "text"
  /** None by default: then there are no keys. */
  readonly bands?: Bands
}

/** The plan for finding texts at or above the threshold, of which a share of `missRate` is missed right at it. */
export function sketchPlan(
  { name, boilerplate, numbers }: TextCut,
  threshold: number,
  missRate?: number,
): Required<SketchPlan> {
  return { shingles: name, boilerplate, numbers, bands: bandsFor(threshold, missRate) }
}

/**
 * Texts as sets of hashed shingles with band keys: equal texts, by `foldForComparison`, give equal sketches, in every
 * thread. MinHash (Broder 1997) with multiply-only permutations.
 *
 * The work is done by assembly/sketch.ts and its parts on the text's bytes. What it cannot fold (marks, long s, a final
 * sigma) is folded here first.
 */
export class Sketcher {
  protected readonly code: Code
  readonly #bands: number
  readonly #keysAt: number
  readonly #printAt: number
  readonly #bitSketchAt: number
  /** Where the text goes. */
  #room = new Uint8Array()
  #hashesAt = 0
  protected numbers = new Int32Array()
  protected capacity = 0

  constructor({
    shingles,
    boilerplate = new Int32Array(),
    bands = { count: 0, rows: 4 },
    numbers = "keep",
  }: SketchPlan) {
    this.code = instantiate<Code>(sketcherCode)
    this.#bands = bands.count
    const { size, span } = cuts[shingles]
    const slots = boilerplate.length === 0 ? 0 : 2 ** Math.ceil(Math.log2(boilerplate.length * 4))
    this.code.configureCuts(Number(shingles === "word-5"), size, span, numberRules.indexOf(numbers))
    this.code.configureKeys(bands.count, bands.rows, slots)
    this.#reserve(4096)
    this.#keysAt = this.code.keysAt() >> 2
    this.#printAt = this.code.printAt() >> 2
    this.#bitSketchAt = this.code.bitSketchAt() >> 2
    new Uint8Array(this.code.memory.buffer).set(asciiSeparators(), this.code.classesAt())
    this.numbers.set(multipliersOf(bands), this.code.multipliersAt() >> 2)
    const table = this.numbers.subarray(this.code.boilerplateAt() >> 2, (this.code.boilerplateAt() >> 2) + slots)
    for (const hash of boilerplate) {
      let slot = hash & (slots - 1)
      while (table[slot] !== 0 && table[slot] !== hash) slot = (slot + 1) & (slots - 1)
      table[slot] = hash
    }
  }

  /**
   * The distinct hashes of the text's shingles, in the order of the text, and a key for each band; overwritten by the
   * next text. There is at least one hash: a text shorter than a shingle gives the hash of the whole.
   */
  sketch(text: string): Sketch {
    let size = this.#run(text, this.code.sketch)
    if (size <= 0) {
      // A text without a character to compare by has one shingle as well, so that two of them are duplicates.
      size = 1
      this.numbers[this.#hashesAt] = 1
      for (let band = 0; band < this.#bands; band += 1) this.numbers[this.#keysAt + band] = band + 2
      this.numbers.fill(0, this.#bitSketchAt, this.#bitSketchAt + bitSketchNumbers)
      this.numbers.fill(0, this.#printAt, this.#printAt + 2)
    }
    return { numbers: this.numbers, hashes: this.#hashesAt, size, keys: this.#keysAt, bitSketch: this.#bitSketchAt }
  }

  /**
   * The distinct hashes of the text's spans, of which boilerplate is made; none for a text shorter than a span.
   * Overwritten by the next text.
   */
  spans(text: string): Int32Array {
    const count = Math.max(0, this.#run(text, this.code.spans))
    return this.numbers.subarray(this.#hashesAt, this.#hashesAt + count)
  }

  /** The hashes of the text's spans in its order, each as often as it comes. Overwritten by the next text. */
  everySpan(text: string): Int32Array {
    this.spans(text)
    const start = this.code.runsAt() >> 2
    return this.numbers.subarray(start, start + this.code.spanCount())
  }

  /** A 64-bit hash of the folded text, as two numbers of 32 bits. */
  fingerprint(text: string): readonly [number, number] {
    return this.#run(text, this.code.cut) > 0 ? this.lastPrint() : [0, 0]
  }

  /** The fingerprint of the last text that was sketched. */
  lastPrint(): readonly [number, number] {
    return [this.numbers[this.#printAt] as number, this.numbers[this.#printAt + 1] as number]
  }

  /** What stands for the numbers of the last text that was sketched: each of its hashes is one of a run with this. */
  lastSalt(): number {
    return this.code.salt()
  }

  #run(text: string, work: (bytes: number, isFolded: number) => number): number {
    let bytes = this.#write(text)
    for (;;) {
      const answer = work(bytes, 0)
      if (answer > 0) return answer
      if (answer <= needsBlock) {
        const block = needsBlock - answer
        this.numbers.set(foldEntries(block), (this.code.pointsAt() >> 2) + block * foldBlock)
      } else {
        bytes = this.#write(foldForComparison(text))
        return bytes === 0 ? 0 : work(bytes, 1)
      }
    }
  }

  /** The text's bytes are where the code reads them; their number. */
  #write(text: string): number {
    if (text.length + (text.length >> 3) > this.capacity) this.#reserve(text.length + (text.length >> 3))
    let { read, written } = encoder.encodeInto(text, this.#room)
    if (read < text.length) {
      this.#reserve(text.length * 3)
      ;({ read, written } = encoder.encodeInto(text, this.#room))
    }
    return written
  }

  #reserve(bytes: number): void {
    if (bytes > mostBytes) throw new DataError("a text is too long to be compared", [], longTextHint)
    this.capacity = Math.max(bytes, Math.min(mostBytes, 2 * this.capacity))
    this.code.reserve(this.capacity, 0)
    this.renew()
  }

  /** After the memory may have grown or its regions moved. */
  protected renew(): void {
    this.numbers = new Int32Array(this.code.memory.buffer)
    this.#room = new Uint8Array(this.code.memory.buffer, this.code.textAt(), this.capacity)
    this.#hashesAt = this.code.shinglesAt() >> 2
  }
}

/** A fingerprint as a number that holds it, but for 11 of its 64 bits. */
export function printNumber(low: number, high: number): number {
  return (low >>> 0) + (high & 0x1fffff) * 2 ** 32
}

/** So many characters of a text can be compared. The memory that 32 bits address would hold little more. */
export const mostCharacters = 2 ** 25
// As UTF-8, before or after it is folded.
const mostBytes = 3 * mostCharacters

/** Why the text cannot be compared; undefined where it can. */
export function lengthProblem(text: string): string | undefined {
  if (text.length <= mostCharacters) return undefined
  return `a text of ${text.length} characters; at most ${mostCharacters} can be compared`
}

const longTextHint = `Leave it out, or cut it: at most about ${mostCharacters} characters can be compared.`
const needsBlock = -2

// By their numbers in assembly/sketch.ts.
const numberRules = ["keep", "drop", "text"] as const

/** What assembly/sketcher.ts exports. */
interface Code {
  readonly memory: { readonly buffer: ArrayBuffer }
  configureCuts(ofWords: number, size: number, span: number, numberRule: number): void
  configureKeys(bands: number, rows: number, boilerplateSlots: number): void
  reserve(bytes: number, start: number): void
  sketch(bytes: number, isFolded: number): number
  spans(bytes: number, isFolded: number): number
  cut(bytes: number, isFolded: number): number
  runsAt(): number
  salt(): number
  spanCount(): number
  pointsAt(): number
  classesAt(): number
  multipliersAt(): number
  keysAt(): number
  printAt(): number
  bitSketchAt(): number
  boilerplateAt(): number
  textAt(): number
  shinglesAt(): number
  prepareRows(bytes: number, numbers: number, ...names: readonly [text: number, output: number, ignored: number]): void
  begin(bytes: number, isForHost: number): void
  rows(): number
  emit(index: number, size: number, outputLow: number, outputHigh: number): number
  emptyOut(): void
  lineStart(): number
  lineEnd(): number
  lines(): number
  used(): number
  rowsOut(): number
  namesAt(): number
  inputAt(): number
  outAt(): number
}

const encoder = new TextEncoder()
