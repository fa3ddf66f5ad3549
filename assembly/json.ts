// AssemblyScript: JSON in lines. All positions are those of bytes; after the last line there are newlines.
const newline: u32 = 10
const quote: u32 = 0x22
const backslash: u32 = 0x5c
// More than a text that people write ever nests.
const mostDepth: u32 = 64

/** The number that four hexadecimal digits stand for. */
export function hex(at: usize): u32 {
  return (digit(load<u8>(at)) << 12) | (digit(load<u8>(at, 1)) << 8) | (digit(load<u8>(at, 2)) << 4) | digit(load<u8>(at, 3))
}

/** The value of a hexadecimal digit; 16 or more for what is none. */
function digit(character: u32): u32 {
  if (character >= 0x30 && character <= 0x39) return character - 0x30
  const letter = (character | 0x20) - 0x61
  return letter < 6 ? letter + 10 : 16
}

/** Whether a string since `forgetEscapes` had an escape. */
export let hasEscape: bool = false
export function forgetEscapes(): void {
  hasEscape = false
}

/** Where the string ends whose content begins there; 0 for what is no string of JSON. Notes escapes. */
export function stringEnd(start: usize): usize {
  let at = start
  while (true) {
    const block = v128.load(at)
    const special = v128.or(
      v128.or(i8x16.eq(block, i8x16.splat(<i8>quote)), i8x16.eq(block, i8x16.splat(<i8>backslash))),
      i8x16.lt_u(block, i8x16.splat(0x20)),
    )
    const mask = <u32>i8x16.bitmask(special)
    if (mask === 0) {
      at += 16
      continue
    }
    at += <usize>ctz(mask)
    const character = load<u8>(at)
    if (character === quote) return at
    if (character !== backslash) return 0
    hasEscape = true
    const what = load<u8>(at, 1)
    if (what === 0x75) {
      if ((digit(load<u8>(at, 2)) | digit(load<u8>(at, 3)) | digit(load<u8>(at, 4)) | digit(load<u8>(at, 5))) >= 16) return 0
      at += 6
    } else if (
      what === quote || what === backslash || what === 0x2f || what === 0x62 || what === 0x66 || what === 0x6e || what === 0x72 || what === 0x74
    )
      at += 2
    else return 0
  }
}

/** Where the value ends that begins there; 0 for what is no JSON, or nested too deep. */
export function skipValue(start: usize, depth: u32): usize {
  const first: u32 = load<u8>(start)
  if (first === quote) {
    const end = stringEnd(start + 1)
    return end === 0 ? 0 : end + 1
  }
  if (first === 0x7b || first === 0x5b) {
    if (depth === mostDepth) return 0
    const close = first + 2
    let at = space(start + 1)
    if (load<u8>(at) === close) return at + 1
    while (true) {
      if (first === 0x7b) {
        if (load<u8>(at) !== quote) return 0
        at = stringEnd(at + 1)
        if (at === 0) return 0
        at = space(at + 1)
        if (load<u8>(at) !== 0x3a) return 0
        at = space(at + 1)
      }
      at = skipValue(at, depth + 1)
      if (at === 0) return 0
      at = space(at)
      const next = load<u8>(at)
      if (next === close) return at + 1
      if (next !== 0x2c) return 0
      at = space(at + 1)
    }
  }
  if (first === 0x74) return load<u32>(start) === 0x65757274 ? start + 4 : 0
  if (first === 0x66) return load<u32>(start, 1) === 0x65736c61 ? start + 5 : 0
  if (first === 0x6e) return load<u32>(start) === 0x6c6c756e ? start + 4 : 0
  return numberEnd(start)
}

function numberEnd(start: usize): usize {
  let at = start
  if (load<u8>(at) === 0x2d) at += 1
  if (load<u8>(at) === 0x30) at += 1
  else {
    at = digits(at)
    if (at === 0) return 0
  }
  if (load<u8>(at) === 0x2e) {
    at = digits(at + 1)
    if (at === 0) return 0
  }
  if ((load<u8>(at) | 0x20) === 0x65) {
    at += 1
    const sign = load<u8>(at)
    if (sign === 0x2b || sign === 0x2d) at += 1
    at = digits(at)
  }
  return at
}

function digits(start: usize): usize {
  let at = start
  while (load<u8>(at) >= 0x30 && load<u8>(at) <= 0x39) at += 1
  return at === start ? 0 : at
}

export function space(start: usize): usize {
  let at = start
  while (true) {
    const character = load<u8>(at)
    if (character !== 32 && character !== 9 && character !== 13) return at
    at += 1
  }
}

export function newlineFrom(start: usize): usize {
  let at = start
  while (true) {
    const mask = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(<i8>newline)))
    if (mask !== 0) return at + <usize>ctz(mask)
    at += 16
  }
}
