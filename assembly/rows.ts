// AssemblyScript: the lines of a JSONL file as rows of numbers, see src/stages/dedup/batch-sketcher.ts. Only lines of
// the usual shapes are read here, and only if they are JSON to the last character; every other line is the host's, so
// that src/curation/text/compared-text.ts alone says what a row means.
import { forgetEscapes, hasEscape, hex, newlineFrom, skipValue, space, stringEnd } from "./json"
import { bands, keys, bitSketch, print, reserve, shingles, startOfRows, text } from "./memory"
import { sketch } from "./sketch"
import { cut, encode } from "./units"

// Answers of `rows`.
const finished: i32 = 0
const lineForHost: i32 = 1
const full: i32 = 2

// What a value is.
const absent: u32 = 0
const isString: u32 = 1
const isList: u32 = 2
const isOther: u32 = 3

// Of a name of a field: the length and up to 31 bytes.
const nameBytes: usize = 32
const mostNames: u32 = 64
const mostTurns: u32 = 1024
const newline: u32 = 10
const quote: u32 = 0x22
const backslash: u32 = 0x5c
const padding: usize = 64

// A value is kept as its kind, where its content begins and ends, and whether it has escapes.
const valueBytes: usize = 16
const rowHeader: u32 = 12

let names: usize = 0
let textNames: u32 = 0
let outputNames: u32 = 0
let ignoredNames: u32 = 0
let values: usize = 0
let turns: usize = 0
let input: usize = 0
let out: usize = 0
let outNumbers: u32 = 0
let outUsed: u32 = 0
let outRows: u32 = 0
let cursor: usize = 0
let inputEnd: usize = 0
let lineFrom: usize = 0
let lineTo: usize = 0
let line: u32 = 0
let isForHost: bool = false

/**
 * Where the names of the fields go: those that are compared, in order, then those of the output, then those that tell
 * nothing of either.
 */
export function namesAt(): usize {
  return names
}
export function inputAt(): usize {
  return input
}
export function outAt(): usize {
  return out
}
export function used(): u32 {
  return outUsed
}
export function rowsOut(): u32 {
  return outRows
}
export function lines(): u32 {
  return line
}
export function lineStart(): usize {
  return lineFrom - input
}
export function lineEnd(): usize {
  return lineTo - input
}

/** Room for so many bytes of lines and so many numbers of rows. The host then writes the names. */
export function prepareRows(
  inputBytes: usize,
  numbers: u32,
  textNameCount: u32,
  outputNameCount: u32,
  ignoredNameCount: u32,
): void {
  textNames = textNameCount
  outputNames = outputNameCount
  ignoredNames = ignoredNameCount
  outNumbers = numbers
  names = startOfRows()
  values = names + nameBytes * mostNames
  turns = values + valueBytes * mostNames
  input = turns + valueBytes * mostTurns
  out = (input + inputBytes + 2 * padding + 63) & ~63
  reserve(inputBytes, out + (<usize>numbers << 2) + padding)
}

/** So many bytes of lines are in the input. With `forHost` each line goes to the host. */
export function begin(bytes: usize, forHost: bool): void {
  cursor = input
  inputEnd = input + bytes
  line = 0
  isForHost = forHost
  emptyOut()
  for (let at: usize = 0; at < padding; at += 1) store<u8>(inputEnd + at, newline)
}

export function emptyOut(): void {
  outUsed = 0
  outRows = 0
}

/** Goes on until the lines are at their end, the next line is the host's, or there is no room for the next row. */
export function rows(): i32 {
  while (cursor < inputEnd) {
    const read = isForHost ? lineForHost : readLine(cursor)
    if (read === full) return full
    const end = newlineFrom(cursor)
    lineFrom = cursor
    lineTo = end
    cursor = end + 1
    line += 1
    if (read === lineForHost) return lineForHost
  }
  return finished
}

/** Writes the row of what was sketched last; false where there is no room. */
export function emit(index: u32, size: u32, outputLow: u32, outputHigh: u32): bool {
  const need = rowHeader + bands + size
  if (outUsed + need > outNumbers) return false
  const at = out + (<usize>outUsed << 2)
  store<u32>(at, index)
  store<u32>(at, size, 4)
  store<u64>(at, load<u64>(print), 8)
  store<u32>(at, outputLow, 16)
  store<u32>(at, outputHigh, 20)
  copy(bitSketch, at + 24, 24)
  copy(keys, at + 48, <usize>bands << 2)
  copy(shingles, at + 48 + (<usize>bands << 2), <usize>size << 2)
  outUsed += need
  outRows += 1
  return true
}

