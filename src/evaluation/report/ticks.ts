/** A scale from `low` to `high` with round numbers as ticks, `step` apart. */
export interface Scale {
  readonly low: number
  readonly high: number
  readonly step: number
  readonly ticks: readonly number[]
}

/**
 * A scale that holds both values, ends on ticks and has about `wanted` of them, 1, 2 or 5 times a power of ten apart.
 * Values that are equal up to rounding get room on both sides.
 */
export function niceTicks(low: number, high: number, wanted: number): Scale {
  const isPoint = high - low <= Math.max(Math.abs(low), Math.abs(high), 1e-3) * 1e-9
  const room = isPoint ? Math.max(Math.abs(low) * 0.1, 0.05) : 0
  const raw = (high - low + 2 * room) / wanted
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = power * ([1, 2, 5].find((multiple) => multiple * power >= raw * 0.999) ?? 10)
  const first = Math.floor((low - room) / step + 1e-9)
  const last = Math.ceil((high + room) / step - 1e-9)
  const ticks = Array.from({ length: last - first + 1 }, (_, position) => (first + position) * step)
  return { low: first * step, high: last * step, step, ticks }
}

/** The tick with as many decimals as the scale's step needs. */
export function tickText(tick: number, { step }: Scale): string {
  const text = tick.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))
  return Number(text) === 0 ? text.replace("-", "") : text
}
