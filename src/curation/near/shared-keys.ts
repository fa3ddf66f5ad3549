import { joinHash, mixBits } from "../text/hashing.ts"

/**
 * Which band keys come more than once among very many: a text whose keys all come once is near no other text and need
 * not be kept in memory. Misses none; takes about one in 200 others as well. Two Bloom filters of blocks of 64 bytes
 * (Bloom 1970; Putze, Sanders and Singler 2007): what was met, and what was met again.
 *
 * Memory: 3 bytes for each key that is expected.
 */
export class SharedKeys {
  readonly #met: Int32Array
  readonly #again: Int32Array

  constructor(expected: number) {
    this.#met = new Int32Array(blockNumbers * Math.max(1, Math.ceil(expected / 32)))
    this.#again = new Int32Array(blockNumbers * Math.max(1, Math.ceil(expected / 64)))
  }

  get bytes(): number {
    return this.#met.byteLength + this.#again.byteLength
  }

  /** The key was met in the band. */
  note(key: number, band: number): void {
    if (add(this.#met, key, band)) add(this.#again, key, band)
  }

  /** False only for a key that was noted once in the band, or never. */
  isShared(key: number, band: number): boolean {
    const filter = this.#again
    const hash = mixBits(joinHash(key, band + 1))
    const start = blockOf(filter, hash)
    const bits = mixBits(hash)
    for (let index = 0; index < bitsAKey; index += 1) {
      const bit = bitOf(bits, index)
      if (((filter[start + (bit >>> 5)] as number) & (1 << (bit & 31))) === 0) return false
    }
    return true
  }
}

const blockNumbers = 16
const bitsAKey = 6

/** Says whether the key may have been there before. */
function add(filter: Int32Array, key: number, band: number): boolean {
  const hash = mixBits(joinHash(key, band + 1))
  const start = blockOf(filter, hash)
  const bits = mixBits(hash)
  let wasThere = true
  for (let index = 0; index < bitsAKey; index += 1) {
    const bit = bitOf(bits, index)
    const at = start + (bit >>> 5)
    const before = filter[at] as number
    const after = before | (1 << (bit & 31))
    if (after === before) continue
    filter[at] = after
    wasThere = false
  }
  return wasThere
}

function blockOf(filter: Int32Array, hash: number): number {
  return Math.floor((hash / 2 ** 32) * (filter.length / blockNumbers)) * blockNumbers
}

/** Double hashing: one of 512 bits. */
function bitOf(bits: number, index: number): number {
  return (bits + index * ((bits >>> 9) | 1)) & 511
}
