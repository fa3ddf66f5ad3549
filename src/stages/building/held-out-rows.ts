import { heldOutRow, type HeldOutRow } from "../../curation/leaks/contamination.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import { outbound, Protection } from "../../curation/version/personal-data-policy.ts"
import { DataError } from "../../core/errors.ts"
import type { Example } from "../../core/rows/example.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import { inputIssues, outputIssues } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { pickSeeds } from "../../store/rows/seed-ranges.ts"
import type { StandingSplits } from "../../store/rows/standing-splits.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { readBenchmarks } from "./benchmarks.ts"
import { fates, type ReviewStart } from "../standing/fates.ts"

/** The rows that nothing may be trained on. */
export interface HeldOutRows {
  readonly standing: StandingSplits
  /** Where each id is held that is not in train, by the names that parents use. */
  readonly held: ReadonlyMap<string, Held>
  readonly validation: readonly Example[]
  readonly test: readonly Example[]
  /** Of test sets that were worn. */
  readonly retired: readonly Example[]
  /** Held-out inputs without an answer: no examples yet. */
  readonly unanswered: readonly HeldOutRow[]
  /** How many of them wait for a decision. */
  readonly open: number
  /** How many seeds and inputs the task has at most, those in train included. */
  readonly seen: number
}

/** What is held out, from the files; examples in the order of their ids. Rows in train are not read. */
export function readHeldOut(
  task: TaskSpecification,
  rows: TaskRows,
  start: ReviewStart,
  standing: StandingSplits,
): HeldOutRows {
  const held = standing.heldOut()
  const parts: Record<Held, Example[]> = { train: [], validation: [], test: [], retired: [] }
  const undecided: HeldOutRow[] = []
  let open = 0
  const seeds = pickSeeds(rows, standing, new Set(held.keys()))
  const isWanted = (id: string) => held.has(id)
  for (const fate of fates(rows, start, {
    heldOf: (id) => held.get(id) ?? "train",
    isWanted,
    seeds,
    withCandidates: false,
  })) {
    if (fate.state === "example") parts[fate.held].push(fate.example)
    if (fate.state === "open" || fate.state === "rejected")
      undecided.push({ id: fate.row, input: fate.input, ...inGroup(fate.group) })
    // Turned down since its label was split: it stays held out all the same.
    if (fate.state === "turned-down") undecided.push({ ...heldOutRow(fate.example), id: fate.row })
    if (fate.state === "open") open += fate.asked.length
  }
  const byId = (a: Example, b: Example) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  const [validation, test, retired] = [parts.validation.sort(byId), parts.test.sort(byId), parts.retired.sort(byId)]
  const answered = new Set([...validation, ...test, ...retired].map(({ id }) => digits(id)))
  const unanswered = undecided
    .filter(({ id }) => !answered.has(digits(id)))
    // As train rows are compared with them: with the same pseudonyms.
    .map((row) => ({ ...row, input: outbound(task, { input: row.input, output: null }).input }))
  return {
    standing,
    held,
    validation,
    test,
    retired,
    unanswered,
    open,
    seen: standing.seeds.size + start.inputs.length,
  }
}

/** What is held out as train rows are compared with it, and as a holdout has it: under the privacy policy. */
export interface ProtectedRows {
  readonly validation: readonly Example[]
  readonly test: readonly Example[]
  /** Every input that is held out: also of worn test sets, without an answer, and of benchmarks. */
  readonly inputs: readonly HeldOutRow[]
  /**
   * A parent is named by the id of the seed or input, an example by its own: both name the same held-out row.
   */
  readonly heldOutIds: ReadonlySet<string>
  /** The digest of each benchmark file, by its path as the specification has it. */
  readonly benchmarks: Readonly<Record<string, string>>
  readonly protection: Protection
}

export function protectHeldOut(context: StageContext, task: TaskSpecification, heldOut: HeldOutRows): ProtectedRows {
  const protection = new Protection(task)
  const protect = (example: Example) => protection.protect(example, { isTrain: false }).row
  const [validation, test] = [heldOut.validation.map(protect), heldOut.test.map(protect)]
  const benchmarks = readBenchmarks(context.workspace, task)
  const inputs = [
    ...[...validation, ...test].map(heldOutRow),
    ...heldOut.retired.map((row) => ({ ...heldOutRow(row), input: outbound(task, row).input })),
    ...heldOut.unanswered,
    ...benchmarks.rows.map((row) => ({ ...row, input: outbound(task, { input: row.input, output: null }).input })),
  ]
  const heldOutIds = new Set(heldOut.held.keys())
  return { validation, test, inputs, heldOutIds, benchmarks: benchmarks.digests, protection }
}

function inGroup(group: string | undefined): { readonly group?: string } {
  return group === undefined ? {} : { group }
}

/** Held-out rows may be edited by hand: a wrong one would make every later figure wrong. */
export function requireValid(task: TaskSpecification, examples: readonly Example[], file: string): void {
  const issues = examples.flatMap((example) =>
    [...inputIssues(task, example.input), ...outputIssues(task, example.output, example.input)].map((issue) => ({
      ...issue,
      file,
      path: `${example.id} ${issue.path ?? ""}`,
    })),
  )
  if (issues.length > 0)
    throw new DataError(
      "held-out examples no longer fit the specification",
      issues,
      "Correct those rows (same id), or the specification, and build again.",
    )
}
