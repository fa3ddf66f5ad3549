import type { NumberRule } from "../../core/task/number-rule.ts"
import { boilerplateOf, sampleOf } from "./boilerplate.ts"
import { chooseShingles, mostMeasured, type ShinglerName } from "./cuts.ts"
import { Sketcher, type TextCut } from "./sketcher.ts"

export { defaultThreshold, type ShinglerName } from "./cuts.ts"

/** Cuts texts into sets of shingles, all of one corpus in the same way. */
export interface Shingler extends TextCut {
  /**
   * The distinct hashes of the text's shingles, sorted; never empty: a text shorter than one shingle gives the hash of
   * the whole.
   */
  of(text: string): Uint32Array
}

/**
 * The shingler for a corpus, by the sample: character 4-grams for short texts and for writing without spaces, word
 * 5-grams for long texts; without what is boilerplate in the sample. The order of the sample does not matter; no sample
 * gives character 4-grams. Two 32-bit hashes meet by chance once in 4 billion.
 */
export function shingler(texts: readonly string[], numbers: NumberRule = "keep"): Shingler {
  const sample = sampleOf(texts)
  const { name, boilerplate } = chosenFor(sample, numbers)
  return shinglerNamed(name, boilerplate ?? boilerplateOf(sample, name, numbers), numbers)
}

/**
 * How texts like those of the sample are cut: by their median length, templates left out, so that short inputs over a
 * long prompt are compared as short texts.
 */
export function shinglesFor(sample: readonly string[], numbers: NumberRule): ShinglerName {
  return chosenFor(sample, numbers).name
}

/** With the boilerplate of texts that are cut so, where it had to be looked for. */
function chosenFor(
  sample: readonly string[],
  numbers: NumberRule,
): { readonly name: ShinglerName; readonly boilerplate?: Int32Array } {
  const measured = sampleOf(sample, mostMeasured)
  if (chooseShingles(measured) === "char-4") return { name: "char-4" }
  const boilerplate = boilerplateOf(sample, "word-5", numbers)
  if (boilerplate.length === 0) return { name: "word-5", boilerplate }
  const sketcher = new Sketcher({ shingles: "word-5", boilerplate, numbers })
  const name = chooseShingles(measured, (text) => sketcher.sketch(text).size)
  return name === "word-5" ? { name, boilerplate } : { name }
}

/**
 * The shingler for a dataset and what is held out from it, by the held-out texts where there are any: they stay the
 * same while rows are dropped, so that every check of a build cuts texts alike.
 */
export function corpusShingler(heldOut: readonly string[], rows: readonly string[], numbers?: NumberRule): Shingler {
  return shingler(heldOut.length > 0 ? heldOut : rows, numbers)
}

/** The shingler of that name. */
export function shinglerNamed(
  name: ShinglerName,
  boilerplate: Int32Array = new Int32Array(),
  numbers: NumberRule | "text" = "keep",
): Shingler {
  let sketcher: Sketcher | undefined
  return {
    name,
    boilerplate,
    numbers,
    of(text) {
      sketcher ??= new Sketcher({ shingles: name, boilerplate, numbers })
      const { numbers: array, hashes, size } = sketcher.sketch(text)
      return new Uint32Array(array.subarray(hashes, hashes + size)).sort()
    },
  }
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
