import type { WitnessIndex } from "./witness-index.ts"
import type { WordHashes } from "../text/word-hashes.ts"
import { gramHashes, mayHave, windowHashes } from "./witness-windows.ts"

/**
 * Finds the n-grams of held-out texts that a text has; an n-gram is known by where in the index's words it begins, the
 * first such place of those that are equal.
 */
export class GramWitness {
  readonly #index: WitnessIndex
  #hashes = new Uint32Array(256)

  constructor(index: WitnessIndex) {
    this.#index = index
  }

  /** Shows `visit` each n-gram of the words that a held-out text has. */
  eachMet({ words: all, bareWords, wordCount: count }: WordHashes, visit: (gram: number) => void): void {
    const { grams, ngram } = this.#index
    if (grams.values.length === 0 || count < ngram) return
    if (count > this.#hashes.length) this.#hashes = new Uint32Array(2 * count)
    const [words, bare] = [all.subarray(0, count), bareWords.subarray(0, count)]
    const windows = gramHashes(words, bare, ngram, this.#hashes)
    for (let start = 0; start < windows; start += 1) {
      const hash = this.#hashes[start] as number
      if (!mayHave(grams, hash)) continue
      const place = this.#places(hash, { words, bare, start }, 1)[0] ?? -1
      if (place >= 0) visit(place)
    }
  }

  /**
   * Of the n-grams those that leak, each with the smallest id of the texts that have it as words of their own: outside
   * the runs of so many words that are common.
   */
  leaking(
    met: Iterable<number>,
    common: { readonly runs: ReadonlySet<number>; readonly length: number },
  ): Map<number, string> {
    const { words, bare, ngram, grams } = this.#index
    const leaking = new Map<number, string>()
    const isOwn = this.#ownWords(common)
    for (const gram of met) {
      const into = new Uint32Array(1)
      gramHashes(words.subarray(gram, gram + ngram), bare.subarray(gram, gram + ngram), ngram, into)
      const asked = { words, bare, start: gram }
      const texts = this.#places(into[0] as number, asked, grams.values.length).flatMap((place) =>
        isOwn(place) ? [this.#textAt(place)] : [],
      )
      const first = texts.reduce((least, text) => Math.min(least, text), Infinity)
      if (first < Infinity) leaking.set(gram, this.#index.ids[first] as string)
    }
    return leaking
  }

  /** Where the n-gram of the words that begins there is in the index, at most so many places. */
  #places(
    hash: number,
    { words, bare, start }: { readonly words: Int32Array; readonly bare: Int32Array; readonly start: number },
    most: number,
  ): number[] {
    const { grams, ngram, words: known, bare: knownBare } = this.#index
    const bucket = hash >>> (32 - grams.bits)
    const until = grams.starts[bucket + 1] as number
    const places: number[] = []
    for (let at = grams.starts[bucket] as number; at < until && places.length < most; at += 1) {
      const place = grams.values[at] as number
      if (knownBare[place] !== bare[start]) continue
      let word = 1
      while (word < ngram && known[place + word] === words[start + word]) word += 1
      if (word === ngram) places.push(place)
    }
    return places
  }

  /** Whether no word of the n-gram that begins there stands in a common run of its text. */
  #ownWords({
    runs,
    length,
  }: {
    readonly runs: ReadonlySet<number>
    readonly length: number
  }): (place: number) => boolean {
    const { words, ngram } = this.#index
    if (runs.size === 0) return () => true
    const isCommon = new Map<number, boolean>()
    return (place) => {
      const [from, until] = this.#boundsOf(this.#textAt(place))
      const last = Math.min(until - length, place + ngram - 1)
      for (let start = Math.max(from, place - length + 1); start <= last; start += 1) {
        const known = isCommon.get(start) ?? runs.has(hashOf(words, start, length)[0])
        isCommon.set(start, known)
        if (known) return false
      }
      return true
    }
  }

  /** The text that has the words there. */
  #textAt(place: number): number {
    const { wordEnds } = this.#index
    let [low, high] = [0, wordEnds.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((wordEnds[middle] as number) > place) high = middle
      else low = middle + 1
    }
    return low
  }

  #boundsOf(text: number): readonly [from: number, until: number] {
    const { wordEnds } = this.#index
    return [text === 0 ? 0 : (wordEnds[text - 1] as number), wordEnds[text] as number]
  }
}

function hashOf(words: Int32Array, start: number, length: number): readonly [number] {
  const into = new Uint32Array(1)
  windowHashes(words.subarray(start, start + length), length, length, into)
  return [into[0] as number]
}
