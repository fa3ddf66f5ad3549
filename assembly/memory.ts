// AssemblyScript: the memory of a sketcher. Nothing is allocated a text; all regions lie in one memory, whose layout
// `configureKeys` and `reserve` fix.

// So many code points have an entry in `points`.
export const pointsKnown: u32 = 0x20000

// Past the end of a text so many bytes may be read and are spaces.
export const padding: usize = 64
const mostMinima: usize = 1024
const page: usize = 65536

export const runFactor: u64 = 0xd6e8feb86659fd93
export const lastFactor: u64 = 0xff51afd7ed558ccd

export const points: usize = (__heap_base + 63) & ~63
export const classes: usize = points + (<usize>pointsKnown << 2)
export const multipliers: usize = classes + 64
export const minima: usize = multipliers + (mostMinima << 2)
export const keys: usize = minima + (mostMinima << 2)
export const print: usize = keys + (mostMinima << 2)
export const bitSketch: usize = print + 64
export const boilerplate: usize = bitSketch + 64

export let isOfWords: bool = false
export let size: u32 = 4
export let span: u32 = 20
/** What the numbers of a text do to its shingles, see `numberRules` in src/curation/near/sketcher.ts. */
export let numberRule: u32 = 0
export let bands: u32 = 0
export let rows: u32 = 0
export let boilerplateMask: u32 = 0
let capacity: usize = 0
export let text: usize = 0
export let folded: usize = 0
export let masks: usize = 0
export let signMasks: usize = 0
export let digitMasks: usize = 0
export let units: usize = 0
export let runs: usize = 0
export let shingles: usize = 0
export let slots: usize = 0

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
export function bitSketchAt(): usize {
  return bitSketch
}
export function boilerplateAt(): usize {
  return boilerplate
}
export function textAt(): usize {
  return text
}
export function runsAt(): usize {
  return runs
}
export function shinglesAt(): usize {
  return shingles
}

/** How texts are cut from now on. */
export function configureCuts(ofWords: bool, runSize: u32, spanSize: u32, rule: u32): void {
  isOfWords = ofWords
  size = runSize
  span = spanSize
  numberRule = rule
}

/**
 * How texts are keyed from now on. `boilerplateSlots` is 0 or a power of two: the size of the table that the host then
 * fills.
 */
export function configureKeys(bandCount: u32, rowCount: u32, boilerplateSlots: u32): void {
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
  const maskBytes = (bytes / 8 + 2 * padding + 63) & ~63
  signMasks = masks + maskBytes
  digitMasks = signMasks + maskBytes
  units = digitMasks + maskBytes
  runs = units + 8 * bytes + 64
  shingles = runs + 4 * bytes + 64
  slots = (shingles + 4 * bytes + 127) & ~63
  grow(slots + (slotsFor(<u32>bytes) << 2))
}

function grow(end: usize): void {
  const pages = <i32>((end + page - 1) / page) - memory.size()
  if (pages > 0) memory.grow(pages)
}

/** How many slots a table for so many hashes has. */
export function slotsFor(count: u32): usize {
  let need: usize = 16
  while (need < 2 * <usize>count) need <<= 1
  return need
}
