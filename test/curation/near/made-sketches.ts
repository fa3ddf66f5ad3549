import fc from "fast-check"
import { bitSketchNumbers } from "../../../src/curation/near/bit-sketch.ts"
import type { Sketch } from "../../../src/curation/near/similar-sets.ts"

export const bands = 3

/** A set with the keys that its least hashes are, so that alike sets share some. */
export function sketchOf(hashes: readonly number[]): Sketch {
  const distinct = [...new Set(hashes)]
  const bitSketch = new Array<number>(bitSketchNumbers).fill(0)
  for (const hash of distinct) {
    const bit = (hash >>> 3) % (32 * bitSketchNumbers)
    bitSketch[bit >>> 5] = (bitSketch[bit >>> 5] as number) ^ (1 << (bit & 31))
  }
  const sorted = distinct.toSorted((a, b) => a - b)
  const keys = Array.from(
    { length: bands },
    (_, band) => Math.imul(sorted[band % sorted.length] as number, 0x9e3779b1) + band,
  )
  const numbers = Int32Array.from([...bitSketch, ...keys, ...distinct])
  return { numbers, bitSketch: 0, keys: bitSketchNumbers, hashes: bitSketchNumbers + bands, size: distinct.length }
}

export function jaccard(a: readonly number[], b: readonly number[]): number {
  const [first, second] = [new Set(a), new Set(b)]
  const shared = [...first].filter((hash) => second.has(hash)).length
  return shared / (first.size + second.size - shared)
}

/** Whether they have an equal key in a band. */
export const shareKey = (a: Sketch, b: Sketch) =>
  Array.from({ length: bands }, (_, band) => band).some((band) => a.numbers[a.keys + band] === b.numbers[b.keys + band])

/** Of few different hashes, so that many sets are near. */
export const hashes = fc
  .array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 14 })
  .map((all) => all.map((hash) => Math.imul(hash, 0x01000193)))
