import { randomDraw } from "../../core/rows/random-draw.ts"
import { stableShare } from "../../core/stable-share.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { trialsNeeded, upperErrorBound } from "../statistics/error-bound.ts"

/** A candidate that passed its checks, as far as policies look at it. */
export interface JudgedCandidate {
  readonly id: string
  readonly batch: string
  readonly strategy: string
  /** Its label or labels; empty for other kinds of task. */
  readonly labels: readonly string[]
  readonly confidence?: number | undefined
  /** Whether people found it right as it was proposed; undefined until they decided. */
  readonly isRight: boolean | undefined
  /** `randomDraw` of the id, where it is known already. */
  readonly draw?: number
}

/** Candidates that one policy decides on together. */
export interface Stratum {
  /** `<batch>` or `<batch>/<label>`; of policy auto the strategy and label that it is for, or all. */
  readonly name: string
  readonly policy: Policy["policy"]
  readonly candidates: number
  /** Those that people decided on, and how many of them were wrong as proposed: of a sample its members alone. */
  readonly decided: number
  readonly wrong: number
  /** The upper bound of the error rate; absent until it is known. */
  readonly bound?: number | undefined
  /** The confidence from which policy auto accepts; absent until it is calibrated. */
  readonly threshold?: number | undefined
  /** Accepted without being asked. */
  readonly accepted: number
  /** Decisions that are needed still. */
  readonly missing: number
  readonly state: "asking" | "accepted" | "done"
  /**
   * Why people are asked, where a policy could have saved it: the sample failed, or there are too few decisions to
   * calibrate by.
   */
  readonly reason?: string | undefined
}

export interface Acceptance {
  /** Who accepted what nobody was asked about: `policy:auto`, `policy:sample:<stratum>`. */
  readonly acceptedBy: ReadonlyMap<string, string>
  /** The candidates that people have to be asked about: those of a stratum that waits for its sample are in neither. */
  readonly asked: ReadonlySet<string>
  /** Those of the asked that were drawn at random: samples, and the share that is drawn from everything. */
  readonly random: ReadonlySet<string>
  readonly strata: readonly Stratum[]
}

interface Policy {
  readonly policy: TaskSpecification["review"]["policy"]
  readonly maxError: number
  readonly confidence: number
  readonly sampleSize?: number | undefined
  readonly perLabel: boolean
  readonly label?: string | undefined
  readonly name: string
}

/**
 * What the policies of the specification make of the candidates: each falls under the first policy that fits it. Order
 * does not matter; what people decided always counts first. The same candidates and decisions give the same result.
 */
export function acceptance(review: TaskSpecification["review"], candidates: readonly JudgedCandidate[]): Acceptance {
  const acceptedBy = new Map<string, string>()
  const asked = new Set<string>()
  const random = new Set<string>()
  for (const candidate of candidates) if (isRandom(review, candidate)) random.add(candidate.id)
  const strata: Stratum[] = []
  const policies = policiesOf(review)
  const byPolicy = Map.groupBy(
    candidates,
    (candidate) => policies.find(({ fits }) => fits(candidate))?.policy as Policy,
  )
  for (const [policy, members] of byPolicy) {
    const groups =
      policy.policy === "auto"
        ? [[policy.name, members] as const]
        : Map.groupBy(members, (member) => stratumName(policy, member))
    for (const [name, group] of groups) {
      const decide = policy.policy === "sample" ? bySample : policy.policy === "auto" ? byConfidence : askAll
      const { accepted, ask, drawn, ...stratum } = decide(policy, name, group, random)
      for (const { id } of accepted)
        acceptedBy.set(id, policy.policy === "auto" ? "policy:auto" : `policy:sample:${name}`)
      for (const { id } of ask) asked.add(id)
      for (const { id } of drawn) random.add(id)
      strata.push({ ...stratum, name, policy: policy.policy, candidates: group.length, accepted: accepted.length })
    }
  }
  return {
    acceptedBy,
    asked,
    random,
    strata: strata.sort((a, b) => compare(a.name, b.name) || compare(a.policy, b.policy)),
  }
}

/** Whether the candidate is of the share that is drawn from everything. */
function isRandom({ randomShare }: TaskSpecification["review"], candidate: JudgedCandidate): boolean {
  return (candidate.draw ?? randomDraw(candidate.id)) < randomShare
}

/**
 * Wrong ones among the candidates that were drawn from everything: an unbiased estimate once all of them are decided.
 */
export function errorEstimate(
  review: TaskSpecification["review"],
  candidates: readonly JudgedCandidate[],
): { drawn: number; decided: number; wrong: number } {
  const drawn = candidates.filter((candidate) => isRandom(review, candidate))
  return { drawn: drawn.length, ...tally(drawn) }
}

interface Decided extends Pick<Stratum, "decided" | "wrong" | "bound" | "threshold" | "missing" | "state" | "reason"> {
  readonly accepted: readonly JudgedCandidate[]
  readonly ask: readonly JudgedCandidate[]
  readonly drawn: readonly JudgedCandidate[]
}

function askAll(_policy: Policy, _name: string, group: readonly JudgedCandidate[]): Decided {
  const ask = group.filter(isOpen)
  return {
    ...tally(group),
    accepted: [],
    ask,
    drawn: [],
    missing: ask.length,
    state: ask.length > 0 ? "asking" : "done",
  }
}

