import type { ReportData } from "./report-data.ts"
import { html, unbroken, type Html } from "./html.ts"
import { figure, signed, wholeNumber } from "../verdict/words.ts"

const headings = {
  promote: { mark: "✓", text: () => "Promote the tuned model" },
  reject: { mark: "✕", text: (incumbent: string) => `Reject: keep ${incumbent}` },
  undecided: { mark: "?", text: () => "Undecided" },
} as const

/** The verdict, its reason, the figures it rests on and the rule; shown by words and a mark, not by colour alone. */
export function verdictBanner({ verdict, incumbent, metric, contenders, comparisons }: ReportData): Html {
  const { mark, text } = headings[verdict.verdict]
  const difference = comparisons.find((each) => each.b === incumbent && each.metric === metric)
  const score = (name: string) => {
    const found = contenders.find((contender) => contender.name === name)?.metrics[metric]
    return (
      found && keyFigure(`${metric}, ${name}`, figure(found.value), `${figure(found.low)} to ${figure(found.high)}`)
    )
  }
  return html`<div class="verdict ${verdict.verdict}" role="group" aria-label="Verdict">
<h2><span class="mark" aria-hidden="true">${mark}</span>${text(incumbent)}</h2>
<p class="reason">${unbroken(verdict.reason)}</p>
<dl class="figures">
${score("tuned")}${score(incumbent)}
${difference && keyFigure("difference", signed(difference.difference), `${signed(difference.low)} to ${signed(difference.high)}`)}
${keyFigure("test examples", wholeNumber(verdict.power.rows), `the rule needs ${wholeNumber(verdict.power.needed)}`)}
</dl>
<p class="rule"><strong>The rule, written before training.</strong> ${unbroken(verdict.rule)}</p>
</div>`
}

function keyFigure(name: string, value: string, range: string): Html {
  return html`<div><dt>${name}</dt><dd><span class="value">${value}</span><span class="range">${range}</span></dd></div>`
}
