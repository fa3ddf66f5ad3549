import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { confusionOf } from "../../../src/evaluation/scores/confusion.ts"
import { scoreContenders } from "../../../src/evaluation/scores/contenders.ts"
import { renderReport } from "../../../src/evaluation/report/report.ts"
import type { ReportData } from "../../../src/evaluation/report/report-data.ts"
import { escapeHtml } from "../../../src/evaluation/report/html.ts"
import { reportStyle } from "../../../src/evaluation/report/style.ts"
import { niceTicks } from "../../../src/evaluation/report/ticks.ts"
import { decide } from "../../../src/evaluation/verdict/verdict.ts"
import accuracy from "../../../src/metrics/accuracy.ts"
import { sampleReport } from "./sample-report.ts"
import { labelTask, scored } from "../scores/sample-rows.ts"

fc.configureGlobal({ seed: 20_261_124 })

const nasty = `<script>alert("x")</script> & 'quoted' </style></section><img src=x onerror=alert(1)>`

describe("renderReport", () => {
  const page = renderReport(sampleReport())

  it("is well-formed: every element is closed in order", () => {
    expect(unclosed(page)).toEqual([])
    expect(unclosed(renderReport(emptyReport()))).toEqual([])
    expect(unclosed("<p><b></p>")).not.toEqual([])
  })

  it("loads nothing: no address, no script, no import", () => {
    for (const text of [page, renderReport(withTexts(nasty))]) {
      expect(text).not.toMatch(
        /https?:|\/\/[a-z]|url\(|@import|<script|<link|<img|<iframe|<[^>]*\s(src|href|on[a-z]+)=/i,
      )
      expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
    }
  })

  it("escapes every text that it is given", () => {
    const text = renderReport(withTexts(nasty))
    expect(text).not.toContain("<script")
    expect(text).not.toContain("<img")
    expect(text).toContain(escapeHtml(nasty))
    expect(unclosed(text)).toEqual([])
    expect(text.replace(/<style>.*?<\/style>/s, "").match(/<\/?section/g)?.length).toBe(
      page.replace(/<style>.*?<\/style>/s, "").match(/<\/?section/g)?.length,
    )
  })

  it("names the machine that trained, and the one that evaluated under its own name", () => {
    const { provenance } = sampleReport()
    const text = renderReport(sampleReport())
    expect(text).toContain("<dt>trained on</dt><dd>two CPU cores</dd>")
    expect(text).toContain("<dt>evaluated on</dt><dd>another machine</dd>")
    const unknown = renderReport({ ...sampleReport(), provenance: { ...provenance, trainedOn: undefined } })
    expect(unknown).toContain("<dt>trained on</dt><dd>not recorded</dd>")
  })

  it("is well-formed and free of markup from outside whatever the texts are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const rendered = renderReport(withTexts(text))
        expect(unclosed(rendered)).toEqual([])
        expect(rendered.isWellFormed()).toBe(true)
        expect(rendered.match(/</g)?.length).toBe(renderReport(withTexts("x")).match(/</g)?.length)
      }),
      { numRuns: 40 },
    )
  })

  it("says the verdict, its reason, its rule and the notes", () => {
    const data = sampleReport()
    const flat = page.replaceAll("\u00A0", " ")
    for (const text of [data.verdict.reason, data.verdict.rule, ...data.notes]) expect(flat).toContain(escapeHtml(text))
    expect(page).toContain("Promote the tuned model")
    expect(renderReport({ ...data, verdict: { ...data.verdict, verdict: "reject" } })).toContain(
      "Reject: keep few-shot",
    )
    expect(renderReport({ ...data, verdict: { ...data.verdict, verdict: "undecided" } })).toContain(">Undecided<")
  })

  it("shows every figure of a contender", () => {
    expect(page).toMatch(
      /<tr class="tuned"><th scope="row">tuned<\/th>\s*<td>0\.900<span class="range">0\.826 to 0\.945<\/span><\/td>/,
    )
    expect(page).toContain("the one to beat")
    expect(page).toContain("exact McNemar")
    expect(page).toContain("one at a time")
  })

  it("shows where the figures come from", () => {
    const { provenance } = sampleReport()
    for (const text of [
      provenance.dataset,
      provenance.holdout,
      provenance.prompt,
      provenance.baseModel,
      provenance.planDigest,
      "rank 16",
      "learningRate 0.0002",
      "3 times, this evaluation included",
      "none found; checked: lineage, exact, near, ngram",
      "7 minutes",
      "2026-11-24T10:00:00Z",
    ])
      expect(page).toContain(text)
    expect(renderReport({ ...sampleReport(), provenance: { ...provenance, testOpenings: 1 } })).toContain(
      "once, for this evaluation",
    )
  })

  it("shows failures of the validation set and says that test stays sealed", () => {
    expect(page).toContain("2 of 20 validation examples were answered otherwise than expected.")
    expect(page).toContain("Test examples stay sealed")
    expect(page).toContain("got, unreadable")
    expect(renderReport({ ...sampleReport(), failures: { validationRows: 20, wrong: 0, shown: [] } })).toContain(
      "All 20 validation examples were answered as expected.",
    )
  })

  it("has a title and a description for every chart, and captions and scopes for every table", () => {
    const charts = page.match(/<svg role="img"[^>]*aria-labelledby="([a-z-]+) ([a-z-]+)"/g) ?? []
    expect(charts.length).toBe(2)
    for (const chart of charts)
      for (const id of chart.match(/aria-labelledby="([^"]+)"/)?.[1]?.split(" ") ?? [])
        expect(page.split(`id="${id}"`).length).toBe(2)
    const tables = page.split("<table").slice(1)
    expect(tables.length).toBe(4)
    for (const table of tables) expect(table).toMatch(/^[^>]*>\n<caption>/)
    expect(page).not.toMatch(/<th(?! scope=)(?=[ >])/)
  })

  it("says in a sentence what is missing", () => {
    const empty = renderReport(emptyReport())
    for (const sentence of [
      "no contender was scored",
      "nothing to compare",
      "Training logged no loss",
      "no validation set",
    ])
      expect(empty).toContain(sentence)
    expect(empty).not.toMatch(/NaN|undefined|Infinity/)
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })

  it("lists the commonest mix-ups instead of a matrix when there are many labels", () => {
    const labels = Array.from({ length: 40 }, (_, position) => `label-${position}`)
    const rows = scored(
      labels,
      labels.map((label, position) => (position === 3 ? "label-9" : label)),
    )
    const text = renderReport({ ...sampleReport(), confusion: confusionOf(rows, labels) })
    expect(text).toContain("The commonest mix-ups, 1 of 1.")
    expect(text).toContain('<tr class="plain"><th scope="row">label-3</th><td>label-9</td><td>1</td></tr>')
  })

  it("gives equal bytes for equal data, also after JSON", () => {
    expect(renderReport(JSON.parse(JSON.stringify(sampleReport())) as ReportData)).toBe(page)
  })

  it("keeps charts inside their frames for a loss that is huge, negative, constant or logged once", () => {
    for (const losses of [[1e6, 3], [-2, -1], [0.5, 0.5, 0.5], [2], [0]]) {
      const text = renderReport({
        ...sampleReport(),
        training: losses.map((loss, step) => ({ step: step + 1, values: { loss } })),
      })
      const places = [
        ...(text.match(/<polyline class="loss" points="([^"]*)"/)?.[1] ?? "").matchAll(/([-\d.]+),([-\d.]+)/g),
      ]
      expect(places.length).toBe(losses.length)
      for (const [, x, y] of places) {
        expect(Number(x)).toBeGreaterThanOrEqual(0)
        expect(Number(x)).toBeLessThanOrEqual(100)
        expect(Number(y)).toBeGreaterThanOrEqual(11.9)
        expect(Number(y)).toBeLessThanOrEqual(240)
      }
    }
  })
})

