import { inOrderOf } from "../curation/assignment.ts"
import type { Candidate, Decision, Example, RealInput, Seed, Split } from "../core/example.ts"
import type { TaskSpecification } from "../core/task.ts"
import type { Held } from "../core/holdout-refresh.ts"
import type { Proposal } from "../curation/preferences.ts"
import type { TaskRows } from "../store/task-rows.ts"
import { conflictItems } from "./conflicts.ts"
import { goldChecks } from "./gold-checks.ts"
import { inputProposals } from "./input-proposals.ts"
import { passes, suspectItems, uniqueById, type ReviewItem, type SourceRow } from "./review-items.ts"
import { labelsIn, reviewPlan, type AskedItem, type ReviewPlan } from "./review-plan.ts"
import { corrected, rowChecks } from "./row-checks.ts"
import { adjudicationOf, isByPolicy, type Standing } from "./standing.ts"

/** A train example, or one that a person or a check turned down; held-out examples stand apart. */
export interface TaskExamples {
  readonly train: readonly (Example & { readonly rank: { readonly human: boolean; readonly reviewed: boolean } })[]
  readonly validation: readonly Example[]
  readonly test: readonly Example[]
  /** Of test sets that were worn: in no split, and still not trained on. */
  readonly retired: readonly Example[]
  readonly turnedDown: readonly (Example & { readonly reason: "rejected" | "failed-check"; readonly detail: string | undefined })[]
  /** Candidates and inputs that people are asked about: nobody decided on them, reviewers disagree, or they changed since. */
  readonly open: readonly ReviewItem[]
  /** Examples whose labels are probably wrong and that nobody decided on, the most suspect first. They are examples all the same. */
  readonly suspects: readonly ReviewItem[]
  /** Pairs of train examples that contradict each other, as the last build found them. They are examples all the same. */
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

/** Every example of the task and how it stands, from the files alone; the order follows from ids. */
export function taskExamples(task: TaskSpecification, rows: TaskRows): TaskExamples {
  const split = new Map(rows.assignments().map((assignment) => [assignment.id, assignment.split]))
  const decisions = Map.groupBy(rows.decisions(), (decision) => decision.item)
  const parts: Record<Split, (Example & { rank: { human: boolean; reviewed: boolean } })[]> = { train: [], validation: [], test: [] }
  const turnedDown: (Example & { reason: "rejected" | "failed-check"; detail: string | undefined })[] = []
  const open: AskedItem[] = []
  const proposals = new Map<string, Proposal>()
  const standings = new Map<string, Standing>()
  const checkOf = rowChecks(decisions)
  const sources = new Map<string, SourceRow>()
  const retired: Example[] = []
  const place = (row: string, part: Held, example: Example, rank: { human: boolean; reviewed: boolean }, proposal?: Proposal) => {
    if (part === "retired") {
      retired.push(corrected(example, checkOf(row, example.input, example.output)))
      return
    }
    sources.set(row, { row, split: part, example })
    const placed = corrected(example, checkOf(row, example.input, example.output))
    parts[part].push({ ...placed, rank })
    if (proposal !== undefined && placed.output !== proposal.output) proposals.set(example.id, { input: proposal.input, output: proposal.output })
  }
  for (const seed of rows.seeds()) place(seed.id, split.get(seed.id) ?? "train", goldExample(seed), { human: true, reviewed: true })
  const candidates = uniqueById(rows.candidates())
  const inputs = rows.inputs()
  const plan = reviewPlan(task, candidates.filter(passes), inputs, decisions)
  const offered = inputProposals(candidates, (id) => plan.standing(id))
  for (const input of inputs) {
    const standing = plan.standing(input.id)
    standings.set(input.id, standing)
    if (standing.state === "accepted")
      place(input.id, split.get(input.id) ?? "train", answeredInput(input, standing.output, standing.by), { human: true, reviewed: true })
    if (standing.state === "accepted" || standing.state === "rejected") offered.settle(input.id)
    else if (!offered.hasOpen(input.id)) open.push(...askedOf(plan, input.id))
  }
  for (const candidate of offered.inOrder(candidates)) {
    const example = candidateExample(candidate)
    if (!passes(candidate)) {
      turnedDown.push({ ...example, reason: "failed-check", detail: candidate.checks.find(({ ok }) => !ok)?.name })
      continue
    }
    const standing = plan.standing(candidate.id)
    standings.set(candidate.id, standing)
    if (standing.state !== "rejected" && offered.isSettled(candidate)) continue
    if (standing.state === "accepted") {
      const isReviewed = !isByPolicy(standing.by)
      if (candidate.answers !== undefined) offered.settle(candidate.answers)
      place(
        candidate.id,
        "train",
        { ...example, output: standing.output, provenance: { ...example.provenance, acceptedBy: standing.by } },
        // A real input is written by people, and with a reviewed output nothing of the row is a machine's.
        { human: candidate.answers !== undefined && isReviewed, reviewed: isReviewed },
        candidate,
      )
    } else if (standing.state === "rejected")
      turnedDown.push({ ...example, provenance: { ...example.provenance, acceptedBy: "" }, reason: "rejected", detail: standing.reason })
    else open.push(...askedOf(plan, candidate.id))
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
    (need === "random" || need === "rest") && item.output !== undefined && labelsIn(task, item.output).some((label) => !covered.has(label))
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
function askedAboutRows(task: TaskSpecification, item: ReviewItem, decisions: ReadonlyMap<string, readonly Decision[]>): AskedItem {
  const { disputed = item } = item
  const decidedBy = [...new Set((decisions.get(disputed.id) ?? []).map(({ reviewer }) => reviewer))]
  const reviewers = inOrderOf(task.review, disputed.id).filter((name) => !decidedBy.includes(name))
  return { item, need: item.kind === "adjudication" ? "disagreement" : "label-error", reviewers: reviewers.slice(0, 1), decidedBy }
}

/** The seeds with the outputs that experts gave them. */
export function correctedSeeds(rows: TaskRows): Seed[] {
  const checkOf = rowChecks(Map.groupBy(rows.decisions(), (decision) => decision.item))
  return rows.seeds().map((seed) => {
    const check = checkOf(seed.id, seed.input, seed.output)
    return check.state === "corrected" ? { ...seed, output: check.output } : seed
  })
}

function goldExample(seed: Seed): Example {
  return {
    id: exampleId(seed.id),
    input: seed.input,
    output: seed.output,
    provenance: { parents: [], strategy: "gold", ...(seed.source === undefined ? {} : { source: seed.source }), acceptedBy: "gold" },
  }
}

function answeredInput(input: RealInput, output: unknown, by: string): Example {
  return {
    id: exampleId(input.id),
    input: input.input,
    output,
    provenance: { parents: [], strategy: "answered-input", ...(input.source === undefined ? {} : { source: input.source }), acceptedBy: by },
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
