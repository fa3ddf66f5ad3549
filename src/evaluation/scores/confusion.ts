import type { ScoredRow } from "../../core/contracts/metric.ts"

/** How often each label was answered for each reference. */
export interface Confusion {
  /** The rows of the table, and its columns but the last. */
  readonly labels: readonly string[]
  /** One list a reference label: a count for each label answered, and last those that could not be read. */
  readonly counts: readonly (readonly number[])[]
}

/** How well one label is found; null where nothing was there to divide by. */
export interface LabelScore {
  readonly label: string
  /** Of the rows answered with the label, the share that are right. */
  readonly precision: number | null
  /** Of the rows whose reference is the label, the share answered so. */
  readonly recall: number | null
  readonly f1: number | null
  /** Rows whose reference is the label. */
  readonly rows: number
}

/**
 * The confusion matrix of a label task: every row is counted once. Labels come in the order given; labels that only the
 * rows know follow, sorted.
 */
export function confusionOf(rows: readonly ScoredRow[], labels: readonly string[]): Confusion {
  const seen = rows
    .flatMap(({ references: [reference], output }) => (output === undefined ? [reference] : [reference, output]))
    .map(String)
  const all = [...labels, ...[...new Set(seen)].filter((label) => !labels.includes(label)).sort()]
  const place = new Map(all.map((label, position) => [label, position]))
  const counts = all.map(() => new Array<number>(all.length + 1).fill(0))
  for (const {
    references: [reference],
    output,
  } of rows) {
    const column = output === undefined ? all.length : (place.get(String(output)) ?? all.length)
    const row = counts[place.get(String(reference)) ?? 0]
    if (row) row[column] = (row[column] ?? 0) + 1
  }
  return { labels: all, counts }
}

/** Precision, recall and F1 of each label, in the order of the matrix. */
export function labelScores({ labels, counts }: Confusion): LabelScore[] {
  return labels.map((label, position) => {
    const right = counts[position]?.[position] ?? 0
    const rows = sum(counts[position] ?? [])
    const answered = sum(counts.map((row) => row[position] ?? 0))
    return {
      label,
      precision: ratio(right, answered),
      recall: ratio(right, rows),
      f1: ratio(2 * right, rows + answered),
      rows,
    }
  })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}
