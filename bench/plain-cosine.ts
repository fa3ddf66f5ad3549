// The search for near vectors as it was before assembly/cosine.ts: what bench/cosine.ts compares with.
import type { CosinePair } from "../src/curation/near/cosine.ts"

/**
 * Every pair of a row and a column whose vectors have at least that cosine, exact, in the order of the rows, then of
 * the columns. Vectors are of length 1 and have the same number of dimensions; `columnsOf` says how many of the columns
 * a row is compared with (all earlier ones, for pairs within one list).
 *
 * Blocked, so that both sides stay in the cache, and given up early: what the dimensions that are left can still add is
 * at most the product of the lengths of what is left of both vectors (Cauchy and Schwarz), so that most pairs cost a
 * sixth of the dimensions.
 */
export function cosinePairs(
  rows: readonly Float32Array[],
  columns: readonly Float32Array[],
  threshold: number,
  columnsOf: (row: number) => number = () => columns.length,
): CosinePair[] {
  const dimensions = (rows[0] ?? columns[0])?.length ?? 0
  const stray = [...rows, ...columns].find(({ length }) => length !== dimensions)
  if (stray !== undefined)
    throw new RangeError(`vectors of ${dimensions} and of ${stray.length} dimensions cannot be compared`)
  const left = new Packed(rows, dimensions)
  const right = rows === columns ? left : new Packed(columns, dimensions)
  const found: CosinePair[] = []
  for (let top = 0; top < rows.length; top += rowBlock) {
    const bottom = Math.min(rows.length, top + rowBlock)
    const inBlock: CosinePair[] = []
    for (let start = 0; start < columnsOf(bottom - 1); start += columnBlock)
      for (let row = top; row < bottom; row += 1) {
        const end = Math.min(columnsOf(row), start + columnBlock)
        for (const column of near(left, row, right, start, end, threshold)) {
          const cosine = cosineFrom(left, row, right, column, threshold)
          if (cosine >= threshold) inBlock.push({ a: row, b: column, cosine: Math.min(1, cosine) })
        }
      }
    for (const pair of inBlock.sort((x, y) => x.a - y.a || x.b - y.b)) found.push(pair)
  }
  return found
}

const rowBlock = 64
const columnBlock = 512
/** A step is this part of the dimensions: after the first one it is mostly certain that a pair is not near. */
const stepsWanted = 6

/** The vectors cut into steps; of each step all vectors lie together, with the length of what is left after it. */
class Packed {
  /** How many dimensions a step has: a multiple of 4. */
  readonly step: number
  readonly steps: readonly Float32Array[]
  readonly rests: readonly Float64Array[]

  constructor(vectors: readonly Float32Array[], dimensions: number) {
    const step = 4 * Math.max(1, Math.ceil(dimensions / (4 * stepsWanted)))
    this.step = step
    const count = Math.max(1, Math.ceil(dimensions / step))
    this.steps = Array.from({ length: count }, () => new Float32Array(vectors.length * step))
    this.rests = Array.from({ length: count }, () => new Float64Array(vectors.length))
    for (const [place, vector] of vectors.entries()) {
      let squares = 0
      for (let part = count - 1; part >= 0; part -= 1) {
        ;(this.rests[part] as Float64Array)[place] = Math.sqrt(squares)
        const piece = vector.subarray(part * step, (part + 1) * step)
        ;(this.steps[part] as Float32Array).set(piece, place * step)
        for (const value of piece) squares += value * value
      }
    }
  }
}

// Rounding of sums in 32-bit floats must not lose a pair right at the threshold.
const slack = 1e-6

/** The columns from `start` to `end` that may be near by their first step. Nearly all time is spent here. */
function near(left: Packed, row: number, right: Packed, start: number, end: number, threshold: number): number[] {
  const { step } = left
  const a = (left.steps[0] as Float32Array).subarray(row * step, (row + 1) * step)
  const b = right.steps[0] as Float32Array
  const rest = (left.rests[0] as Float64Array)[row] as number
  const rests = right.rests[0] as Float64Array
  const least = threshold - slack
  const found: number[] = []
  for (let column = start; column < end; column += 1) {
    if (dot(a, 0, b, column * step, step) + rest * (rests[column] as number) >= least) found.push(column)
  }
  return found
}

/** The cosine, or something below the threshold as soon as that is certain. */
function cosineFrom(left: Packed, row: number, right: Packed, column: number, threshold: number): number {
  const { step } = left
  let sum = 0
  for (let part = 0; part < left.steps.length; part += 1) {
    sum += dot(left.steps[part] as Float32Array, row * step, right.steps[part] as Float32Array, column * step, step)
    const rest =
      ((left.rests[part] as Float64Array)[row] as number) * ((right.rests[part] as Float64Array)[column] as number)
    if (sum + rest < threshold - slack) return -1
  }
  return sum
}

function dot(a: Float32Array, i: number, b: Float32Array, j: number, length: number): number {
  let [first, second, third, fourth] = [0, 0, 0, 0]
  for (let place = 0; place < length; place += 4) {
    first += (a[i + place] as number) * (b[j + place] as number)
    second += (a[i + place + 1] as number) * (b[j + place + 1] as number)
    third += (a[i + place + 2] as number) * (b[j + place + 2] as number)
    fourth += (a[i + place + 3] as number) * (b[j + place + 3] as number)
  }
  return first + second + (third + fourth)
}