describe("escapeHtml", () => {
  it("escapes what could end a text or an attribute, and replaces what HTML forbids", () => {
    expect(escapeHtml(`<a b="c" d='e'>&`)).toBe("&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;")
    expect(escapeHtml("a\u0000b\u001bc\ud800d\te\nf😀")).toBe("a\ufffdb\ufffdc\ufffdd\te\nf😀")
  })
})

describe("reportStyle", () => {
  const schemes = [
    reportStyle.match(/:root \{(.*?)\n\}/s)?.[1] ?? "",
    reportStyle.match(/dark\) \{\s*:root \{(.*?)\n {2}\}/s)?.[1] ?? "",
  ]
  const pairs: [string, string][] = [
    ["text", "page"],
    ["text", "surface"],
    ["soft", "page"],
    ["soft", "surface"],
    ["warm", "surface"],
    ["good", "good-ground"],
    ["bad", "bad-ground"],
    ["open", "open-ground"],
    ["text", "good-ground"],
    ["text", "bad-ground"],
    ["text", "open-ground"],
  ]

  it.each([
    ["light", 0],
    ["dark", 1],
  ] as const)("has a contrast of at least 4.5 for every text, %s", (_, scheme) => {
    const colour = (name: string) => schemes[scheme]?.match(new RegExp(`--${name}: (#[0-9a-f]{6})`))?.[1] ?? ""
    for (const [text, ground] of pairs)
      expect(contrast(colour(text), colour(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5)
    // The strongest ground of a heat cell: 38 % of its colour.
    for (const heat of ["accent", "warm"])
      expect(contrast(colour("text"), mix(colour(heat), colour("surface"), 0.38)), heat).toBeGreaterThanOrEqual(4.5)
  })
})

describe("niceTicks", () => {
  it("holds both values between round ticks", () => {
    expect(niceTicks(0.43, 0.91, 5).ticks.map((tick) => Number(tick.toFixed(6)))).toEqual([
      0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
    ])
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 8 }),
        (low, width, wanted) => {
          const scale = niceTicks(low, low + width, wanted)
          expect(scale.low).toBeLessThanOrEqual(low + scale.step * 1e-6)
          expect(scale.high).toBeGreaterThanOrEqual(low + width - scale.step * 1e-6)
          expect(scale.ticks.length).toBeGreaterThanOrEqual(2)
          expect(scale.ticks.length).toBeLessThanOrEqual(2 * wanted + 3)
        },
      ),
    )
  })
})

