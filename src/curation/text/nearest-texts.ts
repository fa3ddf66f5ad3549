import { textFeatures } from "./text-features.ts"

/** Finds the texts of a list that are most like another one. */
export interface NearestTexts {
  /**
   * The places in the list, the most similar first, with the cosine similarity of the TF-IDF vectors in 0 to 1; equally
   * similar ones in the order of the list. Texts that share no feature are left out.
   */
  find(text: string, count: number): { readonly place: number; readonly similarity: number }[]
}

/**
 * An index of the texts by their features (words, pairs of words, character 3- and 4-grams): an inverted file, so that
 * a question costs what the text shares with the list and not the length of the list times its width.
 */
export function nearestTexts(texts: readonly string[]): NearestTexts {
  const features = textFeatures(texts)
  const postings: { places: number[]; values: number[] }[] = Array.from({ length: features.size }, () => ({
    places: [],
    values: [],
  }))
  for (const [place, text] of texts.entries()) {
    const vector = unitVector(features.vectorOf(text))
    for (const [index, feature] of vector.features.entries()) {
      const posting = postings[feature]
      posting?.places.push(place)
      posting?.values.push(vector.values[index] as number)
    }
  }
  return {
    find(text, count) {
      const sums = new Float64Array(texts.length)
      const vector = unitVector(features.vectorOf(text))
      for (const [index, feature] of vector.features.entries()) {
        const { places, values } = postings[feature] as { places: number[]; values: number[] }
        const value = vector.values[index] as number
        for (let at = 0; at < places.length; at += 1) {
          const place = places[at] as number
          sums[place] = (sums[place] as number) + value * (values[at] as number)
        }
      }
      return [...sums]
        .map((similarity, place) => ({ place, similarity: Math.min(1, similarity) }))
        .filter(({ similarity }) => similarity > 0)
        .sort((a, b) => b.similarity - a.similarity || a.place - b.place)
        .slice(0, count)
    },
  }
}

/** Words and characters are vectors of length 1 each: together they are one of length 1 again. */
function unitVector(vector: ReturnType<ReturnType<typeof textFeatures>["vectorOf"]>): typeof vector {
  const length = Math.sqrt(vector.values.reduce((sum, value) => sum + value * value, 0))
  return length === 0 ? vector : { features: vector.features, values: vector.values.map((value) => value / length) }
}
