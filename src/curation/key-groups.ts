import { Groups } from "./groups.ts"
import { recordKeys } from "./row-batch.ts"
import type { RowRecords } from "./row-records.ts"

/** Rows group by group, each group up to its end. */
export interface RowGroups {
  readonly rows: Uint32Array<ArrayBuffer>
  readonly ends: Uint32Array<ArrayBuffer>
}

/** For each row, by its place, a place before or at it with which it shares one of the keys from the band `from` on to before `until`, directly or through
 * others; the same for all that do. Memory: 4 bytes a key, and 12 bytes a row. */
export function joinByKeys(records: RowRecords, rows: Uint32Array, from: number, until: number): Uint32Array<ArrayBuffer> {
  const bands = Array.from({ length: until - from }, () => new Int32Array(rows.length))
  for (let place = 0; place < rows.length; place += 1) {
    const { numbers, start } = records.place(rows[place] as number)
    for (let band = 0; band < bands.length; band += 1) (bands[band] as Int32Array)[place] = numbers[start + recordKeys + from + band] as number
  }
  return joinKeys(bands)
}

/** The same for rows that are known by their places in `bands`, which has the keys of all of them, band by band. */
export function joinKeys(bands: readonly Int32Array[]): Uint32Array<ArrayBuffer> {
  const count = bands[0]?.length ?? 0
  const groups = new Groups(count)
  const room = new Int32Array(2 * count)
  for (const keys of bands) joinEqual(keys, groups, room)
  return groups.heads()
}

/** The groups that follow from the places that were joined, perhaps by several, of the rows that are wanted; a row alone is in none. In the order of their
 * first rows. */
export function groupsOf(rows: Uint32Array, joined: readonly Uint32Array[], isWanted: (row: number) => boolean): RowGroups {
  const groups = new Groups(rows.length)
  for (const heads of joined) for (let place = 0; place < rows.length; place += 1) groups.join(heads[place] as number, place)
  const sizes = new Uint32Array(rows.length)
  for (let place = 0; place < rows.length; place += 1) {
    if (!isWanted(rows[place] as number)) continue
    const head = groups.of(place)
    sizes[head] = (sizes[head] as number) + 1
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
  for (const [head, size] of sizes.entries()) {
    if (size < 2) continue
    next[head] = end
    end += size
    grouped.ends[group++] = end
  }
  for (let place = 0; place < rows.length; place += 1) {
    const head = groups.of(place)
    if ((sizes[head] as number) < 2 || !isWanted(rows[place] as number)) continue
    const at = next[head] as number
    grouped.rows[at] = rows[place] as number
    next[head] = at + 1
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

/** Joins the places that have equal keys. Keys and places are parted by the first bits of the keys first, so that what is looked up lies close together: a table
 * of all of them would be waited for at every key. `room` has two numbers a key. */
function joinEqual(keys: Int32Array, groups: Groups, room: Int32Array): void {
  const bits = Math.max(1, Math.ceil(Math.log2(keys.length / keysAPart)))
  const shift = 32 - bits
  const ends = new Uint32Array(2 ** bits + 1)
  for (let place = 0; place < keys.length; place += 1) {
    const part = ((keys[place] as number) >>> shift) + 1
    ends[part] = (ends[part] as number) + 1
  }
  for (let part = 1; part < ends.length; part += 1) ends[part] = (ends[part] as number) + (ends[part - 1] as number)
  // Afterwards each part ends where it is said that the next one begins.
  for (let place = 0; place < keys.length; place += 1) {
    const key = keys[place] as number
    const at = ends[key >>> shift] as number
    room[2 * at] = key
    room[2 * at + 1] = place
    ends[key >>> shift] = at + 1
  }
  let table = new Int32Array(8 * keysAPart)
  for (let part = 0; part < 2 ** bits; part += 1) {
    const [from, until] = [part === 0 ? 0 : (ends[part - 1] as number), ends[part] as number]
    while (table.length < 4 * (until - from)) table = new Int32Array(2 * table.length)
    const mask = table.length / 2 - 1
    table.fill(0)
    for (let index = from; index < until; index += 1) {
      const key = room[2 * index] as number
      const place = room[2 * index + 1] as number
      let slot = key & mask
      while (table[2 * slot + 1] !== 0 && table[2 * slot] !== key) slot = (slot + 1) & mask
      if (table[2 * slot + 1] === 0) {
        table[2 * slot] = key
        table[2 * slot + 1] = place + 1
      } else groups.join((table[2 * slot + 1] as number) - 1, place)
    }
  }
}

const keysAPart = 1024
