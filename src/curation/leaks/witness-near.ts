import { hashText } from "../text/hashing.ts"
import { distinctSorted } from "./witness-texts.ts"
import type { WitnessIndex } from "./witness-index.ts"
import { mayHave } from "./witness-windows.ts"

/** A row that may be near a held-out text. */
export interface NearCandidate {
  readonly id: string
  /** Its distinct shingles, from the least to the greatest. */
  readonly set: Uint32Array
  /** So many of them that a near text has one of these; those that the fewest texts have. */
  readonly rare: Uint32Array
  /** How many texts have one of those, counted once for each. */
  readonly pairs: number
}

export interface NearText {
  readonly place: number
  readonly similarity: number
}

/** Of the rows that share enough with held-out texts, how many were compared with them. */
export interface NearCount {
  readonly candidates: number
  readonly compared: number
  /** The pairs that share a rare shingle. */
  readonly pairs: number
  /** The least share of its candidates that a batch of rows was compared by; 1 for all. */
  readonly share: number
}

/** Of a batch of rows about so many pairs are compared, and beyond that those of a sample of its candidates. */
export const mostPairs = 2_000_000

/**
 * Finds the held-out text that a row is nearest to, if any is near it. A text that is near a set shares so many of its
 * shingles that any choice of the others and one more has one that both have: the shingles with the fewest texts are
 * chosen, and their texts compared. Misses none among the rows that it compares.
 */
export class NearWitness {
  readonly #index: WitnessIndex
  readonly #seenBy: Uint32Array
  #asked = 0
  readonly #bits = new Int32Array(64)

  constructor(index: WitnessIndex) {
    this.#index = index
    this.#seenBy = new Uint32Array(index.ids.length)
  }

  /** The row with its shingles, in any order and with repeats; undefined where no text can be near it. */
  candidate(id: string, shingles: Uint32Array): NearCandidate | undefined {
    if (this.#isFar(shingles)) return undefined
    const { near } = this.#index
    const set = distinctSorted(shingles)
    const shift = 32 - near.bits
    // As many texts as have the shingle or one of its bucket, then the shingle's place in the set.
    const order = Float64Array.from(set, (hash, index) => {
      const bucket = hash >>> shift
      return ((near.starts[bucket + 1] as number) - (near.starts[bucket] as number)) * 2 ** 20 + index
    }).sort()
    const rare = order.subarray(0, this.#missesAllowed(set.length) + 1)
    const pairs = rare.reduce((sum, key) => sum + Math.floor(key / 2 ** 20), 0)
    if (pairs === 0) return undefined
    return { id, set, rare: Uint32Array.from(rare, (key) => set[key % 2 ** 20] as number), pairs }
  }

  /** The most similar text at or above the threshold, of equals the one with the smallest id. */
  nearest({ set, rare }: NearCandidate): NearText | undefined {
    const { near, threshold, setEnds } = this.#index
    this.#asked += 1
    let best: NearText | undefined
    for (const hash of rare) {
      const bucket = hash >>> (32 - near.bits)
      const until = near.starts[bucket + 1] as number
      for (let at = near.starts[bucket] as number; at < until; at += 1) {
        const place = near.values[at] as number
        if (this.#seenBy[place] === this.#asked) continue
        this.#seenBy[place] = this.#asked
        const from = place === 0 ? 0 : (setEnds[place - 1] as number)
        const size = (setEnds[place] as number) - from
        if (Math.min(size, set.length) < threshold * Math.max(size, set.length) - tolerance) continue
        const both = this.#shared(set, from, size)
        const similarity = both / (set.length + size - both)
        if (similarity < threshold) continue
        if (!best || similarity > best.similarity || (similarity === best.similarity && place < best.place))
          best = { place, similarity }
      }
    }
    return best
  }

  /** True only where so many different shingles are in no text that none can be near. */
  #isFar(shingles: Uint32Array): boolean {
    const { near } = this.#index
    const bits = this.#bits
    let missesLeft = this.#missesAllowed(shingles.length)
    bits.fill(0)
    for (let index = 0; index < shingles.length; index += 1) {
      const hash = shingles[index] as number
      if (mayHave(near, hash)) continue
      // A shingle that comes twice counts once; now and then two count as one.
      const bit = 1 << (hash & 31)
      const word = (hash >>> 5) & 63
      if (((bits[word] as number) & bit) !== 0) continue
      bits[word] = (bits[word] as number) | bit
      if (--missesLeft < 0) return true
    }
    return false
  }

  /** How many shingles of a set a near text may lack. */
  #missesAllowed(size: number): number {
    return size - Math.ceil(this.#index.threshold * size - tolerance)
  }

  /** How many shingles both have; any number too low for the threshold where that is out of reach. */
  #shared(set: Uint32Array, from: number, size: number): number {
    const { sets, threshold } = this.#index
    const end = from + size
    const least = Math.ceil((threshold / (1 + threshold)) * (set.length + size) - tolerance)
    let [ownLeft, otherLeft] = [set.length - least, size - least]
    let shared = 0
    for (let own = 0, other = from; own < set.length && other < end && ownLeft >= 0 && otherLeft >= 0; ) {
      const left = set[own] as number
      const right = sets[other] as number
      if (left === right) shared += 1
      else if (left < right) ownLeft -= 1
      else otherLeft -= 1
      if (left <= right) own += 1
      if (right <= left) other += 1
    }
    return shared
  }
}

// Of products of fractions.
const tolerance = 1e-6

/**
 * Those of the candidates of one batch that are compared: all, or a sample of about that share, which follows from the
 * seed and their ids.
 */
export function sampled(candidates: readonly NearCandidate[], share: number, seed: number): readonly NearCandidate[] {
  return share === 1 ? candidates : candidates.filter(({ id }) => hashText(`${seed} ${id}`) < share * 2 ** 32)
}

/**
 * How many rows may be near a held-out text although none of the compared rows is: more than so many would show in the
 * sample 19 times in 20.
 */
export function mostMissed({ candidates, compared, share }: NearCount): number {
  if (share === 1) return 0
  return Math.min(candidates - compared, Math.floor(Math.log(0.05) / Math.log(1 - share)))
}
