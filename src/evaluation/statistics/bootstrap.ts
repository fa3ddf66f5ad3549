import type { ScoredRow } from "../../core/contracts/metric.ts"
import { seededRandom, type Random } from "./random.ts"

/** From `low` to `high`, both included. */
export interface Interval {
  readonly low: number
  readonly high: number
}

export interface BootstrapOptions {
  /** Each contender's answers to the same rows in the same order. */
  readonly rowsByContender: ReadonlyMap<string, readonly ScoredRow[]>
  /** The metric over a resample of the rows. */
  readonly value: (rows: readonly ScoredRow[]) => number
  /** For a metric that is a mean over rows: the score of each row. The result is the same as by `value`, and faster. */
  readonly rowScores?: ((rows: readonly ScoredRow[]) => Float64Array) | undefined
  /** The places of rows that are drawn together; default: each row by itself. */
  readonly units?: readonly Uint32Array[] | undefined
  readonly resamples: number
  readonly confidence: number
  readonly seed: number
}

/** The intervals that a bootstrap found. */
export interface Bootstrap {
  /** Of one contender's value. */
  interval(contender: string): Interval
  /** Of the first contender's value less the second's, paired by row. */
  difference(first: string, second: string): Interval
}

/**
 * The percentile bootstrap over rows (Efron 1979; percentile, not BCa): rows are drawn with replacement, the same draw
 * for every contender, so that differences are paired; rows of one unit are drawn together (the cluster bootstrap of
 * Field and Welsh 2007). The same seed and rows give the same intervals. No rows give
 * NaN. Throws RangeError when the contenders' rows are not the same.
 */
export function bootstrapIntervals({
  rowsByContender,
  value,
  rowScores,
  units,
  resamples,
  confidence,
  seed,
}: BootstrapOptions): Bootstrap {
  requireSameRows(rowsByContender)
  const statistics = [...rowsByContender].map(([name, rows]) => ({
    name,
    statistic: rowScores ? meanAt(rowScores(rows)) : valueAt(rows, value),
    resampled: new Float64Array(resamples),
  }))
  const rows = rowsByContender.values().next().value?.length ?? 0
  const draw = units === undefined ? drawRows(rows) : drawUnits(units)
  const random = seededRandom(seed)
  for (let resample = 0; resample < resamples; resample += 1) {
    const positions = draw(random)
    for (const { statistic, resampled } of statistics) resampled[resample] = statistic(positions)
  }
  const resampledOf = (name: string) => {
    const found = statistics.find((each) => each.name === name)
    if (!found)
      throw new RangeError(`no contender ${name}; there are ${statistics.map((each) => each.name).join(", ")}`)
    return found.resampled
  }
  return {
    interval: (name) => percentileInterval(resampledOf(name), confidence),
    difference: (first, second) => {
      const subtrahend = resampledOf(second)
      return percentileInterval(
        resampledOf(first).map((figure, resample) => figure - (subtrahend[resample] ?? NaN)),
        confidence,
      )
    },
  }
}

/** As many rows as there are, overwritten by the next draw. */
function drawRows(rows: number): (random: Random) => Uint32Array {
  const positions = new Uint32Array(rows)
  return (random) => {
    for (let draw = 0; draw < rows; draw += 1) positions[draw] = random.below(rows)
    return positions
  }
}

/** As many units as there are, so that the number of rows may be another; overwritten by the next draw. */
function drawUnits(units: readonly Uint32Array[]): (random: Random) => Uint32Array {
  const largest = units.reduce((most, { length }) => Math.max(most, length), 0)
  const positions = new Uint32Array(largest * units.length)
  return (random) => {
    let end = 0
    for (let draw = 0; draw < units.length; draw += 1) {
      const unit = units[random.below(units.length)] as Uint32Array
      positions.set(unit, end)
      end += unit.length
    }
    return positions.subarray(0, end)
  }
}

/**
 * The middle share of the values that `confidence` names, bounds interpolated between neighbours. Order does not
 * matter; no values give NaN.
 */
export function percentileInterval(values: Float64Array, confidence: number): Interval {
  const sorted = values.toSorted()
  const outside = (1 - confidence) / 2
  return { low: quantile(sorted, outside), high: quantile(sorted, 1 - outside) }
}

function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? NaN
  const above = sorted[Math.ceil(place)] ?? NaN
  return below + (above - below) * (place - Math.floor(place))
}

function meanAt(scores: Float64Array): (positions: Uint32Array) => number {
  return (positions) => {
    let sum = 0
    for (const position of positions) sum += scores[position] ?? NaN
    return sum / positions.length
  }
}

function valueAt(
  rows: readonly ScoredRow[],
  value: (rows: readonly ScoredRow[]) => number,
): (positions: Uint32Array) => number {
  return (positions) => value(Array.from(positions, (position) => rows[position] as ScoredRow))
}

function requireSameRows(rowsByContender: ReadonlyMap<string, readonly ScoredRow[]>): void {
  let first: { name: string; rows: readonly ScoredRow[] } | undefined
  for (const [name, rows] of rowsByContender) {
    first ??= { name, rows }
    const firstRows = first.rows
    if (rows.length !== firstRows.length || rows.some(({ id }, position) => id !== firstRows[position]?.id))
      throw new RangeError(
        `${first.name} and ${name} did not answer the same rows in the same order: they cannot be compared`,
      )
  }
}
