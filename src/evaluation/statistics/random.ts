/** Random numbers that are the same for the same seed on every machine. */
export interface Random {
  /** A whole number in 0..2³²−1, evenly spread. */
  next(): number
  /** A whole number in 0..bound−1; the bias is below bound / 2³². */
  below(bound: number): number
}

/**
 * A generator that gives the same numbers for the same seed: xoshiro128** (Blackman and Vigna 2021,
 * https://prng.di.unimi.it), its state filled from the seed by SplitMix32. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  const fill = splitMix(seed)
  let a = fill()
  let b = fill()
  let c = fill()
  let d = fill()
  const next = () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotateLeft(d, 11)
    return result
  }
  return { next, below: (bound) => Math.floor((next() / 2 ** 32) * bound) }
}

function splitMix(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
