// AssemblyScript, compiled to WebAssembly by assembly/compile.ts: what src/curation/sketcher.ts calls for every text. Nothing is allocated a text;
// all regions lie in one memory, whose layout `configure` and `reserve` fix. Only the host decides how a character folds: it fills `points`.

// What an entry of `points` says of a code point, or the folded code point plus `firstPoint`.
const unknownPoint: u32 = 0
const separator: u32 = 1
const removed: u32 = 2
const firstPoint: u32 = 16
const pointsKnown: u32 = 0x20000
const blockBits: u32 = 8

// Answers of `sketch` below zero. `needsBlock - n` asks the host for the entries of block n.
const foldYourself: i32 = -1
const needsBlock: i32 = -2

// Past the end of a text so many bytes may be read and are spaces.
const padding: usize = 64
const mostMinima: usize = 1024
const nowhere: usize = usize.MAX_VALUE
const page: usize = 65536

const wordFactor: u64 = 0x9e3779b97f4a7c15
const runFactor: u64 = 0xd6e8feb86659fd93
const lastFactor: u64 = 0xff51afd7ed558ccd

const points: usize = (__heap_base + 63) & ~63
const classes: usize = points + (<usize>pointsKnown << 2)
const multipliers: usize = classes + 64
const minima: usize = multipliers + (mostMinima << 2)
export const keys: usize = minima + (mostMinima << 2)
export const print: usize = keys + (mostMinima << 2)
export const parities: usize = print + 64
const boilerplate: usize = parities + 64

let isOfWords: bool = false
let size: u32 = 4
let span: u32 = 20
let fewest: u32 = 16
export let bands: u32 = 0
let rows: u32 = 0
let boilerplateMask: u32 = 0
let capacity: usize = 0
export let text: usize = 0
let folded: usize = 0
let masks: usize = 0
let units: usize = 0
let runs: usize = 0
export let shingles: usize = 0
let slots: usize = 0

export function pointsAt(): usize {
  return points
}
export function classesAt(): usize {
  return classes
}
export function multipliersAt(): usize {
  return multipliers
}
export function keysAt(): usize {
  return keys
}
export function printAt(): usize {
  return print
}
export function paritiesAt(): usize {
  return parities
}
export function boilerplateAt(): usize {
  return boilerplate
}
export function textAt(): usize {
  return text
}
export function shinglesAt(): usize {
  return shingles
}

/** How texts are cut and keyed from now on. `boilerplateSlots` is 0 or a power of two: the size of the table that the host then fills. */
export function configure(ofWords: bool, runSize: u32, spanSize: u32, fewestLeft: u32, bandCount: u32, rowCount: u32, boilerplateSlots: u32): void {
  isOfWords = ofWords
  size = runSize
  span = spanSize
  fewest = fewestLeft
  bands = bandCount
  rows = rowCount
  boilerplateMask = boilerplateSlots === 0 ? 0 : boilerplateSlots - 1
  reserve(4096, startOfRows())
}

/** Where memory that texts do not use may begin; they then begin behind it, by `reserve`. */
export function startOfRows(): usize {
  return (boilerplate + (boilerplateMask === 0 ? 0 : (<usize>boilerplateMask + 1) << 2) + 63) & ~63
}

/** Room for a text of so many bytes of UTF-8, at `start` from now on, or where it was with 0. */
export function reserve(bytes: usize, start: usize): void {
  if (start !== 0) {
    text = (start + 63) & ~63
    capacity = 0
  }
  if (bytes <= capacity) return
  capacity = bytes
  folded = text + bytes + padding
  // A folded character may take half as many bytes again.
  masks = (folded + 2 * bytes + padding + 63) & ~63
  units = (masks + bytes / 2 + 2 * padding + 63) & ~63
  runs = units + 8 * bytes + 64
  shingles = runs + 4 * bytes + 64
  slots = (shingles + 4 * bytes + 127) & ~63
  grow(slots + (slotsFor(<u32>bytes) << 2))
}

function grow(end: usize): void {
  const pages = <i32>((end + page - 1) / page) - memory.size()
  if (pages > 0) memory.grow(pages)
}

/** The distinct shingle hashes, the band keys and the fingerprint of the text of so many bytes at `textAt`; the answer is the number of hashes.
 * Below zero, and for a text that folds to nothing: what the host has to do first. A text that the host has folded holds single spaces only. */
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

/** The distinct hashes of the text's spans, by which boilerplate is found, where `sketch` leaves its shingles; answers like `sketch`. */
export function spans(length: usize, isFolded: bool): i32 {
  const count = cut(length, isFolded)
  if (count <= 0) return count
  if (<u32>count < span) return 0
  const all = <u32>count - span + 1
  for (let at: u32 = 0; at < all; at++) store<u32>(runs + (<usize>at << 2), hashRun(at, span))
  return <i32>distinctOf(all)
}

