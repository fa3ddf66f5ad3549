// AssemblyScript, compiled to WebAssembly by assembly/compile.ts: what src/curation/near/cosine.ts calls. A block of
// rows and one of columns, whose vectors are cut into steps. Rows lie in fours and columns in eights, dimension by
// dimension, so that 32 sums are made at once and none has to be gathered.

const page: usize = 65536

let steps: u32 = 0
let step: usize = 0
let rowsOfStep: usize = 0
let columnsOfStep: usize = 0
let mostColumns: usize = 0
let rows: usize = 0
let columns: usize = 0
let rowRests: usize = 0
let columnRests: usize = 0
let limits: usize = 0
let found: usize = 0
let foundCount: u32 = 0

/**
 * Room for blocks of so many rows (a multiple of 4) and columns (of 8), in so many steps of so many dimensions (a
 * multiple of 2).
 */
export function reserve(stepCount: u32, dimensions: u32, rowCount: u32, columnCount: u32): void {
  steps = stepCount
  step = dimensions
  mostColumns = columnCount
  rowsOfStep = (<usize>rowCount * step) << 2
  columnsOfStep = (<usize>columnCount * step) << 2
  rows = (__heap_base + 63) & ~63
  columns = rows + steps * rowsOfStep
  rowRests = columns + steps * columnsOfStep
  columnRests = rowRests + ((<usize>steps * rowCount) << 2)
  limits = columnRests + ((<usize>steps * columnCount) << 2)
  found = limits + (<usize>rowCount << 2)
  const end = found + (<usize>columnCount << 5)
  const pages = <i32>((end + page - 1) / page) - memory.size()
  if (pages > 0 && memory.grow(pages) < 0) unreachable()
}

/** Of each step all rows: of four rows each dimension in turn. */
export function rowsAt(): usize {
  return rows
}
/** Of each step all columns: of eight columns each dimension in turn. */
export function columnsAt(): usize {
  return columns
}
/** Of each four rows and step, the lengths of what is left of each row after the step. */
export function rowRestsAt(): usize {
  return rowRests
}
/** Of each step, the lengths of what is left of each column after it. */
export function columnRestsAt(): usize {
  return columnRests
}
/** With how many of the columns each row is compared. */
export function limitsAt(): usize {
  return limits
}
/** Pairs of the number of a row in its four, and of a column. */
export function foundAt(): usize {
  return found
}

/**
 * Finds the columns that may have at least that cosine with one of the four rows: all but those of which a step makes
 * certain that they have not.
 */
