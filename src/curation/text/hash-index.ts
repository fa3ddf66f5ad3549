/**
 * From a hash to the places that were added with it. Hashes are signed numbers of 32 bits, none zero; a place is added
 * once with a hash. Memory a hash and place: 8 bytes, and 16 to 32 for each different hash.
 */
export class HashIndex {
  /** Pairs of a hash and its last entry plus one, in open addressing, at most three quarters full. */
  #table = new Int32Array(2 * 64)
  #mask = 63
  /**
   * A bit for some of the hashes, 32 for each slot of the table: a hash whose bit is not set is not there. It is small
   * enough to stay near the processor.
   */
  #bits = new Int32Array(64)
  #different = 0
  #places = new Int32Array(64)
  /** The entry before with the same hash plus one; zero for none. */
  #before = new Int32Array(64)
  #entries = 0

  add(hash: number, place: number): void {
    if (this.#entries === this.#places.length) {
      this.#places = grown(this.#places)
      this.#before = grown(this.#before)
    }
    const slot = this.#slotOf(hash)
    const before = this.#table[2 * slot + 1] as number
    this.#places[this.#entries] = place
    this.#before[this.#entries] = before
    this.#table[2 * slot] = hash
    this.#table[2 * slot + 1] = ++this.#entries
    this.#setBit(hash)
    if (before === 0 && ++this.#different * 4 > this.#mask * 3) this.#grow()
  }

  has(hash: number): boolean {
    return this.mayHave(hash) && this.#table[2 * this.#slotOf(hash) + 1] !== 0
  }

  /** False only for a hash that is not there; true for one in 32 of these as well, at most. */
  mayHave(hash: number): boolean {
    const bits = this.#bits
    return ((bits[(hash >>> 5) & (bits.length - 1)] as number) & (1 << (hash & 31))) !== 0
  }

  /** How many of the hashes, each without `salt`, are there; where fewer than `least` may be, any number below it. */
  countIn(numbers: Int32Array, from: number, until: number, least: number, salt = 0): number {
    const bits = this.#bits
    const mask = bits.length - 1
    let possible = 0
    for (let index = from; index < until; index += 1) {
      const hash = (numbers[index] as number) ^ salt
      possible += ((bits[(hash >>> 5) & mask] as number) >>> (hash & 31)) & 1
    }
    if (possible < least) return possible
    let count = 0
    for (let index = from; index < until; index += 1) if (this.has((numbers[index] as number) ^ salt)) count += 1
    return count
  }

  /** Shows `visit` every place of the hash. */
  visit(hash: number, visit: (place: number) => void): void {
    for (let entry = this.last(hash); entry > 0; entry = this.before(entry)) visit(this.placeOf(entry))
  }

  /** The entry that was added last with the hash; zero for none. */
  last(hash: number): number {
    return this.mayHave(hash) ? (this.#table[2 * this.#slotOf(hash) + 1] as number) : 0
  }

  /** The entry with the same hash that was added before it; zero for none. */
  before(entry: number): number {
    return this.#before[entry - 1] as number
  }

  placeOf(entry: number): number {
    return this.#places[entry - 1] as number
  }

  #slotOf(hash: number): number {
    const table = this.#table
    let slot = hash & this.#mask
    while (table[2 * slot + 1] !== 0 && table[2 * slot] !== hash) slot = (slot + 1) & this.#mask
    return slot
  }

  #grow(): void {
    const old = this.#table
    this.#mask = 2 * this.#mask + 1
    this.#table = new Int32Array(2 * (this.#mask + 1))
    this.#bits = new Int32Array(this.#mask + 1)
    for (let index = 0; index < old.length; index += 2) {
      if (old[index + 1] === 0) continue
      const slot = this.#slotOf(old[index] as number)
      this.#table[2 * slot] = old[index] as number
      this.#table[2 * slot + 1] = old[index + 1] as number
      this.#setBit(old[index] as number)
    }
  }

  #setBit(hash: number): void {
    const word = (hash >>> 5) & (this.#bits.length - 1)
    this.#bits[word] = (this.#bits[word] as number) | (1 << (hash & 31))
  }
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(2 * old.length)
  longer.set(old)
  return longer
}
