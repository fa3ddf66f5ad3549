import { foldForComparison } from "./normalise.ts"

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

/** The vocabulary of the texts, weighted: words, pairs of words and character 3- and 4-grams of the folded text, with sublinear term frequency and
 * smoothed inverse document frequency (Salton and Buckley 1988). The words of a text make a vector of length 1, its characters another. Features
 * that the texts lack are ignored. Equal texts in equal order give equal numbers. */
export function textFeatures(texts: readonly string[]): TextFeatures {
  const places = new Map<string, number>()
  const documents: number[] = []
  for (const text of texts)
    for (const terms of Object.values(termsOf(text)))
      for (const term of terms.keys()) {
        const place = places.get(term)
        if (place === undefined) documents[places.set(term, places.size).size - 1] = 1
        else documents[place] = (documents[place] ?? 0) + 1
      }
  const rarity = Float64Array.from(documents, (count) => Math.log((1 + texts.length) / (1 + count)) + 1)
  return {
    size: places.size,
    vectorOf(text) {
      const weigh = ([term, count]: [string, number]): [number, number][] => {
        const place = places.get(term)
        return place === undefined ? [] : [[place, (1 + Math.log(count)) * (rarity[place] ?? 0)]]
      }
      const entries = Object.values(termsOf(text)).flatMap((terms) => unitLength([...terms].flatMap(weigh)))
      entries.sort((a, b) => a[0] - b[0])
      return { features: Int32Array.from(entries, ([place]) => place), values: Float64Array.from(entries, ([, value]) => value) }
    },
  }
}

/** How often each term occurs, words and characters apart. */
function termsOf(text: string): { words: Map<string, number>; characters: Map<string, number> } {
  const folded = foldForComparison(text)
  const words = new Map<string, number>()
  const characters = new Map<string, number>()
  const tokens = folded.split(" ")
  for (const [index, token] of tokens.entries()) {
    count(words, `w ${token}`)
    if (index > 0) count(words, `w ${tokens[index - 1]} ${token}`)
  }
  const points = [...` ${folded} `]
  for (const size of [3, 4])
    for (let start = 0; start + size <= points.length; start += 1) count(characters, `c${points.slice(start, start + size).join("")}`)
  return { words, characters }
}

function count(terms: Map<string, number>, term: string): void {
  terms.set(term, (terms.get(term) ?? 0) + 1)
}

function unitLength(entries: readonly [number, number][]): [number, number][] {
  const length = Math.sqrt(entries.reduce((sum, [, value]) => sum + value * value, 0))
  return entries.map(([place, value]) => [place, value / length])
}
