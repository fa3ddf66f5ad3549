import type { NumberRule } from "../../core/task/number-rule.ts"
import { hashStart, hashText, joinCharacter, mixBits } from "../text/hashing.ts"
import { boilerplateRule, cuts, isEdge, leastFrequent, mostTexts, type ShinglerName } from "./cuts.ts"
import { printNumber, Sketcher } from "./sketcher.ts"

const { fewestTexts, leastMass } = boilerplateRule

/**
 * The hashes of the spans that so many of the texts share that they are a template's, not the texts' own; none unless
 * frequent spans are more than a twentieth of all. Copies of a text count once. The order of the texts does not matter.
 */
export function boilerplateOf(
  sample: readonly string[],
  shingles: ShinglerName,
  numbers: NumberRule = "keep",
): Int32Array {
  const sketcher = new Sketcher({ shingles, numbers })
  const texts = sample.length < fewestTexts ? [] : distinctTexts(sample, sketcher)
  if (texts.length < fewestTexts) return new Int32Array()
  const least = leastFrequent(texts.length)
  // First counted by a part of the hash, so that only what may be frequent is counted one by one.
  const bits = Math.min(20, Math.ceil(Math.log2(64 * texts.length)))
  const unused = 32 - bits
  const roughly = new Uint32Array(2 ** bits)
  let all = 0
  for (const text of texts) {
    const spans = sketcher.spans(text)
    all += spans.length
    for (let index = 0; index < spans.length; index += 1) {
      const bucket = (spans[index] as number) >>> unused
      roughly[bucket] = (roughly[bucket] as number) + 1
    }
  }
  if (!roughly.some((count) => count >= least)) return new Int32Array()
  const counts = new Map<number, number>()
  for (const text of texts)
    for (const span of sketcher.spans(text))
      if ((roughly[span >>> unused] as number) >= least) counts.set(span, (counts.get(span) ?? 0) + 1)
  let mass = 0
  for (const [span, count] of counts)
    if (count >= least) mass += count
    else counts.delete(span)
  return mass > leastMass * all ? insideTemplates(texts, counts, sketcher, cuts[shingles].span) : new Int32Array()
}

/**
 * The frequent spans that lie inside a template in at least half of the places where they stand: those that reach over
 * an edge have something of the text's own.
 */
function insideTemplates(
  texts: readonly string[],
  counts: ReadonlyMap<number, number>,
  sketcher: Sketcher,
  span: number,
): Int32Array {
  const places = new Map<number, { inside: number; outside: number }>()
  for (const text of texts) {
    const spans = sketcher.everySpan(text)
    const found = Array.from(spans, (hash) => counts.get(hash) ?? 0)
    if (!found.some((count) => count > 0)) continue
    const outside = new Uint8Array(spans.length)
    for (let at = 1; at < spans.length; at += 1) {
      const [before, after] = [found[at - 1] as number, found[at] as number]
      // All that hold the unit after the edge, or the unit before it.
      if (isEdge(before, after)) outside.fill(1, at, at + span)
      if (isEdge(after, before)) outside.fill(1, Math.max(0, at - span), at)
    }
    for (let at = 0; at < spans.length; at += 1) {
      if (found[at] === 0) continue
      const place = places.get(spans[at] as number) ?? { inside: 0, outside: 0 }
      if (outside[at] === 1) place.outside += 1
      else place.inside += 1
      places.set(spans[at] as number, place)
    }
  }
  return Int32Array.from([...places].flatMap(([hash, { inside, outside }]) => (inside >= outside ? [hash] : []))).sort()
}

/**
 * About so many of the texts (20,000, in which frequent spans show): all of few, else those with the least hashes, so
 * that their order does not matter.
 */
export function sampleOf(texts: readonly string[], most = mostTexts): readonly string[] {
  if (texts.length <= most) return texts
  const sample = new TextSample(most)
  for (const text of texts) sample.add(text)
  return sample.texts()
}

/**
 * The sample of texts that come one by one. Has at most twice as many different texts as it gives, whatever their
 * number.
 */
export class TextSample {
  readonly #most: number
  // By their hashes: a map by whole texts would read each of them to its end.
  readonly #texts = new Map<number, SampledText>()
  #count = 0
  #different = 0
  /** Texts with greater hashes are not among the least any more. */
  #last = 0xffffffff

  /**
   * Where it is known that so many texts will come, about, most of them are passed over from the beginning. Then the
   * sample of texts of which three in four are copies of a few may have fewer.
   */
  constructor(most = mostTexts, expected = 0) {
    this.#most = most
    if (expected > spare * most) this.#last = Math.floor((0xffffffff * spare * most) / expected)
  }

  add(text: string, times = 1): void {
    this.addHashed(text, roughHash(text), times)
  }

  /** Adds a text whose `roughHash` is known. */
  addHashed(text: string, hash: number, times = 1): void {
    if (hash > this.#last) return
    const first = this.#texts.get(hash)
    let known = first
    while (known !== undefined && known.text !== text) known = known.next
    if (known !== undefined) known.count += times
    else {
      this.#texts.set(hash, { text, count: times, next: first })
      this.#different += 1
    }
    this.#count += times
    if (this.#different > 2 * this.#most) this.#cut()
  }

  /**
   * The different texts of the sample, each with how often it came: added to another sample, they make that of all
   * texts of both.
   */
  counts(): (readonly [text: string, times: number])[] {
    this.#cut()
    return [...this.#texts.values()].flatMap((first) => chain(first).map(({ text, count }) => [text, count] as const))
  }

  texts(): string[] {
    return this.counts().flatMap(([text, count]) => (count === 1 ? text : Array<string>(count).fill(text)))
  }

  #cut(): void {
    if (this.#count <= this.#most) return
    let before = 0
    for (const hash of Float64Array.from(this.#texts.keys()).sort()) {
      if (before < this.#most) {
        this.#last = hash
        for (const { count } of chain(this.#texts.get(hash))) before += count
        continue
      }
      for (const { count } of chain(this.#texts.get(hash))) {
        this.#count -= count
        this.#different -= 1
      }
      this.#texts.delete(hash)
    }
  }
}

interface SampledText {
  readonly text: string
  count: number
  /** Another text with the same hash. */
  readonly next: SampledText | undefined
}

function chain(first: SampledText | undefined): SampledText[] {
  const texts: SampledText[] = []
  for (let text = first; text !== undefined; text = text.next) texts.push(text)
  return texts
}

const spare = 4

/** The first of each that are equal when they are folded. */
export function distinctTexts(texts: readonly string[], sketcher: Sketcher): string[] {
  const seen = new Set<number>()
  return texts.filter((text) => {
    // 53 bits are plenty for so few texts.
    const print = printNumber(...sketcher.fingerprint(text))
    return !seen.has(print) && seen.add(print)
  })
}

/** By 64 characters from all over the text: its whole need not be read. */
export function roughHash(text: string): number {
  if (text.length <= 64) return hashText(text)
  const step = text.length / 64
  let hash = hashStart
  for (let place = 0; place < text.length; place += step) hash = joinCharacter(hash, text.charCodeAt(Math.trunc(place)))
  const { length } = text
  for (const digit of String(length)) hash = joinCharacter(hash, digit.charCodeAt(0))
  return mixBits(hash)
}
