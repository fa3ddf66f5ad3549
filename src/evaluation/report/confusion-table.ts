import { labelScores, type Confusion } from "../scores/confusion.ts"
import { html, type Html } from "./html.ts"
import { cell, row, table } from "./table.ts"

/** Precision, recall and F1 of each label. */
export function labelsTable(confusion: Confusion): Html {
  const share = (value: number | null) => cell(value === null ? "–" : value.toFixed(2))
  return table({
    name: "Labels",
    caption: `Precision: of the answers with the label, the share that are right.
Recall: of the examples of the label, the share answered so. F1 joins both.`,
    columns: [html`precision`, html`recall`, html`F1`, html`test examples`],
    rows: labelScores(confusion).map(({ label, precision, recall, f1, rows }) =>
      row(label, [share(precision), share(recall), share(f1), cell(rows)]),
    ),
  })
}

/** Above this many labels a matrix is unreadable, and the commonest mix-ups are listed instead. */
const matrixLabels = 30
const listedMixUps = 25

/**
 * The confusion matrix as a heat table: the stronger a cell's ground, the larger its share of the row.
 * With many labels a list of the commonest mix-ups.
 */
export function confusionTable(confusion: Confusion): Html {
  const { labels, counts } = confusion
  if (labels.length > matrixLabels) return mixUpsTable(confusion)
  return table({
    name: "Confusion matrix",
    caption: "Rows: the right label. Columns: what the tuned model answered. A dot is none.",
    style: "confusion",
    columns: [...labels, "unreadable"].map((label) => html`<span class="name">${label}</span>`),
    rows: counts.map((answers, position) => {
      const total = answers.reduce((sum, count) => sum + count, 0)
      const cells = answers.map((count, column) => heatCell(count, total, column === position))
      return row(labels[position] ?? "", cells)
    }),
  })
}

function heatCell(count: number, total: number, isRight: boolean): Html {
  if (count === 0) return html`<td class="none">·</td>`
  return html`<td class="${isRight ? "right" : "wrong"}" style="--share:${(count / total).toFixed(3)}">${count}</td>`
}

function mixUpsTable({ labels, counts }: Confusion): Html {
  const columns = [...labels, "unreadable"]
  const mixUps = counts
    .flatMap((answers, position) => answers.map((count, column) => ({ count, position, column })))
    .filter(({ count, position, column }) => count > 0 && column !== position)
    .sort((a, b) => b.count - a.count || a.position - b.position || a.column - b.column)
  const shown = mixUps.slice(0, listedMixUps)
  return table({
    name: "Mix-ups",
    caption: `The commonest mix-ups, ${shown.length} of ${mixUps.length}.`,
    corner: "right label",
    columns: [html`answered`, html`test examples`],
    rows: shown.map(({ count, position, column }) =>
      row(labels[position] ?? "", [cell(columns[column] ?? ""), cell(count)]),
    ),
  })
}