/** Up to 15 bytes more are copied. */
function copy(from: usize, to: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, v128.load(from + at))
}

function readLine(start: usize): i32 {
  if (!readRow(start)) return lineForHost
  let turnCount: u32 = 0
  let answer: usize = 0
  let compared: usize = 0
  for (let index: u32 = 0; index < textNames; index++) {
    const value = values + <usize>index * valueBytes
    const kind = load<u32>(value)
    if (kind === absent) continue
    // Turns beside other fields are the host's.
    if (turnCount !== 0 || (kind === isList && compared !== 0)) return lineForHost
    compared = value
    if (kind === isString) continue
    if (kind !== isList) return lineForHost
    turnCount = readTurns(load<u32>(value, 4))
    if (turnCount === 0) return lineForHost
  }
  if (compared === 0) return lineForHost
  const isChat = turnCount !== 0
  if (isChat) {
    const last = turns + <usize>(turnCount - 1) * valueBytes
    if (load<u32>(last) === assistant) {
      answer = last
      turnCount -= 1
    }
  }
  for (let index: u32 = textNames; index < textNames + outputNames; index++) {
    const value = values + <usize>index * valueBytes
    const kind = load<u32>(value)
    if (kind === absent) continue
    // Several outputs are the host's.
    if (kind !== isString || answer !== 0) return lineForHost
    answer = value
  }
  let output: u64 = 0
  if (answer !== 0) {
    const end = write(answer, text)
    if (end === 0) return lineForHost
    if (end !== text) {
      if (cut(end - text, false) <= 0) return lineForHost
      output = load<u64>(print)
    }
  }
  const end = isChat ? writeTurns(turnCount) : writeTexts()
  if (end <= text) return lineForHost
  const size = sketch(end - text, false)
  if (size <= 0) return lineForHost
  if (rowHeader + bands + size > outNumbers) return lineForHost
  return emit(line, size, <u32>output, <u32>(output >> 32)) ? finished : full
}

/** Writes the contents of the turns, without the system's, with newlines between; their end, or 0 for the host. */
function writeTurns(turnCount: u32): usize {
  let end = text
  for (let turn: u32 = 0; turn < turnCount; turn++) {
    const value = turns + <usize>turn * valueBytes
    if (load<u32>(value) === system) continue
    if (end !== text) {
      store<u8>(end, newline)
      end += 1
    }
    end = write(value, end)
    if (end === 0) return 0
  }
  return end
}

/** The same of the fields that are compared, empty ones left out. */
function writeTexts(): usize {
  let end = text
  for (let index: u32 = 0; index < textNames; index++) {
    const value = values + <usize>index * valueBytes
    if (load<u32>(value) === absent || load<u32>(value, 4) === load<u32>(value, 8)) continue
    if (end !== text) {
      store<u8>(end, newline)
      end += 1
    }
    end = write(value, end)
    if (end === 0) return 0
  }
  return end
}

/** Notes the values of the row's fields that have names; false for what is no object, or for the host. */
function readRow(start: usize): bool {
  const count = textNames + outputNames + ignoredNames
  for (let index: u32 = 0; index < count; index++) store<u32>(values + <usize>index * valueBytes, absent)
  let at = space(start)
  if (load<u8>(at) !== 0x7b) return false
  at = space(at + 1)
  if (load<u8>(at) === 0x7d) return isEnd(at + 1)
  while (true) {
    if (load<u8>(at) !== quote) return false
    const key = at + 1
    forgetEscapes()
    at = stringEnd(key)
    if (at === 0 || hasEscape) return false
    const slot = slotOf(key, at)
    // What a field is that is new to the file the host says.
    if (slot === 0) return false
    at = space(at + 1)
    if (load<u8>(at) !== 0x3a) return false
    at = space(at + 1)
    forgetEscapes()
    const first = load<u8>(at)
    const end = skipValue(at, 0)
    if (end === 0) return false
    // Of a name that comes twice the last value counts.
    store<u32>(slot, first === quote ? isString : first === 0x5b ? isList : first === 0x6e ? absent : isOther)
    store<u32>(slot, <u32>(first === quote ? at + 1 : at), 4)
    store<u32>(slot, <u32>(end - 1), 8)
    store<u32>(slot, <u32>hasEscape, 12)
    at = space(end)
    const next = load<u8>(at)
    if (next === 0x7d) return isEnd(at + 1)
    if (next !== 0x2c) return false
    at = space(at + 1)
  }
}

