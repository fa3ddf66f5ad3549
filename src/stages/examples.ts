import { canonicalJson, digest } from "../core/canonical.ts"
import type { Candidate, Decision, Example, QueuedSuspect, RealInput, Seed, Split } from "../core/example.ts"
import type { TaskSpecification } from "../core/task.ts"
import type { TaskRows } from "../store/task-rows.ts"
import { conflictItems } from "./conflicts.ts"
import { checkId, corrected, rowChecks } from "./row-checks.ts"

/** What a person is asked about: a candidate, a real input that has no answer yet, a row whose label is probably wrong, or two rows that contradict each other. */
export interface ReviewItem {
  readonly id: string
  readonly kind: "candidate" | "input" | "label-error" | "conflict"
  readonly input: Candidate["input"]
  /** The proposed output; undefined for an input without an answer. */
  readonly output: unknown
  /** The output that the row has, where another one is proposed; of a conflict, the output of the other row. */
  readonly current?: unknown
  /** The input of the other row of a conflict. */
  readonly other?: Candidate["input"]
  /** The rows of a suspected error or a conflict, with the outputs that they had when the question was asked. */
  readonly rows?: readonly { readonly row: string; readonly check: string; readonly output: unknown; readonly revision: string }[]
  /** Why it is asked. */
  readonly note?: string
  readonly revision: string
}

/** An example before anybody corrected it, by the id of the seed, input or candidate that it came from. */
export interface SourceRow {
  readonly row: string
  readonly split: Split
  readonly example: Example
}

/** How an item stands: the fold of its decisions. `conflict`: two reviewers decided differently. `stale`: it changed after it was decided. */
export type Standing =
  | { readonly state: "pending" | "conflict" | "stale" }
  | { readonly state: "accepted"; readonly output: unknown; readonly by: string }
  | { readonly state: "rejected"; readonly by: string; readonly reason: string | undefined }

/** A train example, or one that a person or a check turned down; held-out examples stand apart. */
export interface TaskExamples {
  readonly train: readonly (Example & { readonly rank: { readonly human: boolean; readonly reviewed: boolean } })[]
  readonly validation: readonly Example[]
  readonly test: readonly Example[]
  readonly turnedDown: readonly (Example & { readonly reason: "rejected" | "failed-check"; readonly detail: string | undefined })[]
  /** Items nobody decided on, reviewers disagree on, or that changed since. */
  readonly open: readonly ReviewItem[]
  /** Examples whose labels are probably wrong and that nobody decided on, the most suspect first. They are examples all the same. */
  readonly suspects: readonly ReviewItem[]
  /** Pairs of train examples that contradict each other, as the last build found them. They are examples all the same. */
  readonly conflicts: readonly ReviewItem[]
  readonly sources: ReadonlyMap<string, SourceRow>
  readonly standings: ReadonlyMap<string, Standing>
}

/** Every example of the task and how it stands, from the files alone; the order follows from ids. */
export function taskExamples(task: TaskSpecification, rows: TaskRows): TaskExamples {
  const split = new Map(rows.assignments().map((assignment) => [assignment.id, assignment.split]))
  const decisions = Map.groupBy(rows.decisions(), (decision) => decision.item)
  const parts: Record<Split, (Example & { rank: { human: boolean; reviewed: boolean } })[]> = { train: [], validation: [], test: [] }
  const turnedDown: (Example & { reason: "rejected" | "failed-check"; detail: string | undefined })[] = []
  const open: ReviewItem[] = []
  const standings = new Map<string, Standing>()
  const checkOf = rowChecks(decisions)
  const sources = new Map<string, SourceRow>()
  const place = (row: string, part: Split, example: Example, rank: { human: boolean; reviewed: boolean }) => {
    sources.set(row, { row, split: part, example })
    parts[part].push({ ...corrected(example, checkOf(row, example.input, example.output)), rank })
  }
  for (const seed of rows.seeds()) place(seed.id, split.get(seed.id) ?? "train", goldExample(seed), { human: true, reviewed: true })
  for (const input of rows.inputs()) {
    const item = inputItem(input)
    const standing = standingOf(item, decisions.get(input.id) ?? [])
    standings.set(input.id, standing)
    if (standing.state === "accepted")
      place(input.id, split.get(input.id) ?? "train", answeredInput(input, standing.output, standing.by), { human: true, reviewed: true })
    else if (standing.state !== "rejected") open.push(item)
  }
  for (const candidate of uniqueById(rows.candidates())) {
    const example = candidateExample(candidate)
    if (!passes(candidate)) {
      turnedDown.push({ ...example, reason: "failed-check", detail: candidate.checks.find(({ ok }) => !ok)?.name })
      continue
    }
    const item = candidateItem(candidate)
    const decided = standingOf(item, decisions.get(candidate.id) ?? [])
    const standing: Standing =
      decided.state === "pending" && task.review.policy === "auto" ? { state: "accepted", output: candidate.output, by: "policy:auto" } : decided
    standings.set(candidate.id, standing)
    if (standing.state === "accepted")
      place(
        candidate.id,
        "train",
        { ...example, output: standing.output, provenance: { ...example.provenance, acceptedBy: standing.by } },
        { human: false, reviewed: standing.by !== "policy:auto" },
      )
    else if (standing.state === "rejected")
      turnedDown.push({ ...example, provenance: { ...example.provenance, acceptedBy: "" }, reason: "rejected", detail: standing.reason })
    else open.push(item)
  }
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  return {
    train: parts.train.sort(byId),
    validation: parts.validation.map(withoutRank).sort(byId),
    test: parts.test.map(withoutRank).sort(byId),
    turnedDown: turnedDown.sort(byId),
    open: open.sort(byId),
    suspects: suspectItems(rows, sources).flatMap(({ item, suspect, source }) => {
      const { state } = checkOf(source.row, source.example.input, source.example.output)
      return (state === "open" && suspect.isCurrent) || state === "disputed" ? [item] : []
    }),
    conflicts: conflictItems(rows, sources, decisions).flatMap(({ item, isOpen }) => (isOpen ? [item] : [])),
    sources,
    standings,
  }
}