/** The report with the text wherever a text may stand. */
function withTexts(text: string): ReportData {
  const data = sampleReport()
  return {
    ...data,
    description: text,
    job: text,
    run: text,
    evaluation: text,
    verdict: { ...data.verdict, reason: text, rule: text },
    notes: [text],
    incumbent: text,
    contenders: [...data.contenders, ...data.contenders.slice(0, 1).map((contender) => ({ ...contender, name: text }))],
    comparisons: data.comparisons.map((comparison) => ({ ...comparison, b: text })),
    confusion: confusionOf(scored([text, "a"], ["a", text]), ["a", "b"]),
    failures: {
      validationRows: 1,
      wrong: 1,
      shown: [{ id: text, input: text, expected: text, answer: `${text}.`, isReadable: true }],
    },
    provenance: {
      ...data.provenance,
      dataset: text,
      baseModel: text,
      revision: `${text}.`,
      method: { name: text },
      hyperparameters: { [text]: 1 },
      trainedOn: text,
      evaluatedOn: text,
      toolVersion: text,
      at: text,
    },
  }
}

function emptyReport(): ReportData {
  const task = labelTask()
  const { contenders, comparisons } = scoreContenders({
    task,
    contenders: [],
    metrics: [{ name: "accuracy", metric: accuracy, options: {} }],
    seed: 1,
  })
  const verdict = decide({
    rule: task.verdict,
    metric: "accuracy",
    rows: 0,
    tuned: NaN,
    incumbent: NaN,
    interval: { low: NaN, high: NaN },
    pValue: 1,
  })
  return {
    ...sampleReport(),
    verdict,
    notes: [],
    contenders,
    comparisons,
    confusion: undefined,
    training: [],
    failures: { validationRows: 0, wrong: 0, shown: [] },
  }
}

/** The tags that do not match, read one by one; empty for a well-formed page. */
function unclosed(page: string): string[] {
  const stack: string[] = []
  const problems: string[] = []
  for (const [, close, name = "", , self] of page
    .replace(/<style>.*?<\/style>/s, "")
    .matchAll(/<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"<>]*")*)\s*(\/?)>/gi)) {
    if (self || ["meta", "br"].includes(name)) continue
    if (!close) stack.push(name)
    else if (stack.pop() !== name) problems.push(name)
  }
  return [...problems, ...stack]
}

function contrast(first: string, second: string): number {
  const [light, dark] = [luminance(first), luminance(second)].sort((a, b) => b - a)
  return ((light ?? NaN) + 0.05) / ((dark ?? NaN) + 0.05)
}

function luminance(colour: string): number {
  const [red = NaN, green = NaN, blue = NaN] = channels(colour).map((channel) =>
    channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4,
  )
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16))
}

function mix(colour: string, ground: string, share: number): string {
  const under = channels(ground)
  return `#${channels(colour)
    .map((channel, position) =>
      Math.round(channel * share + (under[position] ?? NaN) * (1 - share))
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`
}
