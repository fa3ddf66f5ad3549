import { inOrderOf } from "../../curation/review/assignment.ts"
import type { Candidate, Decision, Example, Input, RealInput, Seed, Split } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import type { Proposal } from "../../curation/version/preferences.ts"
import type { CurationRow, Rank } from "../../curation/rows/ranking.ts"
import type { PlacedCandidate, TaskRows } from "../../store/rows/task-rows.ts"
import { conflictItems } from "./conflicts.ts"
import { goldChecks } from "./gold-checks.ts"
import { inputProposals } from "./input-proposals.ts"
import { passes, suspectItems, uniqueById, type ReviewItem, type SourceRow } from "./review-items.ts"
import { relabelled } from "./relabelling.ts"
import { labelsIn, reviewPlan, type AskedItem, type ReviewPlan } from "./review-plan.ts"
import { corrected, rowChecks } from "./row-checks.ts"
import { adjudicationOf, isByPolicy, type Standing } from "./standing.ts"

/** A train example, or one that a person or a check turned down; held-out examples stand apart. */
export interface TaskExamples {
  readonly train: readonly CurationRow[]
  readonly validation: readonly Example[]
  readonly test: readonly Example[]
  /** Of test sets that were worn: in no split, and still not trained on. */
  readonly retired: readonly Example[]
  readonly turnedDown: readonly (Example & {
    readonly reason: "rejected" | "failed-check"
    readonly detail: string | undefined
  })[]
  /**
   * Candidates and inputs that people are asked about: nobody decided on them, reviewers disagree, or they changed
   * since.
   */
  readonly open: readonly ReviewItem[]
  /**
   * Examples whose labels are probably wrong and that nobody decided on, the most suspect first. They are examples all
   * the same.
   */
  readonly suspects: readonly ReviewItem[]
  /**
   * Pairs of train examples that contradict each other, as the last build found them. They are examples all the same.
   */
  readonly conflicts: readonly ReviewItem[]
  /** What was proposed of the candidates that a person corrected, by the id of the example. */
  readonly proposals: ReadonlyMap<string, Proposal>
  readonly sources: ReadonlyMap<string, SourceRow>
  readonly standings: ReadonlyMap<string, Standing>
  /** All that waits for a person, with why and for whom: open items, conflicts and suspects. */
  readonly asked: readonly AskedItem[]
  readonly plan: Pick<ReviewPlan, "strata" | "estimate" | "waiting">
  /** The gold checks that the reviewer has not decided on. */
  goldChecksFor(reviewer: string): ReviewItem[]
}

/** What came of a seed, an input or a candidate: an example, or why it is none. */
export type Fate = ExampleFate | TurnedDownFate | OpenFate | SettledFate

interface ExampleFate {
  readonly state: "example"
  readonly row: string
  readonly held: Held
  /** As it was before anybody corrected it. */
  readonly original: Example
  readonly example: Example
  readonly rank: Rank
  readonly standing?: Standing
  /** What was proposed, where a person corrected it. */
  readonly proposal?: Proposal
}

interface TurnedDownFate {
  readonly state: "turned-down"
  readonly example: TaskExamples["turnedDown"][number]
  readonly row: string
  readonly standing?: Standing
}

interface OpenFate {
  readonly state: "open"
  readonly row: string
  readonly input: Input
  /** What people are asked, where they are: not about an input while a proposed output for it is asked about. */
  readonly asked: readonly AskedItem[]
  readonly standing: Standing
}

/** An input that was turned down, or a proposed output for one that has its output by now. */
interface SettledFate {
  readonly state: "rejected" | "settled"
  readonly row: string
  readonly input: Input
  readonly standing: Standing
}

export interface FateOptions {
  /** Where a seed or an input is held. */
  readonly heldOf: (id: string) => Held
  /** Leaves seeds and inputs out by their ids, seeds before they are read. */
  readonly isWanted?: ((id: string) => boolean) | undefined
  /** Default: those of the task that are wanted. */
  readonly seeds?: Iterable<Seed>
  /** Default: they come after seeds and inputs. */
  readonly withCandidates?: boolean
}

