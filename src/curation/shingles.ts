import { hashText, joinHash, mixBits } from "./hashing.ts"
import { foldForComparison } from "./normalise.ts"

/** The ways to cut a text into shingles. */
export type ShinglerName = "char-4" | "word-5"

/** Cuts texts into sets of shingles, all of one corpus in the same way. */
export interface Shingler {
  readonly name: ShinglerName
  /** The distinct hashes of the text's shingles, sorted; never empty: a text shorter than one shingle gives the hash of the whole. */
  of(text: string): Uint32Array
}

/** The shingler for a corpus, by the sample's median: character 4-grams for short texts and for writing without spaces, word 5-grams for long
 * texts. The order of the sample does not matter; no sample gives character 4-grams. Two 32-bit hashes meet by chance once in 4 billion. */
export function shingler(sample: readonly string[]): Shingler {
  return shinglerNamed(chooseShingles(sample))
}

/** The shingler for a dataset and what is held out from it, by the held-out texts where there are any: they stay the same while rows are dropped,
 * so that every check of a build cuts texts alike. */
export function corpusShingler(heldOut: readonly string[], rows: readonly string[]): Shingler {
  return shingler(heldOut.length > 0 ? heldOut : rows)
}

/** The shingler of that name. */
export function shinglerNamed(name: ShinglerName): Shingler {
  return name === "char-4" ? { name, of: characterShingles } : { name, of: wordShingles }
}

/** The Jaccard similarity from which two texts are near-duplicates, when nobody says otherwise. Of one-edit copies of short queries character
 * 4-grams at 0.7 find 86 %, word 5-grams at 0.8 only 24 %: hence the choice by length. */
export function defaultThreshold(name: ShinglerName): number {
  return name === "char-4" ? 0.7 : 0.8
}

/** The Jaccard similarity of two sorted arrays without repeats: shared over all. Two empty arrays give 1. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let shared = 0
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const left = a[i] as number
    const right = b[j] as number
    if (left === right) shared += 1
    if (left <= right) i += 1
    if (right <= left) j += 1
  }
  const all = a.length + b.length - shared
  return all === 0 ? 1 : shared / all
}

const characters = 4
const words = 5
// Below this many words one edit changes too large a share of the word 5-grams.
const shortWords = 32
// Longer "words" than this are clauses of a writing without spaces.
const longestWord = 12

function chooseShingles(sample: readonly string[]): ShinglerName {
  const measures = sample.map((text) => {
    const folded = foldForComparison(text)
    const count = folded.split(" ").length
    return { count, length: folded.length / count }
  })
  const isLong = median(measures.map(({ count }) => count)) >= shortWords
  return isLong && median(measures.map(({ length }) => length)) <= longestWord ? "word-5" : "char-4"
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

function characterShingles(text: string): Uint32Array {
  const points = Array.from(foldForComparison(text), (character) => character.codePointAt(0) ?? 0)
  return runsOf(points, characters)
}

function wordShingles(text: string): Uint32Array {
  return runsOf(foldForComparison(text).split(" ").map(hashText), words)
}

/** The distinct hashes of every run of `size` units, sorted. */
function runsOf(units: readonly number[], size: number): Uint32Array {
  const length = Math.min(size, units.length)
  const hashes = new Uint32Array(units.length - length + 1)
  for (let start = 0; start < hashes.length; start += 1) {
    let hash = length
    for (let offset = 0; offset < length; offset += 1) hash = joinHash(hash, units[start + offset] as number)
    hashes[start] = mixBits(hash)
  }
  return distinctSorted(hashes)
}

function distinctSorted(hashes: Uint32Array): Uint32Array {
  hashes.sort()
  let kept = 0
  for (let index = 0; index < hashes.length; index += 1)
    if (index === 0 || hashes[index] !== hashes[index - 1]) hashes[kept++] = hashes[index] as number
  return hashes.slice(0, kept)
}
