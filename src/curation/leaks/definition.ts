import type { DropReason } from "../../core/rows/drop-reasons.ts"
import type { NamesColumns } from "../../core/rows/kept-columns.ts"
import {
  boilerplateRule,
  chooseShingles,
  cuts,
  defaultThreshold,
  isEdge,
  leastFrequent,
  mostMeasured,
  mostTexts,
} from "../near/cuts.ts"
import { foldForComparison } from "../text/normalise.ts"

/**
 * What a leak is: a train row that meets a held-out one by one of these checks, in the order in which they are
 * reported.
 * Two implementations follow this definition and share no more than it: the build's (contamination.ts, lineage.ts,
 * ngram-overlap.ts, overlap-judge.ts), which decides what is kept, and the witness's (witness.ts), which reads what was
 * frozen.
 *
 * - `lineage`: the row is held out itself, or one of its parents is, or a parent's parent, through rows of the build,
 *   dropped ones included. A seed, an input, a candidate and an example are one row where the digits of their ids
 *   agree.
 * - `group`: the row, or a row that it descends from like that, is of a group of which a row is held out; where the
 *   task has groups.
 * - `exact`: the texts are equal in the form `fold`.
 * - `near`: the Jaccard similarity of the sets of shingles is at least the threshold, and the texts have the same
 *   numbers in the same order, or numbers are all one (`numbers` of the specification is `drop`). How texts are cut
 *   follows from the held-out texts alone (`shingles`), and so does what is boilerplate in them (`boilerplate`): only
 *   what is not is compared.
 * - `ngram`: the texts share n consecutive words of the form `fold` with the signs between them, of which none stands,
 *   in the held-out text, in a run of words that is common to many of the texts read and held out (`commonRuns`).
 */
const allChecks = ["lineage", "group", "exact", "near", "ngram"] as const
export type LeakCheck = (typeof allChecks)[number]
/** The checks that every task has. */
export const leakChecks = allChecks.filter((check) => check !== "group")

/** The checks of the task, in the order in which they are reported. */
export function leakChecksOf({ holdout }: NamesColumns): LeakCheck[] {
  return holdout.groupBy === undefined ? [...leakChecks] : [...allChecks]
}

/** Where the check stands in that order. */
export function checkRank(check: LeakCheck): number {
  return allChecks.indexOf(check)
}

/** A train row that meets a held-out one, by which check. */
export interface FoundLeak {
  readonly check: LeakCheck
  readonly train: string
  readonly heldOut: string
  readonly similarity?: number
}

/** The forms and figures of the definition. */
export const leakDefinition = {
  /** The form in which equal texts are one; single spaces part its words and signs. */
  fold: foldForComparison,
  /** Which shingles, by a sample of the held-out texts; the threshold where nobody gives one; how texts are cut. */
  shingles: { choose: chooseShingles, mostMeasured, defaultThreshold, cuts },
  /** Which spans of the held-out texts are left out of the sets of shingles. */
  boilerplate: { ...boilerplateRule, leastFrequent, isEdge },
  commonRuns: {
    /** In fewer texts than this a run of words is nobody's template: small sets keep every run. */
    leastTexts: 20,
    /** A run in so large a share of the different texts is a template's, whatever else the texts say. */
    plainShare: 0.05,
    /**
     * So is one in this share, where such runs are more than `leastMass` of all: several templates, not one text in
     * many versions.
     */
    leastShare: 0.01,
    leastMass: 0.05,
    /** Half as many words as an n-gram has, so that a template that is somewhat shorter is one as well. */
    lengthFor: (n: number) => Math.max(4, Math.ceil(n / 2)),
    /** Of more texts a sample is looked at: see `TextSample`. */
    mostTexts,
  },
} as const

/** The reason with which a row is dropped for a leak. */
export function reasonOf(check: LeakCheck): DropReason {
  return check === "lineage" ? "lineage" : `leak-${check}`
}

/** The check of such a reason; undefined for any other. */
export function checkOf(reason: string): LeakCheck | undefined {
  return allChecks.find((check) => reasonOf(check) === reason)
}

/**
 * Whether a row that was dropped for the reason is one of the texts in which common runs are counted: it was compared
 * with what is held out, or would have been but for what it says.
 */
export function countsForCommonRuns(reason: string): boolean {
  return !["rejected", "undecided", "failed-check", "personal-data"].includes(reason) && !reason.startsWith("filter-")
}
