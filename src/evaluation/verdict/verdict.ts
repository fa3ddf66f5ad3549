import type { TaskSpecification } from "../../core/task/task.ts"
import type { Interval } from "../statistics/bootstrap.ts"
import type { Discordance } from "../statistics/mcnemar.ts"
import { normalQuantile } from "../statistics/normal.ts"
import { powerAt, rowsNeeded } from "../statistics/power.ts"
import {
  betterOrWorse,
  chance,
  count,
  exactPercent,
  figure,
  percent,
  points,
  range,
  timesInHundred,
  wholeNumber,
} from "./words.ts"

/** The rule as it was written in the specification before anything was trained. */
export type VerdictRule = TaskSpecification["verdict"]

/** What was found on the test set. */
export interface Finding {
  readonly rule: VerdictRule
  /** The metric that decides. */
  readonly metric: string
  /** How many test examples were scored. */
  readonly rows: number
  /** Where they come in groups: how many there are, and how many rows say as much as one that stands alone. */
  readonly groups?: { readonly count: number; readonly designEffect: number } | undefined
  /** The metric of the tuned model and of the incumbent. */
  readonly tuned: number
  readonly incumbent: number
  /** Present where a lower value of the metric is the better one. */
  readonly direction?: "lower" | undefined
  /** The paired interval of the gain over the incumbent at the rule's confidence. */
  readonly interval: Interval
  /** Of the paired test of the difference, two-sided, not adjusted: the rule makes one comparison. */
  readonly pValue: number
  /**
   * On how many rows exactly one of the two is right; present when every row is right or wrong, and then `pValue` is of
   * the exact McNemar test, or of the exact sign-flip test of groups.
   */
  readonly discordance?: Discordance | undefined
}

export interface Verdict {
  readonly verdict: "promote" | "reject" | "undecided"
  /** Why, in sentences that a domain expert understands. */
  readonly reason: string
  /** The rule in words. */
  readonly rule: string
  readonly power: {
    /** The test examples that the rule needs. */
    readonly needed: number
    readonly rows: number
    /** The chance that this many test examples show the gain that the rule expects. */
    readonly chance: number
    /**
     * When undecided: how many further test examples would show the difference seen here, or, where the tuned model is
     * not ahead, bring the test set to the size that the rule needs; null when neither helps.
     */
    readonly further: number | null
  }
}

/** Differences below this are equal up to rounding. */
const rounding = 1e-9

/**
 * The verdict on the tuned model by the rule. It promotes when the whole interval lies above the margin and the paired
 * test agrees; it rejects a model that both show to be worse, on however few rows, and one that is not better on a test
 * set of the size that the rule needs; otherwise, and when nothing was scored, it is undecided. Throws RangeError when
 * the rule is impossible (see `rowsNeeded`).
 */
export function decide(finding: Finding): Verdict {
  const { rule, rows, groups } = finding
  const effect = groups?.designEffect ?? 1
  const needed = Math.ceil(rowsNeeded(rule) * effect)
  const verdict = verdictOf(finding, needed)
  const further = verdict === "undecided" ? furtherRows(finding, needed) : null
  return {
    verdict,
    reason: reasonFor(verdict, finding, needed, further),
    rule: ruleText(finding, needed),
    power: { needed, rows, chance: powerAt(Math.floor(rows / effect), rule), further },
  }
}

/** By how much the tuned model is better, whichever way the metric goes. */
function gainIn({ tuned, incumbent, direction }: Finding): number {
  return direction === "lower" ? incumbent - tuned : tuned - incumbent
}

function verdictOf(finding: Finding, needed: number): Verdict["verdict"] {
  const { rule, rows, interval, pValue } = finding
  const gain = gainIn(finding)
  // Interval and test must agree: of few rows a bootstrap interval is too narrow, and a single point when every
  // resample is alike.
  const isSignificant = pValue < 1 - rule.confidence
  if (rows === 0 || !Number.isFinite(gain)) return "undecided"
  if (interval.low > rule.margin + rounding && isSignificant) return "promote"
  if (interval.high < -rounding && isSignificant) return "reject"
  const isNotBetter = gain <= rounding || interval.high <= rule.margin + rounding
  return rows >= needed && isNotBetter ? "reject" : "undecided"
}

/**
 * How many more rows would show the observed difference with the rule's power. Where it does not exceed the margin: how
 * many are missing from the rule's size, after which it rejects; null when none are.
 */
function furtherRows(finding: Finding, needed: number): number | null {
  const { rule, rows, interval, discordance } = finding
  if (rows === 0) return needed
  const gain = gainIn(finding)
  const beyond = gain - rule.margin
  if (!(beyond > rounding)) return rows < needed ? needed - rows : null
  const { confidence, power, margin } = rule
  if (discordance) {
    const observed = (discordance.wins + discordance.losses) / rows
    const alone = rowsNeeded({
      ...{ discordance: observed, confidence, power, margin },
      expectedGain: Math.min(gain, observed),
    })
    return Math.max(1, Math.ceil(alone * (finding.groups?.designEffect ?? 1)) - rows)
  }
  const quantile = normalQuantile(1 - (1 - confidence) / 2)
  const standardError = (interval.high - interval.low) / (2 * quantile)
  return Math.max(1, Math.ceil(rows * (((quantile + normalQuantile(power)) * standardError) / beyond) ** 2) - rows)
}

