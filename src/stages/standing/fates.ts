import { corrected, rowChecks } from "../../curation/review/row-checks.ts"
import { passes, uniqueById } from "../../core/rows/candidates.ts"
import type { Candidate, Decision, Example, Input, RealInput, Seed } from "../../core/rows/example.ts"
import { groupOf } from "../../core/rows/kept-columns.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import type { Proposal } from "../../curation/version/preferences.ts"
import type { Rank } from "../../curation/rows/ranking.ts"
import type { PlacedCandidate } from "../../store/rows/grown-rows.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { askedAboutRows } from "./asked-about-rows.ts"
import { answeredInput, candidateExample, goldExamples } from "./example-of.ts"
import { inputProposals, type InputProposals } from "./input-proposals.ts"
import { relabelled, type Relabelled } from "./kinds/relabel.ts"
import { reviewPlan, type AskedItem, type ReviewPlan } from "./review-plan.ts"
import { adjudicationOf, isByPolicy, type Standing } from "./standing.ts"

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

export type TurnedDownExample = Example & {
  readonly reason: "rejected" | "failed-check"
  readonly detail: string | undefined
}

interface TurnedDownFate {
  readonly state: "turned-down"
  readonly example: TurnedDownExample
  readonly row: string
  readonly standing?: Standing
}

interface OpenFate {
  readonly state: "open"
  readonly row: string
  readonly input: Input
  readonly group?: string | undefined
  /** What people are asked, where they are: not about an input while a proposed output for it is asked about. */
  readonly asked: readonly AskedItem[]
  readonly standing: Standing
}

/** An input that was turned down, or a proposed output for one that has its output by now. */
interface SettledFate {
  readonly state: "rejected" | "settled"
  readonly row: string
  readonly input: Input
  readonly group?: string | undefined
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
  const { task, candidates, inputs, plan } = start
  const place = placing(rows, start)
  const goldExample = goldExamples(task)
  for (const seed of seeds)
    yield place({ row: seed.id, held: heldOf(seed.id), original: goldExample(seed), rank: writtenByPeople })
  const offered = inputProposals(candidates, (id) => plan.standing(id))
  const fold: Fold = { task, plan, offered, place, groupOfInput: inputGroups(task, inputs) }
  for (const input of inputs) {
    const { state } = plan.standing(input.id)
    if (state === "accepted" || state === "rejected") offered.settle(input.id)
    if (isWanted?.(input.id) !== false) yield inputFate(input, heldOf, fold)
  }
  if (!withCandidates) return
  for (const candidate of offered.inOrder(candidates)) yield candidateFate(candidate, fold)
}

const writtenByPeople: Rank = { human: true, reviewed: true }

interface Fold {
  readonly task: TaskSpecification
  readonly plan: ReviewPlan
  /** The group of a real input, by its id. */
  readonly groupOfInput: (id: string) => string | undefined
  readonly offered: InputProposals
  readonly place: (row: RowToPlace) => Fate
}

/** A row that became an example, before what was decided about it since. */
interface RowToPlace {
  readonly row: string
  readonly held: Held
  readonly original: Example
  readonly rank: Rank
  readonly standing?: Standing
  readonly proposal?: Proposal
}

function inputFate(given: RealInput, heldOf: FateOptions["heldOf"], fold: Fold): Fate {
  const { task, plan, offered, place } = fold
  const { id: row, input } = given
  const standing = plan.standing(row)
  const group = fold.groupOfInput(row)
  if (standing.state === "rejected") return { state: "rejected", row, input, group, standing }
  if (standing.state !== "accepted")
    return { state: "open", row, input, group, standing, asked: offered.hasOpen(row) ? [] : askedOf(plan, row) }
  const original = answeredInput(task, given, standing.output, standing.by)
  return place({ row, held: heldOf(row), original, rank: writtenByPeople, standing })
}

