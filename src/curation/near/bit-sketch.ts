/**
 * How many numbers the bit sketch of a set are: 192 bits. Bit n of all is set where an odd number of the hashes falls to
 * it (Mitzenmacher, Pagh and Pham 2014).
 */
export const bitSketchNumbers = 6

/** A set's size and bit sketch, as they lie in an array. */
export interface SetCard {
  readonly numbers: Int32Array
  readonly size: number
  readonly bitSketch: number
}

/** False only for two sets whose sizes or bit sketch rule out that their Jaccard similarity is at the threshold. */
export function mayBeNear(threshold: number, a: SetCard, b: SetCard): boolean {
  if (Math.min(a.size, b.size) < threshold * Math.max(a.size, b.size)) return false
  let differing = 0
  for (let index = 0; index < bitSketchNumbers; index += 1)
    differing += bitCount((a.numbers[a.bitSketch + index] as number) ^ (b.numbers[b.bitSketch + index] as number))
  return differing <= ((1 - threshold) / (1 + threshold)) * (a.size + b.size) + 1e-6
}

/** How many of the 32 bits are set. */
export function bitCount(bits: number): number {
  let count = bits - ((bits >>> 1) & 0x55555555)
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333)
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
