import type { MetricPoint } from "../../core/training/run.ts"

/** One value of a series. */
export interface SeriesPoint {
  readonly step: number
  readonly value: number
}

/** The finite values that the points have under the name, in their order. */
export function seriesOf(points: readonly MetricPoint[], name: string): SeriesPoint[] {
  return points.flatMap(({ step, values }) => {
    const value = values[name]
    return value !== undefined && Number.isFinite(value) ? [{ step, value }] : []
  })
}
