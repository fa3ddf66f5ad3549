import { digest } from "../../core/canonical.ts"
import { DataError } from "../../core/errors.ts"
import { compareText } from "../rows/ranking.ts"
import { learn, probabilitiesOf } from "./softmax-regression.ts"
import { textFeatures } from "../text/text-features.ts"

/** A classifier of texts. */
export interface LinearModel {
  /** The labels it knows, sorted. */
  readonly labels: readonly string[]
  /** The most probable label, of equals the first. */
  predict(text: string): { readonly label: string; readonly probability: number }
}

/**
 * A softmax regression over TF-IDF features of the rows: the same for the same rows in any order. The baseline that a
 * tuned model must beat to be worth its cost.
 *
 * Stochastic gradient descent over the rows in an order fixed by their digests. One label alone is always predicted.
 * Throws a DataError when there are no rows.
 */
export function trainLinearModel(rows: readonly { readonly text: string; readonly label: string }[]): LinearModel {
  if (rows.length === 0) throw new DataError("a linear model needs at least one example to learn from, got none")
  const ordered = inDigestOrder(rows)
  const labels = [...new Set(rows.map(({ label }) => label))].sort()
  const numbers = new Map(labels.map((label, number) => [label, number]))
  const features = textFeatures(ordered.map(({ text }) => text))
  const examples = ordered.map(({ text, label }) => ({
    vector: features.vectorOf(text),
    label: numbers.get(label) as number,
  }))
  const weights = learn(examples, labels.length, features.size)
  return {
    labels,
    predict(text) {
      const found = probabilitiesOf(weights, features.vectorOf(text))
      const best = found.reduce((first, probability, label) => (probability > (found[first] ?? 0) ? label : first), 0)
      return { label: labels[best] as string, probability: found[best] as number }
    },
  }
}

/** The rows in an order that follows from their content alone and is as good as shuffled. */
export function inDigestOrder<Row extends { readonly text: string; readonly label: string }>(
  rows: readonly Row[],
): Row[] {
  return rows
    .map((row) => ({ row, place: digest([row.text, row.label]) }))
    .sort((a, b) => compareText(a.place, b.place))
    .map(({ row }) => row)
}