/** The members of the sample are those of the lowest draw, so that a larger sample holds the smaller one. */
function bySample(policy: Policy, name: string, group: readonly JudgedCandidate[]): Decided {
  const size = policy.sampleSize ?? trialsNeeded(1, policy.maxError, policy.confidence)
  const sample = group
    .map((member) => ({ member, draw: stableShare(`sample ${name}`, member.id) }))
    .sort((a, b) => a.draw - b.draw)
    .slice(0, size)
    .map(({ member }) => member)
  const counts = tally(sample)
  const waiting = sample.filter(isOpen)
  const best = upperErrorBound(counts.wrong, sample.length, policy.confidence)
  if (best >= policy.maxError || sample.length === group.length) {
    const all = askAll(policy, name, group)
    const reason =
      sample.length === group.length
        ? `too few for a sample of ${size}`
        : counts.wrong === 0
          ? `a sample of ${size} cannot show it: ${trialsNeeded(0, policy.maxError, policy.confidence)} are needed`
          : `${counts.wrong} of the sample of ${size} are wrong: at most ${policy.maxError} cannot be shown`
    return { ...all, ...counts, drawn: waiting, bound: counts.decided === 0 ? undefined : best, reason }
  }
  if (waiting.length > 0)
    return { ...counts, accepted: [], ask: waiting, drawn: waiting, missing: waiting.length, state: "asking" }
  return { ...counts, bound: best, accepted: group.filter(isOpen), ask: [], drawn: [], missing: 0, state: "accepted" }
}

/** Candidates of the random share are asked all the same, so that the calibration stays true. */
function byConfidence(
  policy: Policy,
  _name: string,
  group: readonly JudgedCandidate[],
  random: ReadonlySet<string>,
): Decided {
  const needed = trialsNeeded(1, policy.maxError, policy.confidence)
  const decided = group.filter((member) => !isOpen(member) && member.confidence !== undefined)
  const found = calibratedThreshold(decided, policy.maxError, policy.confidence)
  const open = group.filter(isOpen)
  const accepted =
    found === undefined
      ? []
      : open.filter(
          ({ id, confidence }) => confidence !== undefined && confidence >= found.threshold && !random.has(id),
        )
  const taken = new Set(accepted)
  const ask = open.filter((member) => !taken.has(member))
  const reason =
    found !== undefined
      ? undefined
      : group.every(({ confidence }) => confidence === undefined)
        ? "no candidate has a confidence"
        : decided.length < needed
          ? `${decided.length} of ${needed} decisions to calibrate by`
          : "no confidence from which few enough were wrong"
  return {
    ...tally(group),
    ...found,
    accepted,
    ask,
    drawn: [],
    missing: ask.length,
    state: ask.length > 0 ? "asking" : accepted.length > 0 ? "accepted" : "done",
    reason,
  }
}

/**
 * The lowest confidence from which the upper bound of the error rate of the decided candidates is below `maxError`.
 * Thresholds are tried from high to low and the first failure ends it, so that the bound holds for the one that is
 * found (fixed-sequence testing; Angelopoulos et al., Learn then Test, 2021). The first one tried has so many decided
 * candidates above it that one may be wrong; with fewer there is none.
 */
export function calibratedThreshold(
  decided: readonly Pick<JudgedCandidate, "confidence" | "isRight">[],
  maxError: number,
  confidence: number,
): { threshold: number; bound: number } | undefined {
  const sorted = decided.toSorted((a, b) => (b.confidence ?? 0) - (a.confidence ?? 0))
  const first = trialsNeeded(1, maxError, confidence)
  let wrong = 0
  let found: { threshold: number; bound: number } | undefined
  for (const [index, member] of sorted.entries()) {
    if (member.isRight === false) wrong++
    const count = index + 1
    const isLastOfItsConfidence = sorted[count]?.confidence !== member.confidence
    if (count < first || !isLastOfItsConfidence) continue
    const bound = upperErrorBound(wrong, count, confidence)
    if (bound >= maxError) break
    found = { threshold: member.confidence ?? 0, bound }
  }
  return found
}

function policiesOf(
  review: TaskSpecification["review"],
): { policy: Policy; fits: (candidate: JudgedCandidate) => boolean }[] {
  const { maxError, confidence, sampleSize, perLabel } = review
  const base = { maxError, confidence, sampleSize, perLabel }
  return [
    ...review.policies.map(({ strategy, label, ...own }) => ({
      policy: {
        ...base,
        ...definedOnly(own),
        policy: own.policy,
        label,
        name: [strategy, label].filter((word) => word !== undefined).join("/"),
      },
      fits: (candidate: JudgedCandidate) =>
        (strategy === undefined || candidate.strategy === strategy) &&
        (label === undefined || candidate.labels.includes(label)),
    })),
    { policy: { ...base, policy: review.policy, name: "all" }, fits: () => true },
  ]
}

function definedOnly<Value extends object>(
  value: Value,
): Partial<{ [Key in keyof Value]: Exclude<Value[Key], undefined> }> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never
}

function stratumName({ perLabel, label }: Policy, { batch, labels }: JudgedCandidate): string {
  const part = perLabel && labels.length > 0 ? labels.join("+") : label
  return part === undefined ? batch : `${batch}/${part}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function isOpen({ isRight }: JudgedCandidate): boolean {
  return isRight === undefined
}

function tally(members: readonly JudgedCandidate[]): { decided: number; wrong: number } {
  return {
    decided: members.filter((member) => !isOpen(member)).length,
    wrong: members.filter(({ isRight }) => isRight === false).length,
  }
}
