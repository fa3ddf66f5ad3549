import { foldForComparison, isPlain, isSign } from "../text/normalise.ts"

/** The ways to cut a text into shingles: runs of characters of the folded text, or of its words. */
export type ShinglerName = "char-4" | "word-5"

/**
 * Of how many units a shingle is made: words and signs, or characters; and of how many a span, which is boilerplate or
 * not: 20 characters are about as long as 5 words. What is left of a text between such spans is cut stretch by stretch,
 * and what is shorter than a shingle is one shingle. A text that is nothing but boilerplate is cut whole.
 */
export const cuts = { "word-5": { size: 5, span: 5 }, "char-4": { size: 4, span: 20 } } as const

/**
 * A span is boilerplate from this share of the different texts on, and from so many texts: in a hundred texts on one
 * subject single phrases are in many. Of fewer than twice as many texts half must have it, and `fewestTexts`. Where
 * such spans make up less than `leastMass` of all they are left alone: phrases of the subject, not a template. A span
 * that reaches over the edge of a template is none: see `isEdge`.
 */
export const boilerplateRule = { leastShare: 0.01, leastTexts: 20, fewestTexts: 8, leastMass: 0.05 } as const

/** In how many of so many different texts a span is frequent. */
export function leastFrequent(texts: number): number {
  const { leastShare, leastTexts, fewestTexts } = boilerplateRule
  return Math.max(Math.min(leastTexts, Math.ceil(texts / 2)), fewestTexts, Math.ceil(leastShare * texts))
}

/**
 * Whether a template ends between two spans that follow one another in a text: so many texts go on with less than half
 * of those that have it. What comes after the edge is the text's own, however many texts begin alike there.
 */
export function isEdge(inside: number, beyond: number): boolean {
  return 2 * beyond < inside
}

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

/**
 * By the median of the sample. `ownShingles` says how many different shingles of five words a text has beside its
 * templates: what is compared of a text is long only if these are many.
 */
export function chooseShingles(sample: readonly string[], ownShingles?: (text: string) => number): ShinglerName {
  const measures = sample.map((text) => {
    const words = wordsOf(text)
    const length = words.reduce((sum, word) => sum + word.length + 1, 0) / Math.max(1, words.length)
    return { count: Math.min(words.length, ownShingles?.(text) ?? Infinity), length }
  })
  const isLong = median(measures.map(({ count }) => count)) >= shortWords
  return isLong && median(measures.map(({ length }) => length)) <= longestWord ? "word-5" : "char-4"
}

/** The words of the folded text; of a plain one as it stands, where they are as many and as long. */
function wordsOf(text: string): readonly string[] {
  if (isPlain(text)) return text.match(/[a-z0-9]+/gi) ?? []
  return foldForComparison(text)
    .split(" ")
    .filter((token) => !isSign(token))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