/** The number of units, words or code points, of the text; leaves their hash as its fingerprint. */
export function fingerprint(length: usize, isFolded: bool): i32 {
  return cut(length, isFolded)
}

export function cut(length: usize, isFolded: bool): i32 {
  let source = text
  let bytes = length
  let isClean = isFolded
  let count: i32 = foldYourself
  pad(text + length)
  if (isOfWords && !isFolded) count = wordsOf(text, length, false)
  if (count < 0) {
    if (!isFolded) {
      const foldedBytes = fold(length)
      if (foldedBytes <= 0) return foldedBytes
      source = folded
      bytes = foldedBytes
      isClean = true
      pad(folded + bytes)
    }
    count = isOfWords ? wordsOf(source, bytes, isClean) : pointsOf(source, bytes)
  }
  // A sum of mixed units with their places: unlike a chain of multiplications it does not wait for the unit before.
  let hash: u64 = count
  for (let at: i32 = 0; at < count; at++) {
    const unit = (load<u64>(units + (<usize>at << 3)) + (<u64>at) * runFactor) * wordFactor
    hash += (unit ^ (unit >> 31)) * lastFactor
  }
  store<u64>(print, hash ^ (hash >> 32))
  return count
}

function pad(end: usize): void {
  for (let at: usize = 0; at < padding; at += 16) v128.store(end + at, i8x16.splat(32))
}

/** Folds the text by `points`; the answer is the number of bytes, or below zero what the host has to do. */
function fold(length: usize): i32 {
  const end = text + length
  let at = text
  let out = folded
  let isApart = false
  while (at < end) {
    let point: u32 = load<u8>(at)
    if (point < 0x80) at += 1
    else if (point < 0xe0) {
      point = ((point & 0x1f) << 6) | (load<u8>(at, 1) & 0x3f)
      at += 2
    } else if (point < 0xf0) {
      point = ((point & 0x0f) << 12) | ((<u32>load<u8>(at, 1) & 0x3f) << 6) | (load<u8>(at, 2) & 0x3f)
      at += 3
    } else {
      point = ((point & 0x07) << 18) | ((<u32>load<u8>(at, 1) & 0x3f) << 12) | ((<u32>load<u8>(at, 2) & 0x3f) << 6) | (load<u8>(at, 3) & 0x3f)
      at += 4
    }
    if (point >= pointsKnown) return foldYourself
    const entry = load<u32>(points + (<usize>point << 2))
    if (entry >= firstPoint) {
      if (isApart) {
        if (out > folded) {
          store<u8>(out, 32)
          out += 1
        }
        isApart = false
      }
      out = encode(out, entry - firstPoint)
    } else if (entry === separator) isApart = true
    else if (entry === unknownPoint) return needsBlock - <i32>(point >> blockBits)
    else if (entry !== removed) return foldYourself
  }
  return <i32>(out - folded)
}

export function encode(out: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(out, point)
    return out + 1
  }
  if (point < 0x800) {
    store<u8>(out, 0xc0 | (point >> 6))
    store<u8>(out, 0x80 | (point & 0x3f), 1)
    return out + 2
  }
  if (point < 0x10000) {
    store<u8>(out, 0xe0 | (point >> 12))
    store<u8>(out, 0x80 | ((point >> 6) & 0x3f), 1)
    store<u8>(out, 0x80 | (point & 0x3f), 2)
    return out + 3
  }
  store<u8>(out, 0xf0 | (point >> 18))
  store<u8>(out, 0x80 | ((point >> 12) & 0x3f), 1)
  store<u8>(out, 0x80 | ((point >> 6) & 0x3f), 2)
  store<u8>(out, 0x80 | (point & 0x3f), 3)
  return out + 4
}

/** The code points of folded text as units. */
function pointsOf(source: usize, length: usize): i32 {
  const end = source + length
  let at = source
  let out = units
  while (at < end) {
    let point: u32 = load<u8>(at)
    if (point < 0x80) at += 1
    else if (point < 0xe0) {
      point = ((point & 0x1f) << 6) | (load<u8>(at, 1) & 0x3f)
      at += 2
    } else if (point < 0xf0) {
      point = ((point & 0x0f) << 12) | ((<u32>load<u8>(at, 1) & 0x3f) << 6) | (load<u8>(at, 2) & 0x3f)
      at += 3
    } else {
      point = ((point & 0x07) << 18) | ((<u32>load<u8>(at, 1) & 0x3f) << 12) | ((<u32>load<u8>(at, 2) & 0x3f) << 6) | (load<u8>(at, 3) & 0x3f)
      at += 4
    }
    store<u64>(out, point)
    out += 8
  }
  return <i32>((out - units) >> 3)
}

/** The hashes of the words as units: in folded text what single spaces part, else ASCII folded on the way, 16 characters at a time. Below zero where
 * that does not do: other than ASCII, or control characters. */
