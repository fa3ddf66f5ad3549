import { Groups } from "./groups.ts"
import { recordKeys } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"

/** Rows group by group, each group up to its end. */
export interface RowGroups {
  readonly rows: Uint32Array<ArrayBuffer>
  readonly ends: Uint32Array<ArrayBuffer>
}

/**
 * For each row, by its place, a place before or at it with which it shares one of the keys from the band `from` on to
 * before `until`, directly or through others; the same for all that do. Memory: 4 bytes a key, and 16 bytes a row.
 */
export function joinByKeys(
  records: RowRecords,
  rows: Uint32Array,
  from: number,
  until: number,
): Uint32Array<ArrayBuffer> {
  const bands = Array.from({ length: until - from }, () => new Int32Array(rows.length))
  for (let place = 0; place < rows.length; place += 1) {
    const { numbers, start } = records.place(rows[place] as number)
    for (let band = 0; band < bands.length; band += 1)
      (bands[band] as Int32Array)[place] = numbers[start + recordKeys + from + band] as number
  }
  return joinKeys(bands)
}

/** The same for rows that are known by their places in `bands`, which has the keys of all of them, band by band. */
export function joinKeys(bands: readonly Int32Array[]): Uint32Array<ArrayBuffer> {
  const count = bands[0]?.length ?? 0
  const groups = new Groups(count)
  const joiner = new KeyJoiner(groups, count)
  for (const keys of bands) joiner.join(keys)
  return groups.roots()
}

/**
 * The groups that follow from the places that were joined, perhaps by several, of the rows that are wanted; a row alone
 * is in none.
 */
export function groupsOf(
  rows: Uint32Array,
  joined: readonly Uint32Array[],
  isWanted: (row: number) => boolean,
): RowGroups {
  const groups = new Groups(rows.length)
  for (const roots of joined)
    for (let place = 0; place < rows.length; place += 1) groups.join(roots[place] as number, place)
  const sizes = new Uint32Array(rows.length)
  for (let place = 0; place < rows.length; place += 1) {
    if (!isWanted(rows[place] as number)) continue
    const root = groups.of(place)
    sizes[root] = (sizes[root] as number) + 1
  }
  let [count, all] = [0, 0]
  for (const size of sizes) {
    if (size < 2) continue
    count += 1
    all += size
  }
  const grouped = { rows: new Uint32Array(all), ends: new Uint32Array(count) }
  const next = new Uint32Array(rows.length)
  let [group, end] = [0, 0]
  for (const [root, size] of sizes.entries()) {
    if (size < 2) continue
    next[root] = end
    end += size
    grouped.ends[group++] = end
  }
  for (let place = 0; place < rows.length; place += 1) {
    const root = groups.of(place)
    if ((sizes[root] as number) < 2 || !isWanted(rows[place] as number)) continue
    const at = next[root] as number
    grouped.rows[at] = rows[place] as number
    next[root] = at + 1
  }
  return grouped
}

/** Shows `visit` the rows of each group. */
export function eachGroup({ rows, ends }: RowGroups, visit: (rows: Uint32Array<ArrayBuffer>) => void): void {
  let start = 0
  for (const end of ends) {
    visit(rows.subarray(start, end))
    start = end
  }
}

/** Shares groups out, each whole, as evenly as that allows: the groups larger than a share's worth first. */
export function shareOut(groups: RowGroups, shares: number): RowGroups[] {
  const filled = Array<number>(shares).fill(0)
  const parts = filled.map((): Uint32Array<ArrayBuffer>[] => [])
  const give = (rows: Uint32Array<ArrayBuffer>) => {
    const least = filled.indexOf(Math.min(...filled))
    filled[least] = (filled[least] as number) + rows.length
    parts[least]?.push(rows)
  }
  const large: Uint32Array<ArrayBuffer>[] = []
  eachGroup(groups, (rows) => rows.length > largeGroup && large.push(rows))
  for (const rows of large.sort((a, b) => b.length - a.length)) give(rows)
  eachGroup(groups, (rows) => {
    if (rows.length <= largeGroup) give(rows)
  })
  return parts.map((part, share) => {
    const out = { rows: new Uint32Array(filled[share] as number), ends: new Uint32Array(part.length) }
    let end = 0
    for (const [index, rows] of part.entries()) {
      out.rows.set(rows, end)
      end += rows.length
      out.ends[index] = end
    }
    return out
  })
}

const largeGroup = 1024

/** Joins the places that have equal keys. */
class KeyJoiner {
  readonly #groups: Groups
  /**
   * A bit for the first digits of a key: whether a key with them was met, and whether another one was. Most keys are
   * nobody else's, and need no table.
   */
  readonly #met: Int32Array
  readonly #metAgain: Int32Array
  readonly #shift: number
  /** Pairs of a key and its first place plus one, in open addressing, at most half full. */
  #table = new Int32Array(2 * 1024)

  constructor(groups: Groups, keys: number) {
    this.#groups = groups
    const bits = Math.min(32, Math.max(10, Math.ceil(Math.log2(bitsAKey * (keys + 1)))))
    this.#met = new Int32Array(2 ** (bits - 5))
    this.#metAgain = new Int32Array(2 ** (bits - 5))
    this.#shift = 32 - bits
  }

  join(keys: Int32Array): void {
    const [met, again, shift] = [this.#met.fill(0), this.#metAgain.fill(0), this.#shift]
    let shared = 0
    for (let place = 0; place < keys.length; place += 1) {
      const digits = (keys[place] as number) >>> shift
      const bit = 1 << (digits & 31)
      const word = digits >>> 5
      if (((met[word] as number) & bit) === 0) met[word] = (met[word] as number) | bit
      else {
        again[word] = (again[word] as number) | bit
        shared += 1
      }
    }
    let slots = this.#table.length / 2
    while (slots < 4 * shared) slots *= 2
    if (this.#table.length < 2 * slots) this.#table = new Int32Array(2 * slots)
    else this.#table.fill(0)
    for (let place = 0; place < keys.length; place += 1) {
      const digits = (keys[place] as number) >>> shift
      if (((again[digits >>> 5] as number) & (1 << (digits & 31))) !== 0) this.#join(keys[place] as number, place)
    }
  }

  #join(key: number, place: number): void {
    const table = this.#table
    const mask = table.length / 2 - 1
    let slot = key & mask
    while (table[2 * slot + 1] !== 0 && table[2 * slot] !== key) slot = (slot + 1) & mask
    if (table[2 * slot + 1] === 0) {
      table[2 * slot] = key
      table[2 * slot + 1] = place + 1
    } else this.#groups.join((table[2 * slot + 1] as number) - 1, place)
  }
}

const bitsAKey = 16
