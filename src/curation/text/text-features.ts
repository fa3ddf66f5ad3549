import { normaliseText } from "./normalise.ts"

/** A sparse vector: ascending feature numbers and their values. */
export interface SparseVector {
  readonly features: Int32Array
  readonly values: Float64Array
}

/** Turns texts into TF-IDF vectors over the features of the texts it was made from. */
export interface TextFeatures {
  readonly size: number
  vectorOf(text: string): SparseVector
}

/**
 * The vocabulary of the texts, weighted: words, pairs of words and character 3- and 4-grams of the folded text, with
 * sublinear term frequency and smoothed inverse document frequency (Salton and Buckley 1988). The words of a text make
 * a vector of length 1, its characters another. Features that the texts lack are ignored. Equal texts in equal order
 * give equal numbers.
 */
export function textFeatures(texts: readonly string[]): TextFeatures {
  const vocabularies: Vocabularies = { words: new Map(), characters: new Map() }
  const documents: number[] = []
  for (const text of texts) {
    const terms = termsOf(text)
    for (const kind of kinds)
      for (const term of terms[kind].keys()) {
        const place = vocabularies[kind].get(term)
        if (place !== undefined) documents[place] = (documents[place] as number) + 1
        else vocabularies[kind].set(term, documents.push(1) - 1)
      }
  }
  const rarity = Float64Array.from(documents, (count) => Math.log((1 + texts.length) / (1 + count)) + 1)
  return { size: documents.length, vectorOf: (text) => vectorOf(text, vocabularies, rarity) }
}

// Words and characters apart, so that neither drowns the other.
const kinds = ["words", "characters"] as const
type Kind = (typeof kinds)[number]
type Vocabularies = Readonly<Record<Kind, Map<string, number>>>

function vectorOf(text: string, vocabularies: Vocabularies, rarity: Float64Array): SparseVector {
  const terms = termsOf(text)
  const entries: { place: number; value: number }[] = []
  for (const kind of kinds) {
    const first = entries.length
    let squares = 0
    for (const [term, count] of terms[kind]) {
      const place = vocabularies[kind].get(term)
      if (place === undefined) continue
      const value = (1 + Math.log(count)) * (rarity[place] as number)
      squares += value * value
      entries.push({ place, value })
    }
    const length = Math.sqrt(squares)
    for (let index = first; index < entries.length; index += 1) (entries[index] as { value: number }).value /= length
  }
  entries.sort((a, b) => a.place - b.place)
  return {
    features: Int32Array.from(entries, ({ place }) => place),
    values: Float64Array.from(entries, ({ value }) => value),
  }
}

/** How often each term occurs. */
function termsOf(text: string): Vocabularies {
  const folded = foldToWords(text)
  const words = new Map<string, number>()
  const characters = new Map<string, number>()
  let before: string | undefined
  for (const token of folded.split(" ")) {
    count(words, token)
    if (before !== undefined) count(words, `${before} ${token}`)
    before = token
  }
  const padded = ` ${folded} `
  // Code points, so that no character is cut in two; most texts have none that could be.
  const points = /[\ud800-\udfff]/.test(padded) ? [...padded] : undefined
  const length = points?.length ?? padded.length
  for (const size of [3, 4])
    for (let start = 0; start + size <= length; start += 1)
      count(characters, points ? points.slice(start, start + size).join("") : padded.slice(start, start + size))
  return { words, characters }
}

function count(terms: Map<string, number>, term: string): void {
  terms.set(term, (terms.get(term) ?? 0) + 1)
}

/** The words of the text in small letters and compatibility forms, without punctuation where there are words. */
function foldToWords(text: string): string {
  if (plain.test(text)) {
    const lower = text.toLowerCase()
    const words = lower.replace(plainSeparators, " ").trim()
    return words === "" ? lower.replace(/\s+/g, " ").trim() : words
  }
  const lower = normaliseText(text)
    .replace(/\p{Cf}/gu, "")
    .normalize("NFKC")
    .toLowerCase()
    .normalize("NFKC")
  const words = lower.replace(/[\p{P}\s]+/gu, " ").trim()
  return words === "" ? lower.replace(/\s+/g, " ").trim() : words
}

// Most texts of most data sets: all that the longer way does to them is done by these two, in a third of the time.
const plain = /^[\t\n\x20-\x7e]*$/
const plainSeparators = /[!-#%-*,-/:;?@[-\]_{}\s]+/g