function wordsOf(source: usize, length: usize, isClean: bool): i32 {
  const lowered = isClean ? source : folded
  const isOther = isClean ? classifyFolded(source, length) : classifyAscii(source, length)
  if (isOther) return foldYourself
  const end = (length + padding - 1) & ~63
  let out = units
  let before: u64 = 1
  // Where a word began in the block before; none is past every text.
  let open: usize = nowhere
  for (let block: usize = 0; block <= end; block += 64) {
    const parts = load<u64>(masks + (block >> 3))
    const shifted = (parts << 1) | before
    let starts = ~parts & shifted
    let ends = parts & ~shifted
    before = parts >> 63
    while (ends !== 0) {
      let start = open
      if (start === nowhere) {
        start = block + <usize>ctz(starts)
        starts &= starts - 1
      }
      open = nowhere
      store<u64>(out, hashWord(lowered + start, lowered + block + <usize>ctz(ends)))
      ends &= ends - 1
      out += 8
    }
    if (starts !== 0) open = block + <usize>ctz(starts)
  }
  return <i32>((out - units) >> 3)
}

/** Writes a bit for each character that parts words, and the characters in small letters; says whether the text needs the slow way. The bits go on
 * to a whole number of 64, at least one past the text. */
function classifyAscii(source: usize, length: usize): bool {
  const table = v128.load(classes)
  const bits = v128.load(classes, 16)
  const nibble = i8x16.splat(0x0f)
  const beforeA = i8x16.splat(0x40)
  const afterZ = i8x16.splat(0x5b)
  const small = i8x16.splat(0x20)
  const erase = i8x16.splat(0x7f)
  const none = i8x16.splat(0)
  let other = none
  for (let at: usize = 0; at < length; at += 16) {
    const raw = v128.load(source + at)
    const isUpper = v128.and(i8x16.gt_s(raw, beforeA), i8x16.lt_s(raw, afterZ))
    v128.store(folded + at, v128.or(raw, v128.and(isUpper, small)))
    const kind = v128.and(i8x16.swizzle(table, v128.and(raw, nibble)), i8x16.swizzle(bits, i8x16.shr_u(raw, 4)))
    const isApart = i8x16.ne(kind, none)
    // Below a space are control characters and, as they are negative here, the bytes of what is not ASCII.
    const isControl = v128.or(i8x16.lt_s(raw, small), i8x16.eq(raw, erase))
    other = v128.or(other, v128.andnot(isControl, isApart))
    store<u16>(masks + (at >> 3), <u16>i8x16.bitmask(isApart))
  }
  closeMasks(length)
  return v128.any_true(other)
}

function classifyFolded(source: usize, length: usize): bool {
  const space = i8x16.splat(32)
  for (let at: usize = 0; at < length; at += 16) store<u16>(masks + (at >> 3), <u16>i8x16.bitmask(i8x16.eq(v128.load(source + at), space)))
  closeMasks(length)
  return false
}

function closeMasks(length: usize): void {
  for (let at: usize = (length + 15) & ~15; at <= ((length + padding - 1) & ~63) + 63; at += 16) store<u16>(masks + (at >> 3), 0xffff)
}

function hashWord(from: usize, to: usize): u64 {
  let hash: u64 = lastFactor
  let at = from
  for (; to - at > 16; at += 8) hash = mix(hash, load<u64>(at))
  // Without a branch on the length, which nobody can guess: of 16 bytes those of the word, the second 8 often none.
  const length = to - at
  const first = min<usize>(length, 8)
  const second = length - first
  hash = mix(hash, load<u64>(at) & (u64.MAX_VALUE >> ((8 - first) << 3)))
  hash = (hash ^ (load<u64>(at, 8) & select<u64>(u64.MAX_VALUE >> (((8 - second) << 3) & 63), 0, second !== 0))) * wordFactor
  return hash ^ (hash >> 32)
}

function mix(hash: u64, bytes: u64): u64 {
  const product = (hash ^ bytes) * wordFactor
  return product ^ (product >> 29)
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

/** The distinct hashes of the runs of units, without those that lie inside boilerplate where enough is left without them. */
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

function slotsFor(count: u32): usize {
  let need: usize = 16
  while (need < 2 * <usize>count) need <<= 1
  return need
}

// Up to so many hashes are told apart by a bit for each.
const fewHashes: u32 = 1024
const bitBytes: usize = 2048

/** Copies the first of each hash from `runs` to `shingles`, in order. */
function distinctOf(count: u32): u32 {
  return count <= fewHashes ? distinctByBits(count) : distinctBySlots(count)
}

/** Few hashes repeat, and of 16,384 bits few are met twice: what is done next can be foreseen, unlike where slots are probed. */
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
  store<u64>(parities, 0)
  store<u64>(parities, 0, 8)
  store<u64>(parities, 0, 16)
  const end = shingles + (<usize>count << 2)
  for (let at = shingles; at < end; at += 4) {
    const bit = ((load<u32>(at) >> 16) * 192) >> 16
    const place = parities + <usize>((bit >> 5) << 2)
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
