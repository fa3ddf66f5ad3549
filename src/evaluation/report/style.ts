/**
 * The colours of what people see in a browser, light and dark by the reader's setting. Every text colour has a contrast
 * of at least 4.5 with what it stands on.
 */
export const palette = `
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --surface: #ffffff; --line: #e2e2de; --strong-line: #c9c9c4;
  --text: #1d1f21; --soft: #5b6066;
  --accent: #1f5fae; --other: #6b7178; --warm: #b4521a;
  --good: #17693d; --good-ground: #e9f5ee; --bad: #a32a2a; --bad-ground: #fbeeee; --open: #7a5200; --open-ground: #fbf4e2;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #131517; --surface: #1b1e21; --line: #2d3236; --strong-line: #464d53;
    --text: #e7e9ea; --soft: #a3abb2;
    --accent: #7fb2f0; --other: #9aa2a9; --warm: #e39a6a;
    --good: #7fd3a2; --good-ground: #15281e; --bad: #f09a9a; --bad-ground: #2e1a1b; --open: #e8c271; --open-ground: #2b2415;
  }
}
`

/** The typeface of what people see in a browser: the system's own. */
export const typeface = `system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif`

/** The style of the report: one accent colour, light on paper. */
export const reportStyle = `
${palette}* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 1rem/1.6 ${typeface};
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0.2rem 0 0.5rem; font-weight: 680; }
h2::first-letter { text-transform: uppercase; }
h2 { font-size: 1.2rem; line-height: 1.3; letter-spacing: -0.005em; margin: 0 0 0.35rem; font-weight: 650; }
p { margin: 0 0 0.75rem; max-width: 68ch; text-wrap: pretty; }
.overline { color: var(--soft); font-size: 0.85rem; margin: 0; }
.soft { color: var(--soft); font-size: 0.9rem; }
code { font: 0.88em/1.4 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
section, .verdict { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 1.5rem 1.75rem; margin-top: 1.25rem; }
header { margin-bottom: 1.75rem; }
header p:last-child { margin-bottom: 0; }

.verdict { border-left: 6px solid var(--tone); background: var(--ground); }
.verdict.promote { --tone: var(--good); --ground: var(--good-ground); }
.verdict.reject { --tone: var(--bad); --ground: var(--bad-ground); }
.verdict.undecided { --tone: var(--open); --ground: var(--open-ground); }
.verdict h2 { font-size: 1.45rem; color: var(--tone); margin-bottom: 0.5rem; }
.verdict .mark { display: inline-block; min-width: 1.5em; }
.verdict .reason { font-size: 1.05rem; }
.verdict .rule { margin: 0.9rem 0 0; font-size: 0.9rem; max-width: 76ch; }
.figures {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem 1.5rem;
  margin: 1.1rem 0 0; padding-bottom: 1.1rem; border-bottom: 1px solid color-mix(in srgb, var(--tone) 25%, transparent);
}
.figures div { display: flex; flex-direction: column; }
.figures dt { font-size: 0.85rem; }
.figures dd { margin: 0; }
.figures .value, .figures .range { display: block; }
.figures .value { font-size: 1.6rem; line-height: 1.25; font-weight: 620; letter-spacing: -0.01em; }
.figures .range { font-size: 0.85rem; }

.notes { margin: 0; padding-left: 1.1rem; }
.notes li { max-width: 68ch; margin: 0.3rem 0; }
.notes li::marker { color: var(--accent); }

.scroll { overflow-x: auto; margin: 0.75rem -0.25rem 0.5rem; padding: 0 0.25rem; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; line-height: 1.4; }
caption { text-align: left; color: var(--soft); font-size: 0.85rem; padding: 0 0 0.6rem; }
caption span { display: block; position: sticky; left: 0; max-width: calc(100vw - 4.5rem); }
.confusion caption span { min-width: min(24rem, calc(100vw - 4.5rem)); }
th, td { padding: 0.5rem 1rem 0.5rem 0; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
th:first-child { text-align: left; }
thead th, thead td { border-bottom-color: var(--strong-line); }
thead th { color: var(--soft); font-weight: 500; font-size: 0.85rem; vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr:last-child > * { border-bottom: 0; }
tr.tuned th, tr.tuned td { font-weight: 650; }
.range { color: var(--soft); font-weight: 400; font-size: 0.85em; }
.verdict .range, .verdict dt, .verdict .rule { color: var(--text); }
td .range, th .range { display: block; }

figure { margin: 0.9rem 0 0; }
svg { display: block; width: 100%; overflow: visible; }
svg text { fill: var(--text); font-size: 14px; }
svg .tick { fill: var(--soft); font-size: 12px; }
svg .tuned text { font-weight: 650; }
svg .grid { stroke: var(--line); }
svg .incumbent { stroke: var(--soft); stroke-dasharray: 3 4; }
svg .interval { stroke: var(--other); stroke-width: 3; stroke-linecap: round; }
svg .dot { fill: var(--surface); stroke: var(--other); stroke-width: 2.5; }
svg .tuned .interval { stroke: var(--accent); }
svg .tuned .dot { fill: var(--accent); stroke: var(--accent); }
svg .loss { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
svg .eval-loss { fill: none; stroke: var(--warm); stroke-width: 2; stroke-dasharray: 5 4; vector-effect: non-scaling-stroke; }
svg .eval-dot { fill: var(--surface); stroke: var(--warm); stroke-width: 2.5; }
.legend {
  display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin: 0.6rem 0 0; padding: 0;
  list-style: none; font-size: 0.85rem; color: var(--soft);
}
.legend svg { display: inline-block; width: 28px; height: 10px; vertical-align: middle; margin-right: 0.5rem; }

.confusion { width: auto; }
.confusion td, .confusion th { border: 0; padding: 0.35rem 0.5rem; text-align: center; }
.confusion thead th { vertical-align: bottom; font-weight: 500; }
.confusion thead .name {
  display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg);
  text-align: left; max-height: 11rem; line-height: 1.2;
}
.confusion tbody th { text-align: right; padding-right: 0.75rem; }
.confusion td { min-width: 2.6rem; background: var(--surface); border: 2px solid var(--surface); border-radius: 6px; }
.confusion td.none { color: var(--soft); }
.confusion td.right { background: color-mix(in srgb, var(--accent) calc(10% + var(--share) * 28%), var(--surface)); font-weight: 650; }
.confusion td.wrong { background: color-mix(in srgb, var(--warm) calc(10% + var(--share) * 28%), var(--surface)); }

.failures { list-style: none; margin: 0.75rem 0 0; padding: 0; }
.failures li { border-top: 1px solid var(--line); padding: 0.9rem 0; }
.failures .input { white-space: pre-wrap; margin: 0 0 0.5rem; }
.failures dl { display: flex; flex-wrap: wrap; gap: 0.15rem 1.75rem; margin: 0; font-size: 0.92rem; }
.failures dl div { display: flex; gap: 0.5rem; min-width: 0; }
.failures dt { color: var(--soft); }
.failures dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; white-space: pre-wrap; }
.failures dd.got { color: var(--warm); }

.provenance { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: 0.4rem 1.5rem; margin: 0.5rem 0 0; font-size: 0.92rem; }
.provenance dt { color: var(--soft); }
.provenance dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: 0.85rem; margin-top: 1.75rem; }

@media (max-width: 40rem) {
  main { padding: 1.5rem 0.9rem 2.5rem; }
  section, .verdict { padding: 1.15rem 1.1rem; border-radius: 10px; }
  h1 { font-size: 1.55rem; }
  .scroll tr > :first-child { position: sticky; left: 0; background: var(--surface); padding-right: 0.75rem; z-index: 1; }
  .provenance { grid-template-columns: 1fr; gap: 0; }
  .provenance dd { margin-bottom: 0.6rem; }
}
@media print {
  @page { margin: 16mm; }
  body { background: #fff; font-size: 10pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 1rem 0; margin-top: 0.75rem; }
  .verdict, figure, tr, .failures li { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
  caption span { max-width: none; position: static; }
}
`