function slotOf(from: usize, to: usize): usize {
  const length = to - from
  for (let index: u32 = 0; index < textNames + outputNames + ignoredNames; index++) {
    const name = names + <usize>index * nameBytes
    if (load<u8>(name) === length && isSame(from, name + 1, length)) return values + <usize>index * valueBytes
  }
  return 0
}

function isSame(a: usize, b: usize, length: usize): bool {
  for (let at: usize = 0; at < length; at++) if (load<u8>(a + at) !== load<u8>(b + at)) return false
  return true
}

function isEnd(at: usize): bool {
  return load<u8>(space(at)) === newline
}

// What a turn is, in place of a value's kind.
const system: u32 = 0
const other: u32 = 1
const assistant: u32 = 2

/**
 * Notes the contents of the turns of a list that is JSON; their number, or 0 where one has more than a role and a
 * content, both plain.
 */
function readTurns(start: usize): u32 {
  let count: u32 = 0
  let at = space(start + 1)
  while (true) {
    if (load<u8>(at) !== 0x7b || count === mostTurns) return 0
    const turn = turns + <usize>count * valueBytes
    let hasRole = false
    let hasContent = false
    for (let member = 0; member < 2; member++) {
      at = space(at + 1)
      if (load<u8>(at) !== quote) return 0
      const key = at + 1
      const keyEnd = stringEnd(key)
      at = space(keyEnd + 1)
      at = space(at + 1)
      if (load<u8>(at) !== quote) return 0
      const value = at + 1
      forgetEscapes()
      const end = stringEnd(value)
      if (isWord(key, keyEnd, role)) {
        if (hasEscape) return 0
        const isSystem = isWord(value, end, systemRole) || isDeveloper(value, end)
        store<u32>(turn, isWord(value, end, assistantRole) ? assistant : isSystem ? system : other)
        hasRole = true
      } else if (isWord(key, keyEnd, content)) {
        store<u32>(turn, <u32>value, 4)
        store<u32>(turn, <u32>end, 8)
        store<u32>(turn, <u32>hasEscape, 12)
        hasContent = true
      } else return 0
      at = space(end + 1)
      if (load<u8>(at) !== (member === 0 ? 0x2c : 0x7d)) return 0
    }
    if (!hasRole || !hasContent) return 0
    count += 1
    at = space(at + 1)
    if (load<u8>(at) === 0x5d) return count
    at = space(at + 1)
  }
}

// Words of up to 8 characters as their length and their bytes.
const role: u64 = 0x656c6f72
const content: u64 = 0x746e65746e6f63
const systemRole: u64 = 0x6d6574737973
const assistantRole: u64 = 0x6e61747369737361

/** The word's first 8 bytes; "assistant" has a ninth. */
function isWord(from: usize, to: usize, word: u64): bool {
  const length = to - from
  if (word === assistantRole) return length === 9 && load<u64>(from) === word && load<u8>(from, 8) === 0x74
  return length === 8 - (<usize>clz(word) >> 3) && (load<u64>(from) & (u64.MAX_VALUE >> ((8 - length) << 3))) === word
}

function isDeveloper(from: usize, to: usize): bool {
  return to - from === 9 && load<u64>(from) === 0x65706f6c65766564 && load<u8>(from, 8) === 0x72
}

/** Writes the string as it is meant; the answer is its end, or 0 where half a pair of surrogates stands alone. */
function write(value: usize, to: usize): usize {
  let at: usize = load<u32>(value, 4)
  const end: usize = load<u32>(value, 8)
  if (load<u32>(value, 12) === 0) {
    copy(at, to, end - at)
    return to + (end - at)
  }
  let target = to
  while (at < end) {
    // Over what has no escape, 16 bytes at a time.
    const block = v128.load(at)
    const escapes = <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(<i8>backslash)))
    const length = min<usize>(end - at, <usize>ctz(escapes | 0x10000))
    v128.store(target, block)
    at += length
    target += length
    if (length === 16 || at >= end) continue
    const what: u32 = load<u8>(at, 1)
    at += 2
    if (what !== 0x75) {
      const control = what === 0x72 ? 13 : what === 0x62 ? 8 : what === 0x66 ? 12 : what
      store<u8>(target, what === 0x6e ? 10 : what === 0x74 ? 9 : control)
      target += 1
      continue
    }
    let point = hex(at)
    at += 4
    if (point >= 0xd800 && point < 0xe000) {
      if (point >= 0xdc00 || load<u8>(at) !== backslash || load<u8>(at, 1) !== 0x75) return 0
      const low = hex(at + 2)
      if (low < 0xdc00 || low >= 0xe000) return 0
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00)
      at += 6
    }
    target = encode(target, point)
  }
  return target
}