function reasonFor(verdict: Verdict["verdict"], finding: Finding, needed: number, further: number | null): string {
  const { rule, rows } = finding
  const gain = gainIn(finding)
  if (rows === 0) return `There are no test examples: nothing was scored, and the rule needs ${wholeNumber(needed)}.`
  if (!Number.isFinite(gain)) return `${finding.metric} could not be computed for both contenders.`
  const seen = `${scoresText(finding)}: the tuned model is ${betterOrWorse(gain)}${certaintyText(finding)}.`
  const few =
    rows < needed
      ? [
          `${count(rows, "test example")} ${rows === 1 ? "is" : "are"} fewer than the ${wholeNumber(needed)}`,
          `that the rule needs to see a gain of ${points(rule.expectedGain)}`,
        ].join(" ")
      : ""
  switch (verdict) {
    case "promote":
      return sentences(seen, chanceText(finding), few && `${few}, but this gain is large enough to show.`)
    case "reject":
      return sentences(seen, rejectText(finding, needed))
    case "undecided":
      return sentences(
        few ? "There are too few test examples to tell." : "The test set cannot tell.",
        seen,
        few && `${few}.`,
        furtherText(finding, further),
      )
  }
}

function scoresText({ metric, rows, groups, tuned, incumbent, rule, discordance, direction }: Finding): string {
  const examples = `${count(rows, "test example")}${groups === undefined ? "" : ` in ${count(groups.count, "group")}`}`
  if (!discordance || direction === "lower")
    return (
      `On ${examples} the tuned model has ${metric} ${figure(tuned)} and ` +
      `${rule.incumbent} has ${figure(incumbent)}`
    )
  const ofTuned = `${Math.round(tuned * rows)} right (${percent(tuned)})`
  const ofIncumbent = `${Math.round(incumbent * rows)} (${percent(incumbent)})`
  return `Of ${examples} the tuned model gets ${ofTuned} and ${rule.incumbent} ${ofIncumbent}`
}

/**
 * Where the true difference lies. An interval that is a single point says that every resample was alike, not that the
 * difference is certain.
 */
function certaintyText({ rule, interval, discordance }: Finding): string {
  if (discordance && discordance.wins + discordance.losses === 0) return ", right on the very same examples"
  if (interval.high - interval.low < rounding) return ""
  return `, and with ${exactPercent(rule.confidence)} confidence the true difference lies ${range(interval)}`
}

function chanceText({ pValue, rule }: Finding): string {
  return rule.margin === 0
    ? `If the two were equally good, a difference this large would come up ${chance(pValue)}.`
    : `The rule asks for more than ${points(rule.margin)}.`
}

function rejectText(finding: Finding, needed: number): string {
  const { interval, rule, rows } = finding
  if (interval.high < -rounding) return `It is worse than ${rule.incumbent}: keep ${rule.incumbent}.`
  const size = `on ${count(rows, "test example")}, where the rule needs ${wholeNumber(needed)}`
  return gainIn(finding) <= rounding
    ? `It is not better than ${rule.incumbent} ${size}: keep ${rule.incumbent}.`
    : `It is not better than ${rule.incumbent} by more than ${points(rule.margin)} ${size}: keep ${rule.incumbent}.`
}

function furtherText(finding: Finding, further: number | null): string {
  const { rule, rows } = finding
  const more = (number: number) =>
    `${wholeNumber(number)} further test ${number === 1 ? "example" : "examples"} ` +
    `(${wholeNumber(rows + number)} in all)`
  const isAhead = gainIn(finding) - rule.margin > rounding
  if (further !== null && isAhead)
    return `If the difference seen here is the true one, about ${more(further)} would show it.`
  const standing =
    rule.margin === 0
      ? "So far the tuned model is not ahead"
      : `So far it is not ahead by the ${points(rule.margin)} that the rule asks for`
  return further === null
    ? `${standing}: more test examples would not make it so.`
    : `${standing}: ${more(further)} would bring the test set to the size that the rule needs.`
}

function testName(isBinary: boolean, areGroups: boolean): string {
  if (areGroups) return isBinary ? "exact paired sign-flip (by groups)" : "paired permutation (by groups)"
  return isBinary ? "exact McNemar" : "paired permutation"
}

function ruleText({ rule, metric, discordance, groups }: Finding, needed: number): string {
  const sure = `with ${exactPercent(rule.confidence)} confidence`
  const better =
    rule.margin === 0
      ? `better than ${rule.incumbent}`
      : `better than ${rule.incumbent} by more than ${points(rule.margin)}`
  const test =
    `the ${testName(discordance !== undefined, groups !== undefined)} test gives p < ` +
    `${Number((1 - rule.confidence).toFixed(6))}`
  return [
    `Promote when the tuned model's ${metric} is ${better} ${sure}`,
    `(the whole paired bootstrap interval lies above ${points(rule.margin)}, and ${test}).`,
    `Reject when it is worse ${sure}, or when it is not ${better} on at least ${count(needed, "test example")},`,
    `the number that shows a gain of ${points(rule.expectedGain)} ${timesInHundred(rule.power)}.`,
    "Otherwise undecided.",
  ].join(" ")
}

function sentences(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" ")
}
