// AssemblyScript: the shingles of a text, and what is made of them.
import {
  bands,
  boilerplate,
  boilerplateMask,
  fewest,
  keys,
  lastFactor,
  minima,
  multipliers,
  bitSketch,
  rows,
  runFactor,
  runs,
  shingles,
  size,
  slots,
  slotsFor,
  span,
  units,
} from "./memory"
import { cut } from "./units"

/**
 * The distinct shingle hashes, the band keys and the fingerprint of the text of so many bytes at `textAt`; the answer
 * is the number of hashes. Below zero, and for a text that folds to nothing: what the host has to do first. A text that
 * the host has folded holds single spaces only.
 */
export function sketch(length: usize, isFolded: bool): i32 {
  const count = cut(length, isFolded)
  if (count <= 0) return <i32>count
  const distinct = shinglesOf(<u32>count)
  if (bands > 0) {
    minimise(distinct)
    keyBands()
    mark(distinct)
  }
  return <i32>distinct
}

/**
 * The distinct hashes of the text's spans, by which boilerplate is found, where `sketch` leaves its shingles; answers
 * like `sketch`.
 */
export function spans(length: usize, isFolded: bool): i32 {
  const count = cut(length, isFolded)
  if (count <= 0) return count
  if (<u32>count < span) return 0
  const all = <u32>count - span + 1
  for (let at: u32 = 0; at < all; at++) store<u32>(runs + (<usize>at << 2), hashRun(at, span))
  return <i32>distinctOf(all)
}

function hashRun(from: u32, length: u32): u32 {
  let hash: u64 = length
  const end = units + (<usize>(from + length) << 3)
  for (let at = units + (<usize>from << 3); at < end; at += 8) hash = (hash + load<u64>(at)) * runFactor
  hash = (hash ^ (hash >> 32)) * lastFactor
  const short = <u32>(hash >> 32)
  // Zero marks an empty slot.
  return short === 0 ? 1 : short
}

/**
 * The distinct hashes of the runs of units, without those that lie inside boilerplate where enough is left without
 * them.
 */
function shinglesOf(count: u32): u32 {
  const length = min(size, count)
  const all = count - length + 1
  if (boilerplateMask !== 0 && all > 1) {
    let kept: u32 = 0
    let covered: u32 = 0
    for (let at: u32 = 0; at < all; at++) {
      if (at + span <= count && isBoilerplate(hashRun(at, span))) covered = at + span
      if (at + length <= covered) continue
      store<u32>(runs + (<usize>kept << 2), hashRun(at, length))
      kept += 1
    }
    if (kept >= fewest) {
      const distinct = distinctOf(kept)
      if (distinct >= fewest) return distinct
    }
  }
  for (let at: u32 = 0; at < all; at++) store<u32>(runs + (<usize>at << 2), hashRun(at, length))
  return distinctOf(all)
}

function isBoilerplate(hash: u32): bool {
  let slot = hash & boilerplateMask
  let known = load<u32>(boilerplate + (<usize>slot << 2))
  while (known !== 0 && known !== hash) {
    slot = (slot + 1) & boilerplateMask
    known = load<u32>(boilerplate + (<usize>slot << 2))
  }
  return known !== 0
}

// Up to so many hashes are told apart by a bit for each.
const fewHashes: u32 = 1024
const bitBytes: usize = 2048

/** Copies the first of each hash from `runs` to `shingles`, in order. */
function distinctOf(count: u32): u32 {
  return count <= fewHashes ? distinctByBits(count) : distinctBySlots(count)
}

/**
 * Few hashes repeat, and of 16,384 bits few are met twice: what is done next can be foreseen, unlike where slots are
 * probed.
 */
function distinctByBits(count: u32): u32 {
  for (let at: usize = 0; at < bitBytes; at += 16) v128.store(slots + at, i32x4.splat(0))
  let out = shingles
  for (let at: u32 = 0; at < count; at++) {
    const hash = load<u32>(runs + (<usize>at << 2))
    const place = slots + <usize>((hash >> 23) << 2)
    const bits = load<u32>(place)
    const bit: u32 = 1 << ((hash >> 18) & 31)
    if ((bits & bit) !== 0 && isAmong(hash, out)) continue
    store<u32>(place, bits | bit)
    store<u32>(out, hash)
    out += 4
  }
  return <u32>((out - shingles) >> 2)
}

function isAmong(hash: u32, end: usize): bool {
  for (let at = shingles; at < end; at += 4) if (load<u32>(at) === hash) return true
  return false
}

function distinctBySlots(count: u32): u32 {
  const need = slotsFor(count)
  const mask = <u32>need - 1
  memory.fill(slots, 0, need << 2)
  let out = shingles
  for (let at: u32 = 0; at < count; at++) {
    const hash = load<u32>(runs + (<usize>at << 2))
    let slot = hash & mask
    while (true) {
      const place = slots + (<usize>slot << 2)
      const known = load<u32>(place)
      if (known === hash) break
      if (known === 0) {
        store<u32>(place, hash)
        store<u32>(out, hash)
        out += 4
        break
      }
      slot = (slot + 1) & mask
    }
  }
  return <u32>((out - shingles) >> 2)
}

/** The least of hash × multiplier mod 2^32 for each multiplier, 16 multipliers at a time. */
function minimise(count: u32): void {
  const end = shingles + (<usize>count << 2)
  const bytes = (<usize>bands * rows) << 2
  for (let group: usize = 0; group < bytes; group += 64) {
    const a = v128.load(multipliers + group)
    const b = v128.load(multipliers + group, 16)
    const c = v128.load(multipliers + group, 32)
    const d = v128.load(multipliers + group, 48)
    let leastA = i32x4.splat(-1)
    let leastB = i32x4.splat(-1)
    let leastC = i32x4.splat(-1)
    let leastD = i32x4.splat(-1)
    for (let at = shingles; at < end; at += 4) {
      const hash = v128.load32_splat(at)
      leastA = i32x4.min_u(leastA, i32x4.mul(hash, a))
      leastB = i32x4.min_u(leastB, i32x4.mul(hash, b))
      leastC = i32x4.min_u(leastC, i32x4.mul(hash, c))
      leastD = i32x4.min_u(leastD, i32x4.mul(hash, d))
    }
    v128.store(minima + group, leastA)
    v128.store(minima + group, leastB, 16)
    v128.store(minima + group, leastC, 32)
    v128.store(minima + group, leastD, 48)
  }
}

/** Each hash turns one of 192 bits. */
function mark(count: u32): void {
  store<u64>(bitSketch, 0)
  store<u64>(bitSketch, 0, 8)
  store<u64>(bitSketch, 0, 16)
  const end = shingles + (<usize>count << 2)
  for (let at = shingles; at < end; at += 4) {
    const bit = ((load<u32>(at) >> 16) * 192) >> 16
    const place = bitSketch + <usize>((bit >> 5) << 2)
    store<u32>(place, load<u32>(place) ^ (1 << (bit & 31)))
  }
}

function keyBands(): void {
  let least = minima
  for (let band: u32 = 0; band < bands; band++) {
    let hash: u64 = band + 1
    for (let row: u32 = 0; row < rows; row++, least += 4) hash = (hash + load<u32>(least)) * runFactor
    hash = (hash ^ (hash >> 32)) * lastFactor
    store<u32>(keys + (<usize>band << 2), <u32>(hash >> 32))
  }
}
