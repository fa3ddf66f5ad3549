import type { MetricPoint } from "../../core/training/run.ts"
import type { ContenderScores } from "../scores/contenders.ts"
import { html, type Html } from "./html.ts"
import { seriesOf, type SeriesPoint } from "./series.ts"
import { niceTicks, tickText, type Scale } from "./ticks.ts"
import { exactPercent, figure } from "../verdict/words.ts"

/**
 * A dot for each contender's value and a line for its interval on one scale, with the incumbent's value as a dashed
 * line. Drawn in percentages of the width, so that text keeps its size on a phone. No contenders give a sentence.
 */
export function intervalPlot(
  contenders: readonly ContenderScores[],
  metric: string,
  options: { incumbent: string; confidence: number },
): Html {
  const scored = contenders.flatMap(({ name, metrics }) => {
    const score = metrics[metric]
    return score && Number.isFinite(score.value) ? [{ name, ...score }] : []
  })
  if (scored.length === 0) return html`<p class="soft">There is nothing to plot: no contender was scored.</p>`
  const scale = niceTicks(Math.min(...scored.map(({ low }) => low)), Math.max(...scored.map(({ high }) => high)), 5)
  const rowHeight = 58
  const height = scored.length * rowHeight + 16
  const at = (value: number) => `${percentOf(scale, value)}%`
  const incumbent = scored.find(({ name }) => name === options.incumbent)
  const summary = scored
    .map(({ name, value, low, high }) => `${name} ${figure(value)} (${figure(low)} to ${figure(high)})`)
    .join("; ")
  return html`<figure><svg role="img" height="${height}" aria-labelledby="plot-title plot-description">
<title id="plot-title">${metric} of every contender with its ${exactPercent(options.confidence)} interval</title>
<desc id="plot-description">${summary}.</desc>
${scale.ticks.slice(1, -1).map((tick) => html`<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="0" y2="${height - 24}"/>`)}
${scale.ticks.map((tick) => stepLabel(scale, tick, height - 6))}
${incumbent && html`<line class="incumbent" x1="${at(incumbent.value)}" x2="${at(incumbent.value)}" y1="0" y2="${height - 24}"/>`}
${scored.map(({ name, value, low, high }, position) => {
  const top = position * rowHeight
  return html`<g class="${name === "tuned" ? "tuned" : "other"}">
<text x="0" y="${top + 12}">${name}${name === options.incumbent ? " (the one to beat)" : ""}</text>
<text x="100%" y="${top + 12}" text-anchor="end">${figure(value)}</text>
<line class="interval" x1="${at(low)}" x2="${at(high)}" y1="${top + 30}" y2="${top + 30}"/>
<circle class="dot" cx="${at(value)}" cy="${top + 30}" r="6"/></g>`
})}
</svg></figure>`
}

/** The training loss as a line and the loss on the validation set as dots, over steps. Without points a sentence. */
export function trainingCurve(points: readonly MetricPoint[]): Html {
  const loss = seriesOf(points, "loss")
  const evalLoss = seriesOf(points, "evalLoss")
  const all = [...loss, ...evalLoss]
  if (all.length === 0) return html`<p class="soft">Training logged no loss.</p>`
  const highest = all.reduce((most, { value }) => Math.max(most, value), -Infinity)
  const lowest = all.reduce((least, { value }) => Math.min(least, value), 0)
  const lastStep = all.reduce((most, { step }) => Math.max(most, step), 1)
  const vertical = niceTicks(lowest, highest, 4)
  const horizontal = niceTicks(0, lastStep, 6)
  const height = 240
  const x = (step: number) => percentOf(horizontal, step)
  const y = (value: number) => 12 + (height - 12) * (1 - percentOf(vertical, value) / 100)
  const line = (series: readonly SeriesPoint[]) =>
    series.map(({ step, value }) => `${x(step)},${round(y(value))}`).join(" ")
  const last = (series: readonly SeriesPoint[]) => figure(series.at(-1)?.value ?? NaN)
  const summary = [
    loss.length > 0 ? `training loss ${figure(loss[0]?.value ?? NaN)} to ${last(loss)}` : "",
    evalLoss.length > 0 ? `validation loss ${last(evalLoss)} at the end` : "",
  ]
    .filter((part) => part !== "")
    .join("; ")
  return html`<figure><svg role="img" height="${height + 26}" aria-labelledby="curve-title curve-description">
<title id="curve-title">Loss over training steps</title>
<desc id="curve-description">${summary}.</desc>
${vertical.ticks.map((tick) => html`<line class="grid" x1="0" x2="100%" y1="${round(y(tick))}" y2="${round(y(tick))}"/>`)}
${vertical.ticks.map((tick) => html`<text class="tick" x="0" y="${round(y(tick) - 4)}">${tickText(tick, vertical)}</text>`)}
${horizontal.ticks.map((tick) => stepLabel(horizontal, tick, height + 20))}
<svg width="100%" height="${height}" viewBox="0 0 100 ${height}" preserveAspectRatio="none">
<polyline class="loss" points="${line(loss)}"/><polyline class="eval-loss" points="${line(evalLoss)}"/></svg>
${loss.length === 1 ? html`<circle class="dot" cx="${x(loss[0]?.step ?? 0)}%" cy="${round(y(loss[0]?.value ?? 0))}" r="4"/>` : undefined}
${evalLoss.map(({ step, value }) => html`<circle class="eval-dot" cx="${x(step)}%" cy="${round(y(value))}" r="4.5"/>`)}
</svg>
<ul class="legend"><li>${key("loss")}training loss</li>
${evalLoss.length > 0 ? html`<li>${key("eval-loss", html`<circle class="eval-dot" cx="14" cy="5" r="3.5"/>`)}validation loss</li>` : undefined}
<li>by training step</li></ul></figure>`
}

function key(style: string, dot?: Html): Html {
  return html`<svg aria-hidden="true"><line class="${style}" x1="0" x2="28" y1="5" y2="5"/>${dot}</svg>`
}

function percentOf({ low, high }: Scale, value: number): number {
  return round(((value - low) / (high - low)) * 100)
}

/** A number under the horizontal axis; the outermost ones stay inside the frame. */
function stepLabel(scale: Scale, tick: number, y: number): Html {
  const place = percentOf(scale, tick)
  const anchor = place < 3 ? "start" : place > 97 ? "end" : "middle"
  return html`<text class="tick" x="${place}%" y="${y}" text-anchor="${anchor}">${tickText(tick, scale)}</text>`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
