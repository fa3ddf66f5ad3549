// AssemblyScript: a text as units, words or code points. Only the host decides how a character folds: it fills
// `points`.
import { classes, digitMasks, folded, isOfWords, lastFactor, masks, padding, points } from "./memory"
import { pointsKnown, print, runFactor, signMasks, text, units } from "./memory"

// What an entry of `points` says of a code point, or the folded code point plus `firstPoint`, with a bit for a sign.
const unknownPoint: u32 = 0
const separator: u32 = 1
const removed: u32 = 2
const firstPoint: u32 = 16
const signBit: u32 = 0x80000000
const blockBits: u32 = 8

// Answers of `cut` below zero. `needsBlock - n` asks the host for the entries of block n.
const foldYourself: i32 = -1
const needsBlock: i32 = -2

const nowhere: usize = usize.MAX_VALUE
const wordFactor: u64 = 0x9e3779b97f4a7c15

/** Whether a unit of the last text has a digit. */
export let hasNumbers: bool = false

/** The number of units, words or code points, of the text; leaves their hash as its fingerprint. */
export function cut(length: usize, isFolded: bool): i32 {
  let source = text
  let bytes = length
  let isClean = isFolded
  let count: i32 = foldYourself
  hasNumbers = false
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
      const isSign = entry >= signBit
      if ((isApart || isSign) && out > folded) {
        store<u8>(out, 32)
        out += 1
      }
      isApart = isSign
      out = encode(out, (entry & ~signBit) - firstPoint)
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
    if (point - 0x30 < 10) hasNumbers = true
    store<u64>(out, point)
    out += 8
  }
  return <i32>((out - units) >> 3)
}

/**
 * The hashes of the words and signs as units: in folded text what single spaces part, else ASCII folded on the way, 16
 * characters at a time. Below zero where that does not do: other than ASCII, or control characters. The last bit of a
 * unit says whether it has a digit.
 */
function wordsOf(source: usize, length: usize, isClean: bool): i32 {
  const lowered = isClean ? source : folded
  const isOther = isClean ? classifyFolded(source, length) : classifyAscii(source, length)
  if (isOther) return foldYourself
  return hasNumbers ? hashWords(lowered, length, true) : hashWords(lowered, length, false)
}

/** Made twice: most texts have no digits, and then none is looked for. */
// @ts-ignore: a decorator of AssemblyScript
@inline
function hashWords(lowered: usize, length: usize, lookForDigits: bool): i32 {
  const end = (length + padding - 1) & ~63
  let out = units
  let before: u64 = 1
  let signBefore: u64 = 0
  // Where a word began in the block before; none is past every text.
  let open: usize = nowhere
  for (let block: usize = 0; block <= end; block += 64) {
    const signs = load<u64>(signMasks + (block >> 3))
    const parts = load<u64>(masks + (block >> 3)) | signs
    const digits = lookForDigits ? load<u64>(digitMasks + (block >> 3)) : 0
    const shifted = (parts << 1) | before
    let starts = (~parts & shifted) | signs
    let ends = (parts & ~shifted) | (signs << 1) | signBefore
    before = parts >> 63
    signBefore = signs >> 63
    while (ends !== 0) {
      const last = <usize>ctz(ends)
      let start = open
      let hasDigit = false
      if (start === nowhere) {
        const first = <usize>ctz(starts)
        start = block + first
        starts &= starts - 1
        if (lookForDigits) hasDigit = ((digits >> first) & ((<u64>1 << (last - first)) - 1)) !== 0
      } else if (lookForDigits) hasDigit = hasDigits(lowered + start, lowered + block + last)
      open = nowhere
      const unit = hashWord(lowered + start, lowered + block + last) & ~1
      store<u64>(out, lookForDigits ? unit | <u64>hasDigit : unit)
      ends &= ends - 1
      out += 8
    }
    if (starts !== 0) open = block + <usize>ctz(starts)
  }
  return <i32>((out - units) >> 3)
}

function hasDigits(from: usize, to: usize): bool {
  for (let at = from; at < to; at += 1) if (<u32>load<u8>(at) - 0x30 < 10) return true
  return false
}

/**
 * Writes a bit for each character that is white space, a sign or a digit, and the characters in small letters; says
 * whether the text needs the slow way. The bits go on to a whole number of 64, at least one past the text.
 */
function classifyAscii(source: usize, length: usize): bool {
  const table = v128.load(classes)
  const bits = v128.load(classes, 16)
  const nibble = i8x16.splat(0x0f)
  const beforeA = i8x16.splat(0x40)
  const afterZ = i8x16.splat(0x5b)
  const small = i8x16.splat(0x20)
  const afterSpace = i8x16.splat(0x21)
  const erase = i8x16.splat(0x7f)
  const none = i8x16.splat(0)
  let other = none
  let digits = none
  for (let at: usize = 0; at < length; at += 16) {
    const raw = v128.load(source + at)
    const isUpper = v128.and(i8x16.gt_s(raw, beforeA), i8x16.lt_s(raw, afterZ))
    v128.store(folded + at, v128.or(raw, v128.and(isUpper, small)))
    const kind = v128.and(i8x16.swizzle(table, v128.and(raw, nibble)), i8x16.swizzle(bits, i8x16.shr_u(raw, 4)))
    const isApart = i8x16.ne(kind, none)
    // Below a space are control characters and, as they are negative here, the bytes of what is not ASCII.
    const isControl = v128.or(i8x16.lt_s(raw, small), i8x16.eq(raw, erase))
    other = v128.or(other, v128.andnot(isControl, isApart))
    const isSpace = v128.and(isApart, i8x16.lt_s(raw, afterSpace))
    store<u16>(masks + (at >> 3), <u16>i8x16.bitmask(isSpace))
    store<u16>(signMasks + (at >> 3), <u16>i8x16.bitmask(v128.andnot(isApart, isSpace)))
    digits = v128.or(digits, isDigit(raw))
  }
  closeMasks(length)
  markDigits(source, length, digits)
  return v128.any_true(other)
}

/** Writes a bit for each digit, where there are any. */
function markDigits(source: usize, length: usize, digits: v128): void {
  hasNumbers = v128.any_true(digits)
  if (!hasNumbers) return
  for (let at: usize = 0; at < length; at += 16)
    store<u16>(digitMasks + (at >> 3), <u16>i8x16.bitmask(isDigit(v128.load(source + at))))
  for (let at: usize = (length + 15) & ~15; at <= ((length + padding - 1) & ~63) + 63; at += 16)
    store<u16>(digitMasks + (at >> 3), 0)
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function isDigit(raw: v128): v128 {
  return i8x16.lt_u(i8x16.sub(raw, i8x16.splat(0x30)), i8x16.splat(10))
}

function classifyFolded(source: usize, length: usize): bool {
  const space = i8x16.splat(32)
  let digits = i8x16.splat(0)
  for (let at: usize = 0; at < length; at += 16) {
    const raw = v128.load(source + at)
    store<u16>(masks + (at >> 3), <u16>i8x16.bitmask(i8x16.eq(raw, space)))
    store<u16>(signMasks + (at >> 3), 0)
    digits = v128.or(digits, isDigit(raw))
  }
  closeMasks(length)
  markDigits(source, length, digits)
  return false
}

function closeMasks(length: usize): void {
  for (let at: usize = (length + 15) & ~15; at <= ((length + padding - 1) & ~63) + 63; at += 16) {
    store<u16>(masks + (at >> 3), 0xffff)
    store<u16>(signMasks + (at >> 3), 0)
  }
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
