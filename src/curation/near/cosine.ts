import { cosineCode } from "./cosine-code.ts"
import { instantiate } from "./web-assembly.ts"

/** Two places whose vectors are near, and the cosine between them. */
export interface CosinePair {
  readonly a: number
  readonly b: number
  readonly cosine: number
}

/**
 * Every pair of a row and a column whose vectors have at least that cosine, exact, in the order of the rows, then of
 * the columns. Vectors are of length 1 and have the same number of dimensions; `columnsOf` says how many of the columns
 * a row is compared with (all earlier ones, for pairs within one list).
 *
 * assembly/cosine.ts looks for them in 32-bit floats, block by block, so that both sides stay in the cache. It gives up
 * early: what the dimensions that are left can still add is at most the product of the lengths of what is left of both
 * vectors (Cauchy and Schwarz), so that most pairs cost a sixth of the dimensions. What it finds is computed here.
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
  const blocks = new Blocks(dimensions, Math.min(rows.length, mostRows), Math.min(columns.length, mostColumns))
  // Sums of 32-bit floats must not lose a pair: each addition rounds by less than 2^-24 of a sum that is at most about
  // 1.
  const least = threshold - 1e-6 - dimensions * 2 ** -23
  const found: CosinePair[] = []
  for (let top = 0; top < rows.length; top += mostRows) {
    const block = rows.slice(top, top + mostRows)
    const limits = block.map((_, row) => columnsOf(top + row))
    const end = limits.reduce((most, limit) => Math.max(most, limit), 0)
    const inBlock: CosinePair[] = []
    blocks.setRows(block)
    for (let start = 0; start < end; start += mostColumns) {
      blocks.setColumns(
        columns.slice(start, Math.min(end, start + mostColumns)),
        limits.map((limit) => limit - start),
      )
      for (const [row, column] of blocks.near(least)) {
        const [a, b] = [top + row, start + column]
        const cosine = dot(rows[a] as Float32Array, columns[b] as Float32Array)
        if (cosine >= threshold) inBlock.push({ a, b, cosine: Math.min(1, cosine) })
      }
    }
    for (const pair of inBlock.sort((x, y) => x.a - y.a || x.b - y.b)) found.push(pair)
  }
  return found
}

const mostRows = 2048
const mostColumns = 512
/** A step is this part of the dimensions: after the first one it is mostly certain that a pair is not near. */
const stepsWanted = 6

/** What assembly/cosine.ts exports. */
interface Code {
  readonly memory: { readonly buffer: ArrayBuffer }
  reserve(steps: number, dimensions: number, rows: number, columns: number): void
  rowsAt(): number
  columnsAt(): number
  rowRestsAt(): number
  columnRestsAt(): number
  limitsAt(): number
  foundAt(): number
  near(four: number, least: number): number
}

/** A block of rows and one of columns, in the memory of the code. */
class Blocks {
  readonly #code = instantiate<Code>(cosineCode)
  readonly #step: number
  readonly #steps: number
  readonly #rows: number
  readonly #columns: number
  readonly #floats: Float32Array
  readonly #numbers: Int32Array
  #rowCount = 0

  constructor(dimensions: number, rows: number, columns: number) {
    this.#step = 2 * Math.max(1, Math.ceil(dimensions / (2 * stepsWanted)))
    this.#steps = Math.max(1, Math.ceil(dimensions / this.#step))
    this.#rows = 4 * Math.ceil(rows / 4)
    this.#columns = 8 * Math.ceil(columns / 8)
    this.#code.reserve(this.#steps, this.#step, this.#rows, this.#columns)
    this.#floats = new Float32Array(this.#code.memory.buffer)
    this.#numbers = new Int32Array(this.#code.memory.buffer)
  }

  setRows(vectors: readonly Float32Array[]): void {
    this.#rowCount = vectors.length
    const [rests, steps] = [this.#code.rowRestsAt() >> 2, this.#steps]
    this.#lay(
      vectors,
      this.#code.rowsAt() >> 2,
      this.#rows,
      4,
      (row, part) => rests + 4 * (steps * (row >> 2) + part) + (row & 3),
    )
  }

  /** Each row is compared with as many of the columns as its limit says. */
  setColumns(vectors: readonly Float32Array[], limits: readonly number[]): void {
    const rests = this.#code.columnRestsAt() >> 2
    this.#lay(
      vectors,
      this.#code.columnsAt() >> 2,
      this.#columns,
      8,
      (column, part) => rests + this.#columns * part + column,
    )
    const at = this.#code.limitsAt() >> 2
    for (let row = 0; row < this.#rows; row += 1)
      this.#numbers[at + row] = Math.max(0, Math.min(limits[row] ?? 0, vectors.length))
  }

  /** The pairs of a row and a column that may be near. */
  *near(least: number): Generator<readonly [row: number, column: number]> {
    const at = this.#code.foundAt() >> 2
    for (let four = 0; 4 * four < this.#rowCount; four += 1) {
      const count = this.#code.near(four, least)
      for (let pair = at; pair < at + 2 * count; pair += 2)
        yield [4 * four + (this.#numbers[pair] as number), this.#numbers[pair + 1] as number]
    }
  }

  /**
   * Lays the vectors out: of each step, of so many vectors together, dimension by dimension; and the length of what is
   * left after each step.
   */
  #lay(
    vectors: readonly Float32Array[],
    start: number,
    room: number,
    together: number,
    restAt: (place: number, part: number) => number,
  ): void {
    const [floats, step] = [this.#floats, this.#step]
    for (const [place, vector] of vectors.entries()) {
      const lane = place % together
      let squares = 0
      for (let part = this.#steps - 1; part >= 0; part -= 1) {
        floats[restAt(place, part)] = Math.sqrt(squares)
        const at = start + (room * part + place - lane) * step + lane
        for (let dimension = 0; dimension < step; dimension += 1) {
          const value = vector[part * step + dimension] ?? 0
          floats[at + together * dimension] = value
          squares += value * value
        }
      }
    }
  }
}

/** The same for the same two vectors, whichever comes first. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let place = 0; place < a.length; place += 1) sum += (a[place] as number) * (b[place] as number)
  return sum
}