/**
 * What came of every seed, input and candidate, one by one: seeds are not held in memory. `start` is what `reviewStart`
 * read.
 */
export function* fates(rows: TaskRows, start: ReviewStart, options: FateOptions): Generator<Fate> {
  const { heldOf, isWanted, seeds = rows.eachSeed(isWanted), withCandidates = true } = options
  const { task, candidates, inputs, decisions, plan } = start
  const checkOf = rowChecks(decisions)
  const { migrations } = rows
  const placed = (
    row: string,
    held: Held,
    original: Example,
    rank: Rank,
    more: { standing?: Standing; proposal?: Proposal } = {},
  ): Fate => {
    const example = corrected(original, checkOf(row, original.input, original.output))
    const { standing, proposal } = more
    const settled = standing === undefined ? {} : { standing }
    const relabel =
      held === "retired"
        ? undefined
        : relabelled(migrations, { row, input: example.input, output: example.output }, decisions)
    if (relabel?.state === "open") {
      const question = adjudicationOf(relabel.item, decisions.get(relabel.item.id) ?? []) ?? relabel.item
      return {
        state: "open",
        row,
        input: example.input,
        standing: standing ?? { state: "pending" },
        asked: [askedAboutRows(task, question, decisions)],
      }
    }
    if (relabel?.state === "rejected")
      return {
        state: "turned-down",
        row,
        example: { ...example, reason: "rejected", detail: relabel.reason },
        ...settled,
      }
    if (relabel !== undefined) {
      const given = {
        ...example,
        output: relabel.output,
        provenance: { ...example.provenance, correctedBy: relabel.by },
      }
      // A label that was split was no mistake of the model: nothing was proposed that was wrong.
      return {
        state: "example",
        row,
        held,
        original: given,
        example: corrected(given, checkOf(row, given.input, given.output)),
        rank,
        ...settled,
      }
    }
    return {
      state: "example",
      row,
      held,
      original,
      example,
      rank,
      ...settled,
      ...(proposal === undefined || example.output === proposal.output
        ? {}
        : { proposal: { input: proposal.input, output: proposal.output } }),
    }
  }
  const written: Rank = { human: true, reviewed: true }
  const goldExample = goldExamples()
  for (const seed of seeds) yield placed(seed.id, heldOf(seed.id), goldExample(seed), written)
  const offered = inputProposals(candidates, (id) => plan.standing(id))
  for (const { id, input, ...rest } of inputs) {
    const standing = plan.standing(id)
    if (standing.state === "accepted" || standing.state === "rejected") offered.settle(id)
    if (isWanted?.(id) === false) continue
    if (standing.state === "accepted")
      yield placed(id, heldOf(id), answeredInput({ id, input, ...rest }, standing.output, standing.by), written, {
        standing,
      })
    else if (standing.state === "rejected") yield { state: "rejected", row: id, input, standing }
    else yield { state: "open", row: id, input, standing, asked: offered.hasOpen(id) ? [] : askedOf(plan, id) }
  }
  if (!withCandidates) return
  for (const candidate of offered.inOrder(candidates)) {
    const { id, input } = candidate
    const example = candidateExample(candidate)
    if (!passes(candidate)) {
      const detail = candidate.checks.find(({ ok }) => !ok)?.name
      yield { state: "turned-down", row: id, example: { ...example, reason: "failed-check", detail } }
      continue
    }
    const standing = plan.standing(id)
    if (standing.state !== "rejected" && offered.isSettled(candidate))
      yield { state: "settled", row: id, input, standing }
    else if (standing.state === "accepted") {
      const isReviewed = !isByPolicy(standing.by)
      if (candidate.answers !== undefined) offered.settle(candidate.answers)
      const accepted = {
        ...example,
        output: standing.output,
        provenance: { ...example.provenance, acceptedBy: standing.by },
      }
      // A real input is written by people, and with a reviewed output nothing of the row is a machine's.
      const rank = { human: candidate.answers !== undefined && isReviewed, reviewed: isReviewed }
      yield placed(id, "train", accepted, rank, { standing, proposal: candidate })
    } else if (standing.state === "rejected") {
      const rejected = {
        ...example,
        provenance: { ...example.provenance, acceptedBy: "" },
        reason: "rejected" as const,
        detail: standing.reason,
      }
      yield { state: "turned-down", row: id, example: rejected, standing }
    } else yield { state: "open", row: id, input, standing, asked: askedOf(plan, id) }
  }
}