function candidateFate(candidate: Candidate, { plan, offered, place, groupOfInput }: Fold): Fate {
  const { id: row, input, answers } = candidate
  const example = candidateExample(candidate, answers === undefined ? undefined : groupOfInput(answers))
  if (!passes(candidate)) {
    const detail = candidate.checks.find(({ ok }) => !ok)?.name
    return { state: "turned-down", row, example: { ...example, reason: "failed-check", detail } }
  }
  const standing = plan.standing(row)
  if (standing.state === "rejected")
    return { state: "turned-down", row, example: { ...example, reason: "rejected", detail: standing.reason }, standing }
  if (offered.isSettled(candidate)) return { state: "settled", row, input, standing }
  if (standing.state !== "accepted") return { state: "open", row, input, standing, asked: askedOf(plan, row) }
  if (candidate.answers !== undefined) offered.settle(candidate.answers)
  const { output, by } = standing
  const original = { ...example, output, provenance: { ...example.provenance, acceptedBy: by } }
  // A real input is written by people, and with a reviewed output nothing of the row is a machine's.
  const isReviewed = !isByPolicy(by)
  const rank = { human: candidate.answers !== undefined && isReviewed, reviewed: isReviewed }
  return place({ row, held: "train", original, rank, standing, proposal: candidate })
}

/** What came of rows after they became examples: they were corrected, or their label was split. */
function placing(rows: TaskRows, { task, decisions }: ReviewStart): Fold["place"] {
  const checkOf = rowChecks(decisions)
  const { migrations } = rows
  return ({ row, held, original, rank, standing, proposal }) => {
    const example = corrected(original, checkOf(row, original.input, original.output))
    const settled = standing === undefined ? {} : { standing }
    const { input, output } = example
    const relabel = held === "retired" ? undefined : relabelled(migrations, { row, input, output }, decisions)
    if (relabel?.state === "open") {
      const question = adjudicationOf(relabel.item, decisions.get(relabel.item.id) ?? []) ?? relabel.item
      const asked = [askedAboutRows(task, question, decisions)]
      const { group } = example.provenance
      return { state: "open", row, input, group, standing: standing ?? { state: "pending" }, asked }
    }
    if (relabel?.state === "rejected") {
      const rejected = { ...example, reason: "rejected" as const, detail: relabel.reason }
      return { state: "turned-down", row, example: rejected, ...settled }
    }
    if (relabel !== undefined) {
      // A label that was split was no mistake of the model: nothing was proposed that was wrong.
      const given = withLabel(example, relabel)
      const now = corrected(given, checkOf(row, given.input, given.output))
      return { state: "example", row, held, original: given, example: now, rank, ...settled }
    }
    const isProposed = proposal === undefined || output === proposal.output
    const proposed = isProposed ? {} : { proposal: { input: proposal.input, output: proposal.output } }
    return { state: "example", row, held, original, example, rank, ...settled, ...proposed }
  }
}

function withLabel(example: Example, { output, by }: Relabelled & { readonly state: "relabelled" }): Example {
  return { ...example, output, provenance: { ...example.provenance, correctedBy: by } }
}

/** What is decided on one by one, and how it stands. */
export interface ReviewStart {
  readonly task: TaskSpecification
  readonly candidates: readonly PlacedCandidate[]
  readonly inputs: readonly RealInput[]
  readonly decisions: ReadonlyMap<string, readonly Decision[]>
  readonly plan: ReviewPlan
}

/** The same with what it was made of. */
export interface ReviewRows extends ReviewStart {
  /** How many candidates there are with those that stand in several batches. */
  readonly grown: number
  readonly decided: readonly Decision[]
}

/** Reads the real inputs, the candidates and the decisions of the task. */
export function reviewStart(task: TaskSpecification, rows: TaskRows): ReviewRows {
  const decided = rows.review.decisions()
  const decisions = Map.groupBy(decided, (decision) => decision.item)
  const [grown, inputs] = [rows.grown.candidates(), rows.inputs()]
  const candidates = uniqueById(grown)
  const plan = reviewPlan(task, candidates.filter(passes), inputs, decisions)
  return { task, candidates, grown: grown.length, inputs, decided, decisions, plan }
}

function inputGroups(task: TaskSpecification, inputs: readonly RealInput[]): Fold["groupOfInput"] {
  if (task.holdout.groupBy === undefined) return () => undefined
  const groups = new Map(inputs.map((input) => [input.id, groupOf(task, input)]))
  return (id) => groups.get(id)
}

function askedOf(plan: ReviewPlan, id: string): AskedItem[] {
  const asked = plan.asked(id)
  return asked === undefined ? [] : [asked]
}
