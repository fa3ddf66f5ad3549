import type { MetricPoint } from "../../core/training/run.ts"
import { seriesOf } from "./series.ts"
import { niceTicks, tickText, type Scale } from "./ticks.ts"

export interface LossPlotOptions {
  /** Columns of the whole plot, numbers included; below 24 counts as 24. */
  readonly width: number
  /** Lines of the whole plot, axis and legend included; below 7 counts as 7. */
  readonly height: number
}

/**
 * The training loss as a line of braille dots and the validation loss as `o`, so that they differ without colour, with
 * numbers on both axes; at most `height` lines of at most `width` characters. Without a loss in the points a plain
 * sentence.
 */
export function renderLossPlot(points: readonly MetricPoint[], { width, height }: LossPlotOptions): string {
  const loss = seriesOf(points, "loss")
  const evalLoss = seriesOf(points, "evalLoss")
  const all = [...loss, ...evalLoss]
  if (all.length === 0) return "No loss has been logged yet."
  const rows = Math.max(7, Math.floor(height)) - 3
  const values = all.map(({ value }) => value)
  const steps = all.map(({ step }) => step)
  const vertical = niceTicks(least(values), most(values), Math.max(2, Math.min(5, Math.floor(rows / 2))))
  const margin = Math.max(...vertical.ticks.map((tick) => tickText(tick, vertical).length))
  const columns = Math.max(24, Math.floor(width)) - margin - 2
  const horizontal: Scale = { low: least(steps), high: Math.max(most(steps), least(steps) + 1), step: 1, ticks: [] }
  const canvas = brailleLine(loss, { vertical, horizontal, columns, rows })
  for (const { step, value } of evalLoss) {
    const line = canvas[placeOf(vertical, value, rows, true)]
    if (line) line[placeOf(horizontal, step, columns)] = "o"
  }
  const labels = new Map(vertical.ticks.map((tick) => [placeOf(vertical, tick, rows, true), tickText(tick, vertical)]))
  const last = (series: readonly { value: number }[]) => (series.at(-1)?.value ?? NaN).toFixed(3)
  const legend = [
    loss.length > 0 ? `⠒ training loss ${last(loss)}` : "",
    evalLoss.length > 0 ? `o validation loss ${last(evalLoss)}` : "",
  ]
    .filter((part) => part !== "")
    .join("   ")
  return [
    ...canvas.map((cells, row) =>
      `${(labels.get(row) ?? "").padStart(margin)} ${labels.has(row) ? "┤" : "│"}${cells.join("")}`.trimEnd(),
    ),
    `${" ".repeat(margin)} └${"─".repeat(columns)}`,
    `${" ".repeat(margin + 2)}${stepLabels(horizontal, columns)}`,
    legend.slice(0, margin + 2 + columns),
  ].join("\n")
}

interface Frame {
  readonly vertical: Scale
  readonly horizontal: Scale
  readonly columns: number
  readonly rows: number
}

/** A canvas of characters with the series drawn as a line; a character holds 2 by 4 dots. */
function brailleLine(
  series: readonly { step: number; value: number }[],
  { vertical, horizontal, columns, rows }: Frame,
): string[][] {
  const masks = Array.from({ length: rows }, () => new Uint8Array(columns))
  const dot = (x: number, y: number) => {
    const line = masks[y >> 2]
    if (line) line[x >> 1] = (line[x >> 1] ?? 0) | (dotBits[(y & 3) * 2 + (x & 1)] ?? 0)
  }
  let previous: { x: number; y: number } | undefined
  for (const { step, value } of series) {
    const here = { x: placeOf(horizontal, step, columns * 2), y: placeOf(vertical, value, rows * 4, true) }
    const from = previous ?? here
    const length = Math.max(1, Math.abs(here.x - from.x), Math.abs(here.y - from.y))
    for (let part = 0; part <= length; part += 1)
      dot(
        Math.round(from.x + ((here.x - from.x) * part) / length),
        Math.round(from.y + ((here.y - from.y) * part) / length),
      )
    previous = here
  }
  return masks.map((line) => Array.from(line, (mask) => (mask === 0 ? " " : String.fromCodePoint(0x2800 + mask))))
}

/** The bits of a braille character's dots, line by line, left before right (Unicode 2800–28FF). */
const dotBits = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80]

function placeOf({ low, high }: Scale, value: number, cells: number, isDownwards = false): number {
  const share = (value - low) / (high - low)
  return Math.round((isDownwards ? 1 - share : share) * (cells - 1))
}

/** The first step at the left, the last at the right and the middle one where there is room. */
function stepLabels({ low, high }: Scale, columns: number): string {
  const first = `step ${low}`
  const last = String(high)
  const middle = String(Math.round((low + high) / 2))
  const middleAt = Math.round((columns - 1) / 2 - middle.length / 2)
  const start =
    high - low > 1 && middleAt > first.length + 1 && middleAt + middle.length + 1 < columns - last.length
      ? `${first.padEnd(middleAt)}${middle}`
      : first
  return `${start.padEnd(columns - last.length)}${last}`
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((smallest, number) => Math.min(smallest, number), Infinity)
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((largest, number) => Math.max(largest, number), -Infinity)
}