/** What is decided on one by one, and how it stands. */
export interface ReviewStart {
  readonly task: TaskSpecification
  readonly candidates: readonly PlacedCandidate[]
  readonly inputs: readonly RealInput[]
  readonly decisions: ReadonlyMap<string, readonly Decision[]>
  readonly plan: ReviewPlan
}

/** Reads the real inputs, the candidates and the decisions of the task. */
export function reviewStart(task: TaskSpecification, rows: TaskRows): ReviewStart {
  const decisions = Map.groupBy(rows.decisions(), (decision) => decision.item)
  const [candidates, inputs] = [uniqueById(rows.candidates()), rows.inputs()]
  return { task, candidates, inputs, decisions, plan: reviewPlan(task, candidates.filter(passes), inputs, decisions) }
}

/** Every example of the task and how it stands, from the files alone; the order follows from ids. */
export function taskExamples(task: TaskSpecification, rows: TaskRows): TaskExamples {
  const held = new Map(rows.assignments().map((assignment) => [assignment.id, assignment.split]))
  const start = reviewStart(task, rows)
  const { decisions, candidates, plan } = start
  const checkOf = rowChecks(decisions)
  const parts: Record<Split, CurationRow[]> = { train: [], validation: [], test: [] }
  const [retired, turnedDown, open]: [Example[], TaskExamples["turnedDown"][number][], AskedItem[]] = [[], [], []]
  const proposals = new Map<string, Proposal>()
  const standings = new Map<string, Standing>()
  const sources = new Map<string, SourceRow>()
  for (const fate of fates(rows, start, { heldOf: (id) => held.get(id) ?? "train" })) {
    const { row, standing } = fate
    if (standing !== undefined) standings.set(row, standing)
    if (fate.state === "turned-down") turnedDown.push(fate.example)
    if (fate.state === "open") open.push(...fate.asked)
    if (fate.state !== "example") continue
    if (fate.held === "retired") retired.push(fate.example)
    else {
      sources.set(row, { row, split: fate.held, example: fate.original })
      parts[fate.held].push({ ...fate.example, rank: fate.rank })
      if (fate.proposal !== undefined) proposals.set(fate.example.id, fate.proposal)
    }
  }
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  const suspects = suspectItems(rows, sources).flatMap(({ item, suspect, source }) => {
    const { state } = checkOf(source.row, source.example.input, source.example.output)
    if (state === "disputed") return [adjudicationOf(item, decisions.get(item.id) ?? []) ?? item]
    return state === "open" && suspect.isCurrent ? [item] : []
  })
  const conflicts = conflictItems(rows, sources, decisions).flatMap(({ item, isOpen }) => (isOpen ? [item] : []))
  const covered = new Set(parts.train.flatMap(({ output }) => labelsIn(task, output)))
  const isUncovered = ({ need, item }: AskedItem) =>
    (need === "random" || need === "rest") &&
    item.output !== undefined &&
    labelsIn(task, item.output).some((label) => !covered.has(label))
  open.sort((a, b) => byId(a.item, b.item))
  return {
    train: parts.train.sort(byId),
    validation: parts.validation.map(withoutRank).sort(byId),
    test: parts.test.map(withoutRank).sort(byId),
    retired: retired.sort(byId),
    turnedDown: turnedDown.sort(byId),
    open: open.map(({ item }) => item),
    suspects,
    conflicts,
    proposals,
    sources,
    standings,
    asked: [
      ...open.map((asked): AskedItem => (isUncovered(asked) ? { ...asked, need: "uncovered" } : asked)),
      ...[...conflicts, ...suspects].map((item) => askedAboutRows(task, item, decisions)),
    ],
    plan,
    goldChecksFor: (reviewer) => {
      const mayHave = Math.ceil(task.review.goldChecks * candidates.length)
      const isDecided = ({ id, revision }: ReviewItem) =>
        (decisions.get(id) ?? []).some((decision) => decision.reviewer === reviewer && decision.revision === revision)
      const suspected = new Set(suspects.flatMap((item) => item.rows?.map(({ row }) => row) ?? []))
      const checks = goldChecks(sources, decisions).filter(({ gold }) => gold && !suspected.has(gold.row))
      return checks.slice(0, mayHave).filter((check) => !isDecided(check))
    },
  }
}

