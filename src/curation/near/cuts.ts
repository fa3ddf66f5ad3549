import { foldForComparison } from "../text/normalise.ts"

/** The ways to cut a text into shingles: runs of characters of the folded text, or of its words. */
export type ShinglerName = "char-4" | "word-5"

/**
 * Of how many units a shingle is made. A shingle is boilerplate where it lies inside a boilerplate span: 5 words, or 20
 * characters, about as long. It is left out only of a text that keeps so many shingles of its own (`fewest`): 12 words,
 * or 19 characters. A text shorter than a shingle is one shingle.
 */
export const cuts = { "word-5": { size: 5, span: 5, fewest: 8 }, "char-4": { size: 4, span: 20, fewest: 16 } } as const

/**
 * A span is boilerplate from this share of the different texts on, and from so many texts: in a hundred texts on one
 * subject single phrases are in many. Where it makes up less than `leastMass` of all spans it is left alone: phrases of
 * the subject, not a template.
 */
export const boilerplateRule = { leastShare: 0.01, leastTexts: 20, leastMass: 0.05 } as const

/** Of more texts than these a sample says what is common to many: see `TextSample`. */
export const mostTexts = 20_000

/**
 * The Jaccard similarity from which two texts are near-duplicates, when nobody says otherwise. Of one-edit copies of
 * short queries character 4-grams at 0.7 find 86 %, word 5-grams at 0.8 only 24 %: hence the choice by length.
 */
export function defaultThreshold(name: ShinglerName): number {
  return name === "char-4" ? 0.7 : 0.8
}

// So many texts tell short ones from long ones.
export const mostMeasured = 1000
// Below this many words one edit changes too large a share of the word 5-grams.
const shortWords = 32
// Longer "words" than this are clauses of a writing without spaces.
const longestWord = 12

/** By the median of the sample. */
export function chooseShingles(sample: readonly string[]): ShinglerName {
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
