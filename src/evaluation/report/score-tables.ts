import type { Comparison } from "../scores/comparisons.ts"
import type { ContenderScores } from "../scores/contenders.ts"
import type { Latency } from "../scores/latency.ts"
import { html, type Html } from "./html.ts"
import { cell, row, table, withBelow } from "./table.ts"
import { exactPercent, figure, milliseconds, pValueText, signed } from "../verdict/words.ts"

export interface ContendersTableOptions {
  readonly metric: string
  readonly incumbent: string
  readonly confidence: number
  /** What the names of contenders stand for. */
  readonly explained: Readonly<Record<string, string>>
}

/** One row a contender: every metric with its interval, answers that could not be read, latency and tokens. */
export function contendersTable(
  contenders: readonly ContenderScores[],
  { metric, incumbent, confidence, explained }: ContendersTableOptions,
): Html {
  const others = [...new Set(contenders.flatMap(({ metrics }) => Object.keys(metrics)))].filter(
    (name) => name !== metric,
  )
  const metrics = [metric, ...others]
  const n = contenders[0]?.metrics[metric]?.n ?? 0
  const names = contenders.flatMap(({ name }) => (explained[name] ? [`${name}: ${explained[name]}`] : []))
  return html`${table({
    name: "Contenders",
    caption: `Every contender answered the same ${n} test examples. Ranges are ${exactPercent(confidence)} intervals.`,
    columns: [
      ...metrics.map((name) => html`${name}`),
      withBelow("unreadable", "answers"),
      withBelow("median time", "an answer"),
      withBelow("95th percentile", "with its interval"),
      withBelow("tokens", "an answer"),
    ],
    rows: contenders.map((contender) => contenderRow(contender, metrics, incumbent)),
  })}
${names.length > 0 ? html`<p class="soft">${names.join("; ")}.</p>` : undefined}
<p class="soft">Times are of answers asked one at a time, with the part of the prompt that all share already in the cache:
they say how long one user waits, not how many answers a busy server gives.</p>`
}

function contenderRow(
  { name, metrics, unreadable, latencyMs, tokens }: ContenderScores,
  shown: readonly string[],
  incumbent: string,
): Html {
  const scores = shown.map((metric) => {
    const score = metrics[metric]
    return score ? cell(figure(score.value), `${figure(score.low)} to ${figure(score.high)}`) : cell("–")
  })
  const tokensCell = tokens
    ? cell(`${tokens.inputMean.toFixed(0)} in`, `${tokens.outputMean.toFixed(1)} out`)
    : cell("–")
  const heading = withBelow(name, name === incumbent ? "the one to beat" : undefined)
  return row(
    heading,
    [...scores, cell(unreadable), ...latencyCells(latencyMs), tokensCell],
    name === "tuned" ? "tuned" : "other",
  )
}

function latencyCells(latency: Latency | null): Html[] {
  if (!latency) return [cell("–"), cell("–")]
  return [cell(milliseconds(latency.p50), `${latency.n} timed`), cell(milliseconds(latency.p95), boundsText(latency))]
}

function boundsText({ p95Low, p95High }: Latency): string {
  if (p95Low === undefined) return p95High === undefined ? "too few timed" : `at most ${milliseconds(p95High)}`
  return p95High === undefined
    ? `${milliseconds(p95Low)} or more`
    : `${milliseconds(p95Low)} to ${milliseconds(p95High)}`
}

/** One row a comparison of the tuned model with another contender. */
export function comparisonsTable(comparisons: readonly Comparison[], confidence: number): Html {
  if (comparisons.length === 0) return html`<p class="soft">There is nothing to compare the tuned model with.</p>`
  return table({
    name: "Comparisons",
    caption: `Differences are paired, example by example, with ${exactPercent(confidence)} percentile bootstrap intervals.
“Only one right” counts the examples that only the first and only the second got right.`,
    columns: [
      html`difference`,
      html`only one right`,
      html`by chance alone`,
      withBelow("adjusted", "for several (Holm)"),
    ],
    rows: comparisons.map(({ a, b, metric, difference, low, high, pValue, pValueHolm, test, discordance }) =>
      row(withBelow(`${a} against ${b}`, metric), [
        cell(signed(difference), `${signed(low)} to ${signed(high)}`),
        cell(discordance ? `${discordance.wins} : ${discordance.losses}` : "–"),
        cell(pValueText(pValue), test),
        cell(pValueText(pValueHolm)),
      ]),
    ),
  })
}