function askedOf(plan: ReviewPlan, id: string): AskedItem[] {
  const asked = plan.asked(id)
  return asked === undefined ? [] : [asked]
}

/** Questions about rows that are examples already fall to one reviewer. */
function askedAboutRows(
  task: TaskSpecification,
  item: ReviewItem,
  decisions: ReadonlyMap<string, readonly Decision[]>,
): AskedItem {
  const { disputed = item } = item
  const decidedBy = [...new Set((decisions.get(disputed.id) ?? []).map(({ reviewer }) => reviewer))]
  const reviewers = inOrderOf(task.review, disputed.id).filter((name) => !decidedBy.includes(name))
  return {
    item,
    need: item.kind === "adjudication" ? "disagreement" : "label-error",
    reviewers: reviewers.slice(0, 1),
    decidedBy,
  }
}

/**
 * The seeds with the outputs that experts gave them; without those whose label was split and that nobody decided on
 * since.
 */
export function correctedSeeds(rows: TaskRows): Seed[] {
  const decisions = Map.groupBy(rows.decisions(), (decision) => decision.item)
  const checkOf = rowChecks(decisions)
  const { migrations } = rows
  return rows.seeds().flatMap((seed) => {
    const check = checkOf(seed.id, seed.input, seed.output)
    const output = check.state === "corrected" ? check.output : seed.output
    const relabel = relabelled(migrations, { row: seed.id, input: seed.input, output }, decisions)
    if (relabel !== undefined) return relabel.state === "relabelled" ? [{ ...seed, output: relabel.output }] : []
    return [output === seed.output ? seed : { ...seed, output }]
  })
}

/**
 * Makes examples of seeds. Those that follow each other mostly come from one source: they share what is said of them.
 */
function goldExamples(): (seed: Seed) => Example {
  const goldOf = (source: string | undefined) => ({
    parents: [],
    strategy: "gold",
    ...(source === undefined ? {} : { source }),
    acceptedBy: "gold",
  })
  let last: Example["provenance"] = goldOf(undefined)
  return ({ id, input, output, source }) => {
    if (last.source !== source) last = goldOf(source)
    return { id: exampleId(id), input, output, provenance: last }
  }
}

function answeredInput(input: RealInput, output: unknown, by: string): Example {
  return {
    id: exampleId(input.id),
    input: input.input,
    output,
    provenance: {
      parents: [],
      strategy: "answered-input",
      ...(input.source === undefined ? {} : { source: input.source }),
      acceptedBy: by,
    },
  }
}

function candidateExample(candidate: Candidate): Example {
  return {
    id: exampleId(candidate.id),
    input: candidate.input,
    output: candidate.output,
    provenance: {
      parents: candidate.parents,
      strategy: candidate.strategy,
      ...(candidate.model === undefined ? {} : { model: candidate.model }),
      ...(candidate.request === undefined ? {} : { request: candidate.request }),
      acceptedBy: "",
    },
  }
}

/** The example's id keeps the digits of what it came from, so that one leads to the other. */
function exampleId(id: string): string {
  return `ex_${id.slice(id.indexOf("_") + 1)}`
}

function withoutRank({ rank: _, ...example }: Example & { rank: unknown }): Example {
  return example
}
