import type { AgreementReport } from "../../evaluation/review/agreement.ts"
import { count } from "../../evaluation/verdict/words.ts"
import { table } from "../terminal.ts"
import { alsoWaiting } from "./counts.ts"
import type { Effort, ReviewStatus } from "../../stages/reviewing/review-status.ts"

/** How far the review is, for people: the counts first, then what is missing, what was learnt, and what it takes. */
export function describeStatus(status: ReviewStatus): string {
  const { open, pending, conflicts, stale, accepted, acceptedByPolicy, rejected, waiting, counts } = status
  const byPolicy = acceptedByPolicy > 0 ? ` (${acceptedByPolicy} by a policy)` : ""
  const first =
    `${open} open (${pending - waiting} undecided, ${conflicts} decided differently by two reviewers, ` +
    `${stale} changed since), ${accepted} accepted${byPolicy}, ${rejected} rejected${alsoWaiting(counts)}`
  return [first, ...strataText(status), ...estimateText(status), ...learntText(status), effortText(status.effort)].join(
    "\n",
  )
}

/** `at least 12 decisions, 0.1 hours at 20 s each (assumed)`. */
export function effortText({ decisions, hours, secondsPerDecision, isMeasured }: Effort): string {
  if (decisions === 0) return "nothing is left to decide"
  return (
    `${decisions} ${decisions === 1 ? "decision" : "decisions"} left: ${hours.toFixed(1)} hours at ` +
    `${Number(secondsPerDecision.toFixed(1))} s each ` +
    `(${isMeasured ? "measured" : "assumed: review.secondsPerDecision"})`
  )
}

function strataText({ strata, waiting }: ReviewStatus): string[] {
  // What needs no sample and no calibration says nothing that the first line does not.
  const told = strata.filter(({ policy }) => policy !== "all")
  const lines = told.map(
    ({ name, policy, candidates, decided, wrong, bound, threshold, accepted, missing, state, reason }) => {
      const figures =
        `${decided} decided, ${wrong} ` +
        `wrong${bound === undefined ? "" : ` (at most ${percent(bound)})`}${threshold === undefined ? "" : `, confidence from ${Number(threshold.toFixed(4))}`}`
      const next =
        state === "asking"
          ? `${missing} to decide${reason === undefined ? "" : `: ${reason}`}`
          : `${accepted} accepted unasked`
      return (
        `  ${name}  ${policy}, ${candidates} candidates: ${figures}; ` +
        `${state === "asking" && accepted > 0 ? `${accepted} accepted unasked, ` : ""}${next}`
      )
    },
  )
  return waiting > 0 ? [...lines, `  ${waiting} more candidates wait for the sample of their batch`] : lines
}

function estimateText({ estimate: { drawn, decided, wrong, bound } }: ReviewStatus): string[] {
  if (bound === null) return []
  return [
    `of ${count(drawn, "candidate")} drawn at random ${decided} ${decided === 1 ? "is" : "are"} decided: ` +
      `${wrong} ${wrong === 1 ? "was" : "were"} wrong, at most ` +
      `${percent(bound)}${decided < drawn ? "; unbiased when all are decided" : ""}`,
  ]
}

function learntText({ strategies, reviewers, rejections, guideline }: ReviewStatus): string[] {
  return [
    ...Object.entries(strategies).map(
      ([name, { decided, edited, rejected, rate }]) =>
        `  ${name}: ${edited} edited and ${rejected} rejected of ${decided} ` +
        `decided${rate ? `, ${percent(rate.value)} wrong (${percent(rate.low)} to ${percent(rate.high)})` : ""}`,
    ),
    ...Object.entries(reviewers).flatMap(([name, { goldChecks, goldErrors }]) =>
      goldChecks === 0 ? [] : [`  ${name}: ${goldErrors} of ${goldChecks} gold checks wrong`],
    ),
    ...(rejections.length === 0
      ? []
      : [
          `rejected because: ${rejections
            .slice(0, 5)
            .map(({ reason, count }) => `${reason} (${count})`)
            .join(", ")}${rejections.length > 5 ? ", …" : ""}`,
          "  what the next candidates must not be can stand in expand.avoid of the specification: the model is told",
        ]),
    ...(guideline.earlier === 0
      ? []
      : [
          `${count(guideline.earlier, "decision")} ${guideline.earlier === 1 ? "was" : "were"} ` +
            "made under an earlier guideline",
        ]),
  ]
}

/** How far reviewers agree, for people: what to do first, then the figures that say so. */
export function describeAgreement({
  items,
  unanimous,
  reviewers,
  raw,
  alpha,
  pairs,
  labels,
  confusions,
  advice,
}: AgreementReport): string {
  if (raw === null) return advice
  const figure = (value: AgreementReport["alpha"]) =>
    value === null ? "not defined" : `${value.value.toFixed(3)} (${value.low.toFixed(3)} to ${value.high.toFixed(3)})`
  const shown = labels.slice(0, 12)
  return [
    advice,
    `${items} items were decided on by several of ${reviewers.join(", ")}: all agreed on ${unanimous}; ` +
      `${percent(raw)} of pairs are equal; Krippendorff's alpha ${figure(alpha)}`,
    table(
      ["reviewers", "items", "equal", "Cohen's kappa"],
      pairs.map(({ a, b, items: shared, raw: equal, kappa }) => [
        `${a}, ${b}`,
        String(shared),
        percent(equal),
        kappa === null ? "not defined" : kappa.toFixed(3),
      ]),
    ),
    ...(shown.length === 0
      ? []
      : [
          table(
            ["label", "items", "equal", "alpha"],
            shown.map(({ label, items: given, raw: equal, alpha: own }) => [
              label,
              String(given),
              percent(equal),
              figure(own),
            ]),
          ),
        ]),
    ...(labels.length > shown.length ? [`… and ${labels.length - shown.length} more labels (--json)`] : []),
    ...(confusions.length === 0
      ? []
      : [
          `decided differently: ${confusions
            .slice(0, 5)
            .map(({ a, b, items: count }) => `${a} or ${b} (${count})`)
            .join(", ")}`,
        ]),
  ].join("\n")
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`
}