/** Every item a person can decide on, decided or not: real inputs, the candidates that passed their checks, the rows that were suspected and the conflicts. */
export function reviewItems(rows: TaskRows, examples: TaskExamples): ReviewItem[] {
  return [
    ...rows.inputs().map(inputItem),
    ...uniqueById(rows.candidates()).filter(passes).map(candidateItem),
    ...suspectItems(rows, examples.sources).map(({ item }) => item),
    ...conflictItems(
      rows,
      examples.sources,
      Map.groupBy(rows.decisions(), (decision) => decision.item),
    ).map(({ item }) => item),
  ]
}

/** The seeds with the outputs that experts gave them. */
export function correctedSeeds(rows: TaskRows): Seed[] {
  const checkOf = rowChecks(Map.groupBy(rows.decisions(), (decision) => decision.item))
  return rows.seeds().map((seed) => {
    const check = checkOf(seed.id, seed.input, seed.output)
    return check.state === "corrected" ? { ...seed, output: check.output } : seed
  })
}

/** The suspected rows that still are as they were when they were suspected. */
function suspectItems(rows: TaskRows, sources: ReadonlyMap<string, SourceRow>): { item: ReviewItem; suspect: QueuedSuspect; source: SourceRow }[] {
  return rows.suspects().flatMap((suspect) => {
    const source = sources.get(suspect.row)
    if (source === undefined || checkId(suspect.row, source.example.input, source.example.output) !== suspect.id) return []
    const { input, output } = source.example
    const item: ReviewItem = {
      id: suspect.id,
      kind: "label-error",
      input,
      output: suspect.suggested,
      current: output,
      note: `a model that did not see the row gives ${formatShare(suspect.confidence)} to ${suspect.suggested}, ${formatShare(suspect.selfConfidence)} to ${String(output)}`,
      revision: digest({ input, output, suggested: suspect.suggested }),
      rows: [{ row: suspect.row, check: suspect.id, output, revision: digest({ input, output }) }],
    }
    return [{ item, suspect, source }]
  })
}

function formatShare(probability: number): string {
  return probability.toFixed(2)
}

/** Whether every check of the candidate passed. */
export function passes(candidate: Candidate): boolean {
  return candidate.checks.every(({ ok }) => ok)
}

function inputItem({ id, input }: RealInput): ReviewItem {
  return { id, kind: "input", input, output: undefined, revision: revisionOf(input, undefined) }
}

function candidateItem({ id, input, output }: Candidate): ReviewItem {
  return { id, kind: "candidate", input, output, revision: revisionOf(input, output) }
}

/** The digest of what a reviewer sees and decides on. */
function revisionOf(input: unknown, output: unknown): string {
  return digest({ input, output: output ?? null })
}

/** The digest of the guideline a decision is made under. */
export function guidelineDigest(task: TaskSpecification): string {
  return digest({ guideline: task.guideline, output: task.output })
}

function standingOf(item: ReviewItem, decisions: readonly Decision[]): Standing {
  const current = decisions.filter((decision) => decision.revision === item.revision)
  if (current.length === 0) return { state: decisions.length > 0 ? "stale" : "pending" }
  // A reviewer may change their mind: their last decision counts.
  const last = [...new Map(current.map((decision) => [decision.reviewer, decision])).values()]
  const outcome = (decision: Decision) =>
    decision.verdict === "reject" ? "reject" : canonicalJson(decision.verdict === "edit" ? decision.output : (item.output ?? null))
  if (new Set(last.map(outcome)).size > 1) return { state: "conflict" }
  const decision = last.at(-1) as Decision
  if (decision.verdict === "reject") return { state: "rejected", by: decision.reviewer, reason: decision.reason }
  return { state: "accepted", output: decision.verdict === "edit" ? decision.output : item.output, by: decision.reviewer }
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

function uniqueById<Row extends { id: string }>(rows: readonly Row[]): Row[] {
  return [...new Map(rows.toReversed().map((row) => [row.id, row])).values()]
}
