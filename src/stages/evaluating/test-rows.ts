import { groupOf } from "../../core/rows/kept-columns.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import { taintedRows, type Taint, type TaintOptions, type Training } from "../../curation/leaks/taint.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { Example } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"

/** The rows of an evaluation. */
export interface EvaluationRows {
  readonly train: readonly Example[]
  readonly validation: readonly Example[]
  /** The test rows that no contender has seen: those that are scored. */
  readonly test: readonly Example[]
  /** The test rows that a contender was trained on, or nearly: no contender is scored on them. */
  readonly tainted: readonly Taint[]
}

/**
 * The rows of the evaluation, the sealed test rows among them: the opening is in the ledger before the first of them is
 * read.
 */
export async function openTestRows(context: StageContext, plan: EvaluationPlan): Promise<EvaluationRows> {
  const { task, training, holdout } = plan
  const versions = new Versions(context.workspace, task.task)
  await context
    .ledger()
    .openings.record({ task: task.task, holdout, evaluation: plan.id, purpose: `evaluation of ${plan.run}` })
  const sealed = versions.rows(holdout, "test.jsonl")
  const validation = versions.rows(holdout, "validation.jsonl")
  const train = versions.rows(training.dataset, "train.jsonl")
  if (sealed.length === 0)
    throw new ToolkitError(`holdout ${holdout} has no test examples`, {
      code: "no-test",
      hint: `Import more gold examples: tuneloop seed import ${task.task} <file>`,
    })
  // A version was checked against its own holdout when it was built.
  const isChecked = versions.manifest(training.dataset).holdout === holdout
  const tainted = isChecked ? [] : taints(context, task, sealed, trainings(plan, train))
  return { train, validation, test: withoutTainted(sealed, tainted, holdout), tainted }
}

/** What the contenders have seen; those that saw the same rows together. */
function trainings({ task, contenders }: EvaluationPlan, train: readonly Example[]): Training[] {
  const groups = new Map<string, { contenders: string[]; rows: readonly Example[] }>()
  for (const { name, contender, options } of contenders) {
    const rows = contender.seen({ task, train }, options)
    const key = rows.map(({ id }) => id).join()
    const group = groups.get(key) ?? { contenders: [], rows }
    group.contenders.push(name)
    groups.set(key, group)
  }
  return [...groups.values()].filter(({ rows }) => rows.length > 0)
}

function taints(
  context: StageContext,
  task: TaskSpecification,
  test: readonly Example[],
  seen: readonly Training[],
): Taint[] {
  context.report.progress("looking for test rows that a contender was trained on")
  const { threshold, ngram, nearDuplicates } = task.build
  const rows = new TaskRows(context.workspace, task.task)
  const known = rows.grown.candidates()
  const checks = { threshold, ngram, numbers: nearDuplicates?.numbers, groupOf: groupsNow(task, rows) }
  return taintedRows({ task, test, trainings: seen, known, ...checks })
}

/** The group of a row as the task has it now: a version may be older than its groups. */
function groupsNow(task: TaskSpecification, rows: TaskRows): TaintOptions["groupOf"] {
  if (task.holdout.groupBy === undefined) return undefined
  const groups = new Map([...rows.eachSeed(), ...rows.eachInput()].map((row) => [digits(row.id), groupOf(task, row)]))
  return ({ id, provenance }) => groups.get(digits(id)) ?? provenance.group
}

function withoutTainted(sealed: readonly Example[], tainted: readonly Taint[], holdout: string): Example[] {
  const out = new Set(tainted.map(({ id }) => id))
  const test = sealed.filter(({ id }) => !out.has(id))
  if (test.length > 0) return test
  throw new ToolkitError(
    `the contenders were trained on every test row of ${holdout}, or on what is near it: ` +
      "nothing is left to compare them on",
    {
      code: "all-tainted",
      hint:
        "Evaluate on the holdout that the run was trained beside (without --holdout), " +
        "or train on a version of the new one.",
    },
  )
}
