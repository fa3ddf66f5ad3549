import type { ReviewMaterial } from "../../core/contracts/review-kind.ts"
import type { Example, Split } from "../../core/rows/example.ts"
import type { ReviewItem, SourceRow } from "../../core/rows/review-item.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Proposal } from "../../curation/version/preferences.ts"
import type { CurationRow } from "../../curation/rows/ranking.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { askedAboutRows } from "./asked-about-rows.ts"
import { fates, reviewStart, type Fate, type ReviewRows, type TurnedDownExample } from "./fates.ts"
import { goldChecks } from "./gold-checks.ts"
import { labelError } from "./kinds/label-error.ts"
import { reviewKinds } from "./kinds.ts"
import { labelsIn, type AskedItem, type ReviewPlan } from "./review-plan.ts"
import type { Standing } from "./standing.ts"

/** A train example, or one that a person or a check turned down; held-out examples stand apart. */
export interface TaskExamples extends Pick<ReviewRows, "candidates" | "grown" | "inputs" | "decided" | "decisions"> {
  readonly train: readonly CurationRow[]
  readonly validation: readonly Example[]
  readonly test: readonly Example[]
  /** Of test sets that were worn: in no split, and still not trained on. */
  readonly retired: readonly Example[]
  readonly turnedDown: readonly TurnedDownExample[]
  /**
   * Items that decide whether a row becomes an example: nobody decided on them, reviewers disagree, or they changed
   * since.
   */
  readonly open: readonly ReviewItem[]
  /** The questions about rows that are examples all the same, by the names of their kinds; those that wait. */
  readonly aboutExamples: ReadonlyMap<string, readonly ReviewItem[]>
  /** What was proposed of the candidates that a person corrected, by the id of the example. */
  readonly proposals: ReadonlyMap<string, Proposal>
  readonly sources: ReadonlyMap<string, SourceRow>
  readonly standings: ReadonlyMap<string, Standing>
  /** All that waits for a person, with why and for whom: what is open and the questions about examples. */
  readonly asked: readonly AskedItem[]
  readonly plan: Pick<ReviewPlan, "strata" | "estimate" | "waiting">
  /** The gold checks that the reviewer has not decided on. */
  goldChecksFor(reviewer: string): ReviewItem[]
}

/** Every example of the task and how it stands, from the files alone; the order follows from ids. */
export function taskExamples(task: TaskSpecification, rows: TaskRows): TaskExamples {
  const held = new Map(rows.assignments().map((assignment) => [assignment.id, assignment.split]))
  const start = reviewStart(task, rows)
  const found = gather(fates(rows, start, { heldOf: (id) => held.get(id) ?? "train" }))
  const { parts, open, sources } = found
  const { candidates, grown, inputs, decided, decisions } = start
  const aboutExamples = questionsAbout({ rows, sources, decisions })
  open.sort((a, b) => byId(a.item, b.item))
  const covered = new Set(parts.train.flatMap(({ output }) => labelsIn(task, output)))
  return {
    ...{ candidates, grown, inputs, decided, decisions },
    train: parts.train.sort(byId),
    validation: parts.validation.map(withoutRank).sort(byId),
    test: parts.test.map(withoutRank).sort(byId),
    retired: found.retired.sort(byId),
    turnedDown: found.turnedDown.sort(byId),
    open: open.map(({ item }) => item),
    aboutExamples,
    proposals: found.proposals,
    sources,
    standings: found.standings,
    asked: [
      ...open.map((asked) => withNeed(task, asked, covered)),
      ...[...aboutExamples.values()].flat().map((item) => askedAboutRows(task, item, decisions)),
    ],
    plan: start.plan,
    goldChecksFor: (reviewer) =>
      goldChecksFor(reviewer, task, { grown: candidates.length, decisions, sources, aboutExamples }),
  }
}

/** How many questions about examples wait, by the field that counts them. */
export function countsOf({ aboutExamples }: Pick<TaskExamples, "aboutExamples">): Record<string, number> {
  // The kinds that were there first come last, as they always have in what is printed.
  return Object.fromEntries(
    reviewKinds
      .toReversed()
      .flatMap(({ name, counted }) => (counted ? [[counted.field, aboutExamples.get(name)?.length ?? 0]] : [])),
  )
}

/** What came of the rows, sorted by where it goes. */
export function gather(all: Iterable<Fate>) {
  const parts: Record<Split, CurationRow[]> = { train: [], validation: [], test: [] }
  const retired: Example[] = []
  const turnedDown: TurnedDownExample[] = []
  const open: AskedItem[] = []
  const proposals = new Map<string, Proposal>()
  const standings = new Map<string, Standing>()
  const sources = new Map<string, SourceRow>()
  for (const fate of all) {
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
  return { parts, retired, turnedDown, open, proposals, standings, sources }
}

/** The questions about rows that are examples already, by the names of their kinds; those that wait. */
export function questionsAbout(material: ReviewMaterial): Map<string, readonly ReviewItem[]> {
  return new Map(reviewKinds.flatMap((kind) => (kind.waiting ? [[kind.name, kind.waiting(material)] as const] : [])))
}

/** A label that no train example has is asked about before what was drawn at random. */
function withNeed(task: TaskSpecification, asked: AskedItem, covered: ReadonlySet<string>): AskedItem {
  const { need, item } = asked
  const isUncovered =
    (need === "random" || need === "rest") &&
    item.output !== undefined &&
    labelsIn(task, item.output).some((label) => !covered.has(label))
  return isUncovered ? { ...asked, need: "uncovered" } : asked
}

/** The gold checks that the reviewer has not decided on, of so many candidates. */
export function goldChecksFor(
  reviewer: string,
  task: TaskSpecification,
  { grown, decisions, sources, aboutExamples }: Pick<TaskExamples, "grown" | "decisions" | "sources" | "aboutExamples">,
): ReviewItem[] {
  const mayHave = Math.ceil(task.review.goldChecks * grown)
  const isDecided = ({ id, revision }: ReviewItem) =>
    (decisions.get(id) ?? []).some((decision) => decision.reviewer === reviewer && decision.revision === revision)
  // A label that may be wrong checks nobody.
  const suspects = aboutExamples.get(labelError.name) ?? []
  const suspected = new Set(suspects.flatMap((item) => item.rows?.map(({ row }) => row) ?? []))
  const checks = goldChecks(sources, decisions).filter(({ gold }) => gold && !suspected.has(gold.row))
  return checks.slice(0, mayHave).filter((check) => !isDecided(check))
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function withoutRank({ rank: _, ...example }: Example & { rank: unknown }): Example {
  return example
}
