import { mixBits, joinHash } from "./hashing.ts"
import { recordKeys } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"
import type { SharedKeys } from "./shared-keys.ts"

/** Shares rows out for comparison: those that share a band key, directly or through others, come to the same share, so that rows of different shares are
 * near by no key. Rows that share no key with any other are in none. Shares are as even as groups are: one large group stays whole.
 *
 * `shared` has noted the first `bands` keys of all the rows. Disjoint sets (Tarjan 1975). */
export function shareOut(records: RowRecords, rows: Uint32Array, bands: number, shared: SharedKeys, shares: number): Uint32Array<ArrayBuffer>[] {
  const groups = new KeyGroups(rows.length)
  const isAlone = new Uint8Array(rows.length)
  for (const [place, row] of rows.entries()) {
    const { numbers, start } = records.place(row)
    isAlone[place] = 1
    for (let band = 0; band < bands; band += 1) {
      const key = numbers[start + recordKeys + band] as number
      if (!shared.isShared(key, band)) continue
      isAlone[place] = 0
      groups.note(mixBits(joinHash(key, band + 1)), place)
    }
  }
  const sizes = new Uint32Array(rows.length)
  for (let place = 0; place < rows.length; place += 1) if (isAlone[place] === 0) sizes[groups.of(place)] = (sizes[groups.of(place)] as number) + 1
  // The largest groups first, each to the share that has least.
  const shareOf = new Uint8Array(rows.length)
  const filled = new Uint32Array(shares)
  const heads = Uint32Array.from(rows.keys()).filter((place) => (sizes[place] as number) > 0)
  for (const head of heads.sort((a, b) => (sizes[b] as number) - (sizes[a] as number) || a - b)) {
    const least = filled.indexOf(Math.min(...filled))
    shareOf[head] = least
    filled[least] = (filled[least] as number) + (sizes[head] as number)
  }
  const out = Array.from(filled, (count) => new Uint32Array(count))
  filled.fill(0)
  for (let place = 0; place < rows.length; place += 1) {
    if (isAlone[place] === 1) continue
    const share = shareOf[groups.of(place)] as number
    ;(out[share] as Uint32Array)[filled[share] as number] = rows[place] as number
    filled[share] = (filled[share] as number) + 1
  }
  return out
}

/** Places that are joined by the keys that they have in common. Keys of 32 bits may meet by chance: then a group is larger than need be. */
class KeyGroups {
  readonly #parents: Uint32Array
  /** Pairs of a key and a place with it plus one, in open addressing, at most half full. */
  #pairs = new Int32Array(2 * 1024)
  #count = 0

  constructor(places: number) {
    this.#parents = Uint32Array.from({ length: places }, (_, place) => place)
  }

  of(place: number): number {
    const parents = this.#parents
    let at = place
    while (parents[at] !== at) {
      const next = parents[parents[at] as number] as number
      parents[at] = next
      at = next
    }
    return at
  }

  note(key: number, place: number): void {
    const pairs = this.#pairs
    const mask = pairs.length / 2 - 1
    let slot = key & mask
    while (pairs[2 * slot + 1] !== 0 && pairs[2 * slot] !== (key | 0)) slot = (slot + 1) & mask
    const other = (pairs[2 * slot + 1] as number) - 1
    if (other >= 0) {
      this.#join(other, place)
      return
    }
    pairs[2 * slot] = key
    pairs[2 * slot + 1] = place + 1
    if (4 * ++this.#count > pairs.length) this.#grow()
  }

  #join(a: number, b: number): void {
    const [first, second] = [this.of(a), this.of(b)]
    if (first !== second) this.#parents[Math.max(first, second)] = Math.min(first, second)
  }

  #grow(): void {
    const old = this.#pairs
    const pairs = new Int32Array(2 * old.length)
    const mask = pairs.length / 2 - 1
    for (let index = 0; index < old.length; index += 2) {
      if (old[index + 1] === 0) continue
      let slot = (old[index] as number) & mask
      while (pairs[2 * slot + 1] !== 0) slot = (slot + 1) & mask
      pairs[2 * slot] = old[index] as number
      pairs[2 * slot + 1] = old[index + 1] as number
    }
    this.#pairs = pairs
  }
}
