import type { ReportFailures } from "./report-data.ts"
import { html, type Html } from "./html.ts"
import { count } from "../verdict/words.ts"

/** The longest text shown of an example, in characters. */
const shownCharacters = 700

/** What the tuned model got wrong on the validation set, and why test examples are not shown. */
export function failuresOf({ validationRows, wrong, shown }: ReportFailures): Html {
  return html`<p>${summaryOf({ validationRows, wrong, shown })}</p>
<p class="soft">Only validation examples are shown, which are there to be looked at. Test examples stay sealed:
whoever reads them and then changes the data or the prompt has no test set left.</p>
${shown.length > 0 ? html`<ul class="failures">${shown.map(failureItem)}</ul>` : undefined}`
}

function summaryOf({ validationRows, wrong, shown }: ReportFailures): string {
  if (validationRows === 0) return "There is no validation set to look at."
  if (wrong === 0) return `All ${count(validationRows, "validation example")} were answered as expected.`
  const few = shown.length < wrong ? `; ${shown.length} are shown` : ""
  return `${wrong} of ${count(validationRows, "validation example")} ${wrong === 1 ? "was" : "were"} answered otherwise than expected${few}.`
}

function failureItem({ id, input, expected, answer, isReadable }: ReportFailures["shown"][number]): Html {
  return html`<li><p class="input">${clip(input)}</p><dl>
<div><dt>expected</dt><dd>${clip(expected)}</dd></div>
<div><dt>${isReadable ? "got" : "got, unreadable"}</dt><dd class="got">${answer === "" ? "(nothing)" : clip(answer)}</dd></div>
<div><dt>example</dt><dd><code>${id}</code></dd></div>
</dl></li>`
}

function clip(text: string): string {
  const characters = [...text]
  return characters.length <= shownCharacters ? text : `${characters.slice(0, shownCharacters).join("")} …`
}
