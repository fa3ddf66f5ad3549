import type { Example } from "../../core/rows/example.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { sampleOf } from "../near/boilerplate.ts"
import { commonRuns, type CommonRuns } from "./common-runs.ts"
import type { HeldOutRow } from "./contamination.ts"
import { digits } from "./lineage.ts"
import { NgramIndex } from "./ngram-overlap.ts"
import { foldForComparison } from "../text/normalise.ts"
import { compareText } from "../rows/ranking.ts"
import { SharedHashes } from "../near/shared-hashes.ts"
import { corpusShingler, defaultThreshold } from "../near/shingles.ts"
import { Sketcher } from "../near/sketcher.ts"

/** The checks a leak report makes, in its order. */
export const leakChecks = ["lineage", "exact", "near", "ngram"] as const
export type LeakCheck = (typeof leakChecks)[number]

/** A train row that meets a held-out one, by which check. */
export interface FoundLeak {
  readonly check: LeakCheck
  readonly train: string
  readonly heldOut: string
  readonly similarity?: number
}

export interface LeakReport {
  readonly checks: string[]
  readonly found: FoundLeak[]
}

/**
 * Every train row that leaks into the held-out rows, by lineage, exact equality, near-duplicate and n-gram: at most one
 * finding a row and check, naming the most similar or else the smallest held-out id.
 *
 * An independent witness of `curate`: near pairs are found by exact Jaccard similarity over an inverted index, so none
 * is missed. Findings are sorted by check and train id; the order of the rows does not matter. Nothing held out: no
 * findings.
 */
export function leakReport({
  task,
  train,
  heldOut,
  heldOutIds = new Set(),
  threshold,
  ngram,
  common,
}: {
  readonly task: TaskSpecification
  readonly train: readonly Example[]
  readonly heldOut: readonly HeldOutRow[]
  readonly heldOutIds?: ReadonlySet<string> | undefined
  readonly threshold?: number | undefined
  readonly ngram: number
  /** The runs of words that count for no leak; default: those of the train and held-out rows. */
  readonly common?: CommonRuns | undefined
}): LeakReport {
  const texts = heldOut
    .map(({ id, input }) => ({ id, text: inputText(task, input) }))
    .sort((a, b) => compareText(a.id, b.id))
  const rows = train
    .map((row) => ({ row, text: inputText(task, row.input) }))
    .sort((a, b) => compareText(a.row.id, b.row.id))
  const shingler = corpusShingler(
    texts.map(({ text }) => text),
    rows.map(({ text }) => text),
  )
  const byDigits = new Map(
    [...heldOutIds]
      .sort()
      .reverse()
      .map((id) => [digits(id), id]),
  )
  const exact = new Map(texts.toReversed().map(({ id, text }) => [foldForComparison(text), id]))
  const sketcher = new Sketcher({ shingles: shingler.name, boilerplate: shingler.boilerplate })
  const near = new SharedHashes(threshold ?? defaultThreshold(shingler.name))
  for (const { text } of texts) near.add(sketcher.sketch(text))
  const nearTo = (text: string) => {
    const nearest = near.nearest(sketcher.sketch(text))
    return nearest && { heldOut: texts[nearest.place]?.id ?? "", similarity: nearest.similarity }
  }
  const ngrams = new NgramIndex(
    ngram,
    common ?? commonRuns(sampleOf([...texts, ...rows].map(({ text }) => text)), ngram),
  )
  for (const { id, text } of texts) ngrams.add(id, text)
  const findings: Record<
    LeakCheck,
    (row: Example, text: string) => { heldOut: string; similarity?: number } | undefined
  > = {
    lineage: (row) =>
      named([row.id, ...row.provenance.parents].map((id) => byDigits.get(digits(id))).find((id) => id !== undefined)),
    exact: (_, text) => named(exact.get(foldForComparison(text))),
    near: (_, text) => nearTo(text),
    ngram: (_, text) => named(ngrams.find(text)),
  }
  const found = leakChecks.flatMap((check) =>
    rows.flatMap(({ row, text }): FoundLeak[] => {
      const finding = findings[check](row, text)
      return finding ? [{ check, train: row.id, ...finding }] : []
    }),
  )
  return { checks: [...leakChecks], found }
}

function named(heldOut: string | undefined): { heldOut: string } | undefined {
  return heldOut === undefined ? undefined : { heldOut }
}
