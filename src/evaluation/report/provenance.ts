import type { ReportProvenance } from "./report-data.ts"
import { html, type Html } from "./html.ts"
import { describeWear } from "../verdict/wear.ts"
import { count, wholeNumber } from "../verdict/words.ts"

/**
 * Everything that decides the figures: data, prompt, base model, method, seed and machine, and how often the test set
 * was opened.
 */
export function provenanceList(provenance: ReportProvenance): Html {
  const {
    rows,
    leaks,
    revision,
    trainedOn,
    evaluatedOn,
    trainingSeconds,
    testOpenings,
    wear,
    tainted = [],
  } = provenance
  return html`<dl class="provenance">
${entry("dataset version", code(provenance.dataset))}
${entry("holdout", code(provenance.holdout))}
${entry("examples", `${wholeNumber(rows.train)} train, ${wholeNumber(rows.validation)} validation, ${wholeNumber(rows.test)} test`)}
${leaks && entry("leaks", `${leaks.found === 0 ? "none" : leaks.found} found; checked: ${leaks.checks.join(", ")}`)}
${tainted.length > 0 ? entry("left out of the test", taintText(tainted)) : undefined}
${entry("test set opened", testOpenings === 1 ? "once, for this evaluation" : `${testOpenings} times, this evaluation included`)}
${wear && entry("wear", describeWear(wear))}
${entry("prompt version", code(provenance.prompt))}
${entry("base model", html`${code(provenance.baseModel)}${revision ? html`, revision ${code(revision)}` : undefined}`)}
${entry("method", settings(provenance.method))}
${entry("hyperparameters", settings(provenance.hyperparameters))}
${entry("seed", String(provenance.seed))}
${entry("plan", code(provenance.planDigest))}
${entry("trained by", provenance.backend)}
${entry("trained on", trainedOn ?? "not recorded")}
${trainingSeconds === undefined || trainingSeconds === null ? undefined : entry("training time", duration(trainingSeconds))}
${entry("evaluated", `${provenance.at}, Tuneloop ${provenance.toolVersion}`)}
${evaluatedOn === undefined ? undefined : entry("evaluated on", evaluatedOn)}
</dl>`
}

const shownTaints = 20

/** Ids alone: a sealed row stays sealed. */
function taintText(tainted: NonNullable<ReportProvenance["tainted"]>): string {
  const named = tainted
    .slice(0, shownTaints)
    .map(({ id, check, train, contenders }) => `${id} (${check} with ${train}, seen by ${contenders.join(", ")})`)
  return `${count(tainted.length, "example")}: ${named.join("; ")}${tainted.length > shownTaints ? "; …" : ""}`
}

function entry(name: string, value: string | Html): Html {
  return html`<dt>${name}</dt><dd>${value}</dd>`
}

function code(text: string): Html {
  return html`<code>${text}</code>`
}

function settings(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ")
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? count(minutes, "minute") : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
