import { recordKeys } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"

/** Shares rows out for comparison: those that share one of the first `bands` keys, directly or through others, come to the same share, so that rows of
 * different shares are near by no key. Rows that share no key with any other are in none. Shares are as even as groups are: one large group stays whole.
 *
 * Disjoint sets (Tarjan 1975). Memory: 4 bytes a key, and 17 bytes a row. */
export function shareOut(records: RowRecords, rows: Uint32Array, bands: number, shares: number): Uint32Array<ArrayBuffer>[] {
  const groups = new Groups(rows.length)
  for (const keys of keysOf(records, rows, bands)) joinEqual(keys, groups)
  const sizes = new Uint32Array(rows.length)
  for (let place = 0; place < rows.length; place += 1) {
    const head = groups.of(place)
    sizes[head] = (sizes[head] as number) + 1
  }
  // The largest groups first, each to the share that has least.
  const shareOf = new Uint8Array(rows.length)
  const filled = new Uint32Array(shares)
  const heads = Uint32Array.from(rows.keys()).filter((place) => (sizes[place] as number) > 1)
  for (const head of heads.sort((a, b) => (sizes[b] as number) - (sizes[a] as number) || a - b)) {
    const least = filled.indexOf(Math.min(...filled))
    shareOf[head] = least
    filled[least] = (filled[least] as number) + (sizes[head] as number)
  }
  const out = Array.from(filled, (count) => new Uint32Array(count))
  filled.fill(0)
  for (let place = 0; place < rows.length; place += 1) {
    const head = groups.of(place)
    if (sizes[head] === 1) continue
    const share = shareOf[head] as number
    ;(out[share] as Uint32Array)[filled[share] as number] = rows[place] as number
    filled[share] = (filled[share] as number) + 1
  }
  return out
}

/** The keys of the rows, band by band. */
function keysOf(records: RowRecords, rows: Uint32Array, bands: number): Int32Array[] {
  const keys = Array.from({ length: bands }, () => new Int32Array(rows.length))
  for (let place = 0; place < rows.length; place += 1) {
    const { numbers, start } = records.place(rows[place] as number)
    for (let band = 0; band < bands; band += 1) (keys[band] as Int32Array)[place] = numbers[start + recordKeys + band] as number
  }
  return keys
}

/** Joins the places that have equal keys. The keys are parted by their first bits first, so that what is looked up lies close together: a table of all of
 * them would be waited for at every key. */
function joinEqual(keys: Int32Array, groups: Groups): void {
  const bits = Math.max(1, Math.ceil(Math.log2(keys.length / keysAPart)))
  const shift = 32 - bits
  const ends = new Uint32Array(2 ** bits + 1)
  for (let place = 0; place < keys.length; place += 1) {
    const part = ((keys[place] as number) >>> shift) + 1
    ends[part] = (ends[part] as number) + 1
  }
  for (let part = 1; part < ends.length; part += 1) ends[part] = (ends[part] as number) + (ends[part - 1] as number)
  const places = new Uint32Array(keys.length)
  // Afterwards each part ends where it is said that the next one begins.
  for (let place = 0; place < keys.length; place += 1) {
    const part = (keys[place] as number) >>> shift
    const at = ends[part] as number
    places[at] = place
    ends[part] = at + 1
  }
  let table = new Int32Array(4 * keysAPart)
  for (let part = 0; part < 2 ** bits; part += 1) {
    const [from, until] = [part === 0 ? 0 : (ends[part - 1] as number), ends[part] as number]
    while (table.length < 2 * (until - from)) table = new Int32Array(2 * table.length)
    const mask = table.length - 1
    table.fill(0)
    for (let index = from; index < until; index += 1) {
      const place = places[index] as number
      const key = keys[place] as number
      let slot = key & mask
      while (table[slot] !== 0 && keys[(table[slot] as number) - 1] !== key) slot = (slot + 1) & mask
      if (table[slot] === 0) table[slot] = place + 1
      else groups.join((table[slot] as number) - 1, place)
    }
  }
}

const keysAPart = 1024

class Groups {
  readonly #parents: Uint32Array

  constructor(places: number) {
    this.#parents = new Uint32Array(places)
    for (let place = 0; place < places; place += 1) this.#parents[place] = place
  }

  /** The first place of the group. */
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

  join(a: number, b: number): void {
    const [first, second] = [this.of(a), this.of(b)]
    if (first !== second) this.#parents[Math.max(first, second)] = Math.min(first, second)
  }
}
