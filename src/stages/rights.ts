import { digits, lineageOf } from "../curation/leaks/lineage.ts"
import { type Ancestor, originsOf } from "../curation/leaks/origins.ts"
import { GateError } from "../core/errors.ts"
import type { Example } from "../core/rows/example.ts"
import { brokenRules, type Origins } from "../core/task/rights.ts"
import type { TaskSpecification } from "../core/task/task.ts"
import { readLicences } from "../store/licences.ts"
import { TaskRows } from "../store/rows/task-rows.ts"
import type { StageContext } from "./context.ts"

/**
 * Throws a GateError when the rows, with the base model where one is given, bring together what `rights.forbid` of the
 * specification keeps apart.
 */
export function requireAllowed(
  context: StageContext,
  task: TaskSpecification,
  train: Iterable<Example>,
  baseModel?: string,
): void {
  if (task.rights.forbid.length === 0) return
  const origins = { ...rowOrigins(context, task, train), ...(baseModel === undefined ? {} : { baseModel }) }
  const [broken] = brokenRules(task.rights, origins, readLicences(context.workspace))
  if (broken === undefined) return
  const { why, ...rule } = broken.rule
  const named = Object.entries(rule).map(([key, value]) => `${key}: ${value}`)
  throw new GateError(
    `rights.forbid of ${task.task} keeps apart {${named.join(", ")}}, and the rows have ${broken.met.join(" and ")}${why === undefined ? "" : `: ${why}`}`,
    `Leave those rows out, state the right of the source under rights.sources, or change the rule in ${context.workspace.show(context.workspace.specFile(task.task))}; nothing was frozen or sent.`,
  )
}

/**
 * Where the rows come from, through everything that they were grown from. Rows are gone through once; memory has the
 * parents of those that were grown, and where there are such, the candidates of the task.
 */
export function rowOrigins(context: StageContext, task: TaskSpecification, train: Iterable<Example>): Origins {
  const rows = new TaskRows(context.workspace, task.task)
  return originsOf(train, (parents) => ancestorsOf(rows, parents))
}

function* ancestorsOf(rows: TaskRows, parents: ReadonlySet<string>): Generator<Ancestor> {
  const candidates = rows.grown.candidates()
  const reached = lineageOf(
    Array.from(parents, (id) => ({ id, parents: [] })),
    candidates,
  )
  const isReached = (id: string) => reached.has(digits(id))
  yield* rows.eachSeed(isReached)
  yield* rows.eachInput(isReached)
  yield* candidates.filter(({ id }) => isReached(id))
}
