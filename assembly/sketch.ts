// AssemblyScript: the shingles of a text, and what is made of them.
import {
  bands,
  boilerplate,
  boilerplateMask,
  isOfWords,
  keys,
  lastFactor,
  minima,
  multipliers,
  numberRule,
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
import { cut, hasNumbers } from "./units"

/**
 * The distinct shingle hashes, the band keys and the fingerprint of the text of so many bytes at `textAt`; the answer
 * is the number of hashes. Below zero, and for a text that folds to nothing: what the host has to do first. A text that
 * the host has folded holds single spaces only.
 */
export function sketch(length: usize, isFolded: bool): i32 {
  const count = cut(length, isFolded)
  if (count <= 0) return count
  readNumbers(<u32>count)
  const distinct = shinglesOf(unitCount)
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
  spansLeft = 0
  const count = cut(length, isFolded)
  if (count <= 0) return count
  readNumbers(<u32>count)
  spansLeft = unitCount < span ? 0 : unitCount - span + 1
  const all = spansLeft
  for (let at: u32 = 0; at < all; at++) store<u32>(runs + (<usize>at << 2), hashRun(at, span))
  return <i32>distinctOf(all)
}

let spansLeft: u32 = 0
/** How many spans the text has that `spans` was asked about last, with repeats: their hashes are left in `runs`. */
export function spanCount(): u32 {
  return spansLeft
}

// What `numberRule` may be.
const oneForAll: u32 = 1
const asText: u32 = 2

let unitCount: u32 = 0
/** The hash of the text's numbers: every shingle is hashed with it, so that texts with others share none. */
let numbersHash: u32 = 0
export function salt(): i32 {
  return <i32>numbersHash
}
const oneNumber: u64 = 0x30

/** Notes what the numbers of the units are, words that have a digit; or puts one in the place of all. */
function readNumbers(count: u32): void {
  unitCount = count
  numbersHash = 0
  if (numberRule === asText || !hasNumbers) return
  let hash: u64 = 0
  if (isOfWords) {
    const end = units + (<usize>count << 3)
    for (let at = units; at < end; at += 8) {
      const unit = load<u64>(at)
      if ((unit & 1) === 0) continue
      if (numberRule === oneForAll) store<u64>(at, oneNumber)
      else hash = (hash + unit) * runFactor
    }
  } else hash = readNumbersOfPoints(count)
  // Unlike any run of units hashed.
  hash = hash === 0 ? 0 : hash + lastFactor
  numbersHash = <u32>(((hash ^ (hash >> 32)) * lastFactor) >> 32)
}

function readNumbersOfPoints(count: u32): u64 {
  let hash: u64 = 0
  let out: u32 = 0
  for (let from: u32 = 0; from < count; ) {
    let until = from
    let hasDigit = false
    while (until < count) {
      const point = load<u64>(units + (<usize>until << 3))
      if (point === 32) break
      if (point - 0x30 < 10) hasDigit = true
      until += 1
    }
    if (!hasDigit) {
      if (out !== from) moveUnits(from, until + 1, out)
      out += until + 1 - from
    } else if (numberRule === oneForAll) {
      store<u64>(units + (<usize>out << 3), oneNumber)
      store<u64>(units + (<usize>(out + 1) << 3), 32)
      out += 2
    } else {
      for (let at = from; at < until; at += 1) hash = (hash + load<u64>(units + (<usize>at << 3))) * runFactor
      hash = (hash + 32) * runFactor
      out = until + 1
    }
    from = until + 1
  }
  // There is no space after the last word.
  if (out > 0) unitCount = out - 1
  return hash
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

function moveUnits(from: u32, until: u32, to: u32): void {
  memory.copy(units + (<usize>to << 3), units + (<usize>from << 3), (<usize>(until - from)) << 3)
}

/** The distinct hashes of the runs of units, boilerplate left out; of a text that is nothing else all. */
function shinglesOf(count: u32): u32 {
  const kept = boilerplateMask === 0 ? 0 : shingleOwn(count)
  return distinctOf(kept > 0 ? kept : shingle(0, count, 0))
}

/** Puts the shingles of what is left between spans of boilerplate into `runs`, stretch by stretch; their number. */
function shingleOwn(count: u32): u32 {
  let kept: u32 = 0
  let covered: u32 = 0
  let from: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    if (at + span <= count && isBoilerplate(hashRun(at, span))) {
      if (from < at) kept = shingle(from, at, kept)
      covered = at + span
    }
    if (at < covered) from = at + 1
  }
  return from < count ? shingle(from, count, kept) : kept
}

/** Puts the hashes of the runs of `size` units into `runs`, or one of what is shorter; how many are there then. */
function shingle(from: u32, until: u32, kept: u32): u32 {
  const length = min(size, until - from)
  const last = until - length
  const out = runs + ((<usize>kept - <usize>from) << 2)
  for (let at = from; at <= last; at++) store<u32>(out + (<usize>at << 2), hashShingle(at, length))
  return kept + last - from + 1
}

function hashShingle(from: u32, length: u32): u32 {
  const hash = hashRun(from, length) ^ numbersHash
  return hash === 0 ? 1 : hash
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
