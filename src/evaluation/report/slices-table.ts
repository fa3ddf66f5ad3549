import type { ContenderScores, MetricScore } from "../scores/contenders.ts"
import type { PrevalenceScores } from "../scores/prevalence.ts"
import { html, type Html } from "./html.ts"
import { cell, row, table } from "./table.ts"
import type { OutOfScope } from "../scores/slices.ts"
import { count, figure, percent } from "../verdict/words.ts"

/** Every metric of every contender as it would be at the true prevalence, above the plain figure. */
export function prevalenceTable(
  { contenders, shares, untested, effectiveRows }: PrevalenceScores,
  plain: readonly ContenderScores[],
): Html {
  const metrics = [...new Set(contenders.flatMap((contender) => Object.keys(contender.metrics)))]
  const interval = ({ low, high }: { low?: number; high?: number }) =>
    low === undefined || high === undefined ? "" : `${figure(low)} to ${figure(high)}, `
  const farthest = shares.toSorted((a, b) => Math.abs(b.true - b.test) - Math.abs(a.true - a.test)).slice(0, 5)
  return html`${table({
    name: "At the true prevalence",
    caption: `Each test example counts for the true share of its label over the label's share of the test set. The rule goes by the plain figures.`,
    columns: metrics.map((name) => html`${name}`),
    rows: contenders.map((contender) =>
      row(
        contender.name,
        metrics.map((name) => {
          const score = contender.metrics[name]
          const before = plain.find((each) => each.name === contender.name)?.metrics[name]
          return score
            ? cell(figure(score.value), `${interval(score)}plain ${before ? figure(before.value) : "–"}`)
            : cell("–")
        }),
      ),
    ),
  })}
<p class="soft">${farthest.map(({ label, test, true: share }) => `${label}: ${percent(test)} of the test set, ${percent(share)} in truth`).join("; ")}.
Weighted like this, the test set says as much as ${count(Math.round(effectiveRows), "evenly weighted example")}.${
    untested.length > 0 ? html` No test example has ${untested.join(", ")}.` : undefined
  }</p>`
}

/** What is out of the task's scope, and what is in it, contender by contender. */
export function outOfScopeTable({ label, isDeclared, rows, contenders }: OutOfScope): Html {
  const share = (score: MetricScore | null) =>
    score === null ? cell("–") : cell(figure(score.value), `${figure(score.low)} to ${figure(score.high)}`)
  return html`${table({
    name: "Out of scope",
    caption: `${count(rows.out, "test example")} out of scope (${label}) and ${rows.in} in it, apart.`,
    columns: [html`recognised as out of scope`, html`right in scope`, html`in scope, turned away`],
    rows: contenders.map(({ name, recognised, inScopeAccuracy, turnedAway }) =>
      row(name, [share(recognised), share(inScopeAccuracy), cell(turnedAway)]),
    ),
  })}
${isDeclared ? undefined : html`<p class="soft">The label is taken as out of scope by its name; output.outOfScope of the specification may name another.</p>`}`
}