export function near(four: u32, least: f32): u32 {
  foundCount = 0
  const limit = limits + (<usize>four << 4)
  const most = max(max(load<u32>(limit), load<u32>(limit, 4)), max(load<u32>(limit, 8), load<u32>(limit, 12)))
  const first = rows + ((<usize>four * step) << 4)
  const rests = rowRests + ((<usize>four * steps) << 4)
  const leasts = f32x4.splat(least)
  const rest0 = v128.load32_splat(rests)
  const rest1 = v128.load32_splat(rests, 4)
  const rest2 = v128.load32_splat(rests, 8)
  const rest3 = v128.load32_splat(rests, 12)
  for (let column: u32 = 0; column < most; column += 8) {
    let a0 = f32x4.splat(0)
    let a1 = a0
    let a2 = a0
    let a3 = a0
    let b0 = a0
    let b1 = a0
    let b2 = a0
    let b3 = a0
    let at = columns + ((<usize>column * step) << 2)
    const end = at + (step << 5)
    for (let row = first; at < end; at += 64, row += 32) {
      let a = v128.load(at)
      let b = v128.load(at, 16)
      let value = v128.load32_splat(row)
      a0 = f32x4.add(a0, f32x4.mul(a, value))
      b0 = f32x4.add(b0, f32x4.mul(b, value))
      value = v128.load32_splat(row, 4)
      a1 = f32x4.add(a1, f32x4.mul(a, value))
      b1 = f32x4.add(b1, f32x4.mul(b, value))
      value = v128.load32_splat(row, 8)
      a2 = f32x4.add(a2, f32x4.mul(a, value))
      b2 = f32x4.add(b2, f32x4.mul(b, value))
      value = v128.load32_splat(row, 12)
      a3 = f32x4.add(a3, f32x4.mul(a, value))
      b3 = f32x4.add(b3, f32x4.mul(b, value))
      a = v128.load(at, 32)
      b = v128.load(at, 48)
      value = v128.load32_splat(row, 16)
      a0 = f32x4.add(a0, f32x4.mul(a, value))
      b0 = f32x4.add(b0, f32x4.mul(b, value))
      value = v128.load32_splat(row, 20)
      a1 = f32x4.add(a1, f32x4.mul(a, value))
      b1 = f32x4.add(b1, f32x4.mul(b, value))
      value = v128.load32_splat(row, 24)
      a2 = f32x4.add(a2, f32x4.mul(a, value))
      b2 = f32x4.add(b2, f32x4.mul(b, value))
      value = v128.load32_splat(row, 28)
      a3 = f32x4.add(a3, f32x4.mul(a, value))
      b3 = f32x4.add(b3, f32x4.mul(b, value))
    }
    const ra = v128.load(columnRests + (<usize>column << 2))
    const rb = v128.load(columnRests + (<usize>column << 2), 16)
    const m0 = f32x4.ge(f32x4.add(a0, f32x4.mul(ra, rest0)), leasts)
    const n0 = f32x4.ge(f32x4.add(b0, f32x4.mul(rb, rest0)), leasts)
    const m1 = f32x4.ge(f32x4.add(a1, f32x4.mul(ra, rest1)), leasts)
    const n1 = f32x4.ge(f32x4.add(b1, f32x4.mul(rb, rest1)), leasts)
    const m2 = f32x4.ge(f32x4.add(a2, f32x4.mul(ra, rest2)), leasts)
    const n2 = f32x4.ge(f32x4.add(b2, f32x4.mul(rb, rest2)), leasts)
    const m3 = f32x4.ge(f32x4.add(a3, f32x4.mul(ra, rest3)), leasts)
    const n3 = f32x4.ge(f32x4.add(b3, f32x4.mul(rb, rest3)), leasts)
    if (v128.any_true(v128.or(m0, n0))) {
      if (v128.any_true(m0)) goOn(four, 0, column, a0, m0, leasts)
      if (v128.any_true(n0)) goOn(four, 0, column + 4, b0, n0, leasts)
    }
    if (v128.any_true(v128.or(m1, n1))) {
      if (v128.any_true(m1)) goOn(four, 1, column, a1, m1, leasts)
      if (v128.any_true(n1)) goOn(four, 1, column + 4, b1, n1, leasts)
    }
    if (v128.any_true(v128.or(m2, n2))) {
      if (v128.any_true(m2)) goOn(four, 2, column, a2, m2, leasts)
      if (v128.any_true(n2)) goOn(four, 2, column + 4, b2, n2, leasts)
    }
    if (v128.any_true(v128.or(m3, n3))) {
      if (v128.any_true(m3)) goOn(four, 3, column, a3, m3, leasts)
      if (v128.any_true(n3)) goOn(four, 3, column + 4, b3, n3, leasts)
    }
  }
  return foundCount
}

/** The steps after the first one, for one row and four columns of which `mask` are left. */
function goOn(four: u32, row: u32, column: u32, sums: v128, mask: v128, leasts: v128): void {
  const limit = load<u32>(limits + (<usize>((four << 2) + row) << 2))
  if (column >= limit) return
  let left = mask
  let rowAt = rows + ((<usize>four * step) << 4) + (<usize>row << 2)
  let columnAt = columns + ((<usize>(column & ~7) * step) << 2) + (<usize>(column & 4) << 2)
  let rowRest = rowRests + ((<usize>four * steps) << 4) + (<usize>row << 2)
  let columnRest = columnRests + (<usize>column << 2)
  for (let part: u32 = 1; part < steps; part += 1) {
    rowAt += rowsOfStep
    columnAt += columnsOfStep
    rowRest += 16
    columnRest += mostColumns << 2
    // Two sums, so that one addition does not wait for the other.
    let other = f32x4.splat(0)
    let at = columnAt
    const end = at + (step << 5)
    for (let place = rowAt; at < end; at += 64, place += 32) {
      sums = f32x4.add(sums, f32x4.mul(v128.load(at), v128.load32_splat(place)))
      other = f32x4.add(other, f32x4.mul(v128.load(at, 32), v128.load32_splat(place, 16)))
    }
    sums = f32x4.add(sums, other)
    left = f32x4.ge(f32x4.add(sums, f32x4.mul(v128.load(columnRest), v128.load32_splat(rowRest))), leasts)
    if (!v128.any_true(left)) return
  }
  const lanes = <u32>i32x4.bitmask(left)
  for (let lane: u32 = 0; lane < 4; lane += 1) {
    if ((lanes & (1 << lane)) === 0 || column + lane >= limit) continue
    store<u32>(found + (<usize>foundCount << 3), row)
    store<u32>(found + (<usize>foundCount << 3), column + lane, 4)
    foundCount += 1
  }
}
