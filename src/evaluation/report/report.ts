import { intervalPlot, trainingCurve } from "./charts.ts"
import { confusionTable, labelsTable } from "./confusion-table.ts"
import type { ReportData } from "./report-data.ts"
import { failuresOf } from "./failures.ts"
import { html, trusted, unbroken, type Html } from "./html.ts"
import { provenanceList } from "./provenance.ts"
import { reportStyle } from "./style.ts"
import { outOfScopeTable, prevalenceTable } from "./slices-table.ts"
import { comparisonsTable, contendersTable } from "./score-tables.ts"
import { verdictBanner } from "./verdict-banner.ts"

/**
 * The report as one HTML file that stands alone: no script, nothing loaded from elsewhere, every text escaped, light
 * and dark, fit for paper and phone. Equal data give equal bytes. Parts without data say so in a sentence.
 */
export function renderReport(data: ReportData): string {
  const { contenders, comparisons, metric, incumbent, confidence, confusion, prevalence, outOfScope, provenance } = data
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${data.task}: ${data.verdict.verdict} – ${data.run}</title>
<style>${trusted(reportStyle)}</style>
</head>
<body>
<main>
<header>
<p class="overline">Evaluation of a tuned model · job ${data.job}</p>
<h1>${data.task}</h1>
<p>${data.description}</p>
<p class="soft">Run <code>${data.run}</code> · evaluation <code>${data.evaluation}</code></p>
</header>
${verdictBanner(data)}
${data.notes.length > 0 ? section("Worth knowing", noteList(data.notes)) : undefined}
${section(`${metric} of every contender`, intervalPlot(contenders, metric, { incumbent, confidence }))}
${section("Contenders", contendersTable(contenders, { metric, incumbent, confidence, explained: data.explained }))}
${section("The tuned model against the others", comparisonsTable(comparisons, confidence))}
${prevalence && section("At the true prevalence", prevalenceTable(prevalence, contenders))}
${outOfScope && section("Out of scope", outOfScopeTable(outOfScope))}
${confusion && section("Label by label", labelsTable(confusion))}
${confusion && section("What is taken for what", confusionTable(confusion))}
${section("Training", trainingCurve(data.training))}
${section("What it got wrong", failuresOf(data.failures))}
${section("Where the figures come from", provenanceList(provenance))}
<footer>Made by Tuneloop ${provenance.toolVersion} on ${provenance.at}. This file needs nothing else.</footer>
</main>
</body>
</html>
`.html
}

function section(heading: string, content: Html): Html {
  return html`<section><h2>${heading}</h2>
${content}</section>`
}

function noteList(notes: readonly string[]): Html {
  return html`<ul class="notes">${notes.map((note) => html`<li>${unbroken(note)}</li>`)}</ul>`
}
