import { outbound } from "../../curation/version/personal-data-policy.ts"
import { digest } from "../../core/canonical.ts"
import type { Silence } from "../../core/asking/spoken.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { BatchYield, Candidate, CellYield, RealInput, Seed } from "../../core/rows/example.ts"
import type { Failure } from "../../core/rows/failure.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import { costUsd } from "../../core/asking/prices.ts"
import { cellName, type Strategy, type StrategyMaterial } from "../../core/contracts/strategy.ts"
import { hasManyAnswers, outputForm, type TaskSpecification } from "../../core/task/task.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Asking } from "../asking/asking.ts"
import type { Ask } from "./asked-prompt.ts"
import { askToGrow } from "./ask-to-grow.ts"
import { askingTerms, type GrowingModel, growingModelName, growingRequests } from "./asking-terms.ts"
import { DraftChecks } from "./check-drafts.ts"
import type { StageContext } from "../context.ts"
import { correctedSeeds } from "../standing/corrected-seeds.ts"
import { growByAsking, growOffline, type Growth } from "./grow.ts"
import { type CostOf, type GrowthPlan, planOf } from "./growth-plan.ts"
import { holdOut } from "../arriving/hold-out.ts"
import { inputItem } from "../standing/kinds/input.ts"
import { passes } from "../../core/rows/candidates.ts"
import { requirePrivate } from "../privacy.ts"
import { standingOf } from "../standing/standing.ts"
import { writeGrowth } from "./write-growth.ts"

/** Raised when a change here would grow other candidates from the same inputs. */
const semantics = 2

export interface ExpandStep {
  readonly name: string
  readonly strategy: Strategy
  readonly options: Readonly<Record<string, unknown>>
  readonly count: number
}

export interface ExpandOptions extends GrowingModel {
  readonly filters: readonly ConfiguredFilter[]
  readonly dryRun: boolean
  /** What the questions of the command share: a ceiling on their cost, and a pace. */
  readonly asking?: Asking
  /** Grows so many and shows them; nothing is written but the answers. */
  readonly preview?: number | undefined
  /** What the tuned model gets wrong, from an evaluation that somebody named. */
  readonly failures?: readonly Failure[] | undefined
}

export interface ExpandResult {
  readonly strategy: string
  readonly batch: string
  /** `nothing`: there is nothing to grow from; the reason says what is missing. */
  readonly state: "grown" | "unchanged" | "planned" | "previewed" | "nothing"
  readonly reason?: string
  readonly asked: number
  readonly requests: number
  readonly answeredBefore: number
  /**
   * What the requests cost, in this run and earlier ones, in US dollars: what is unknown at its worst case. Null where
   * no price is known.
   */
  readonly costUsd: number | null
  readonly rounds: number
  readonly repaired: number
  readonly quarantined: number
  /** Answers of which only a part could be read. */
  readonly incomplete: number
  /** How many answers had no text, by what kept the model from saying anything. */
  readonly silent: Readonly<Partial<Record<Silence["kind"], number>>>
  readonly grown: number
  /** Of those that were grown, the ones that no batch had before. */
  readonly fresh: number
  readonly passed: number
  readonly failedChecks: Readonly<Record<string, number>>
  readonly problems: readonly string[]
  /** The funnel by cell. */
  readonly cells: readonly CellYield[]
  readonly emptyCells: readonly string[]
  readonly plan?: GrowthPlan
  readonly candidates?: readonly Candidate[]
}

/** What strategies may grow from: nothing in it is held out. */
interface Sources {
  readonly seeds: readonly Seed[]
  readonly inputs: readonly RealInput[]
  readonly failures: readonly Failure[]
  readonly split: ReadonlyMap<string, Held>
}

/**
 * The batch of candidates of each step exists: grown from what is for training and from the specification, every
 * candidate checked. A batch with the same inputs is `unchanged`. Every question to a model is in the ledger before it
 * is sent, and one that was answered is never sent again.
 */
export async function expand(
  context: StageContext,
  task: TaskSpecification,
  steps: readonly ExpandStep[],
  options: ExpandOptions,
): Promise<ExpandResult[]> {
  await holdOut(context, task)
  const sources = sourcesOf(context, task, options.failures ?? [])
  const results: ExpandResult[] = []
  const asking = options.asking ?? new Asking(context, askingTerms(task))
  for (const step of steps) results.push(await expandStep(context, task, step, sources, { ...options, asking }))
  return results
}

/** The train seeds and the train inputs that nobody answered, as they may leave the workspace, by id. */
export function sourcesOf(context: StageContext, task: TaskSpecification, failures: readonly Failure[]): Sources {
  const rows = new TaskRows(context.workspace, task.task)
  const split = new Map(rows.assignments().map((assignment) => [assignment.id, assignment.split]))
  const isTrain = ({ id }: { id: string }) => split.get(id) === "train"
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
  return {
    seeds: correctedSeeds(rows)
      .filter(isTrain)
      // What goes to a model goes as it would into a version.
      .map(({ columns: _, ...seed }) => outbound(task, seed))
      .sort(byId),
    inputs: rows
      .inputs()
      .filter(isTrain)
      .map(({ columns: _, ...row }) => ({ ...row, input: outbound(task, { input: row.input, output: null }).input }))
      .sort(byId),
    failures,
    split,
  }
}

async function expandStep(
  context: StageContext,
  task: TaskSpecification,
  step: ExpandStep,
  sources: Sources,
  options: ExpandOptions & { readonly asking: Asking },
): Promise<ExpandResult> {
  const rows = new TaskRows(context.workspace, task.task)
  const { strategy, name } = step
  const isPreview = options.preview !== undefined
  const count = options.preview ?? step.count
  const material = materialOf(task, strategy, sources, rows, count)
  const modelName = growingModelName(task, options)
  const batch = `${name}-${fingerprintOf(task, step, count, sources, modelName).slice(7, 19)}`
  const base: ExpandResult = { ...nothingYet, strategy: name, batch, asked: count }
  const isRetry = !isPreview && !options.dryRun && options.asking.terms.retryEmpty === true
  const isAgain = isRetry || hasLearnt(strategy, rows.grown.yieldOf(batch))
  if (!isPreview && !isAgain && rows.grown.hasBatch(batch)) return { ...base, ...existingBatch(rows, batch, name) }
  const lacking = whatIsLacking(task, strategy, sources)
  if (lacking !== undefined) return { ...base, state: "nothing", reason: lacking }
  const checks = new DraftChecks(
    { task, strategy: name, filters: options.filters, ...(isRetry ? { rechecked: batch } : {}) },
    { rows, split: sources.split },
  )
  if (!strategy.asksModel) {
    if (options.dryRun) return { ...base, state: "planned" }
    const grown = growOffline(strategy, step.options as never, material, checks)
    return commit(context, { task: task.task, rows, isPreview }, base, grown)
  }
  requirePrivate(task, [...material.seeds, ...material.inputs])
  const planned = [...strategy.plan({ ...material, asked: 0, covered: new Map() }, step.options as never)]
  const requests = growingRequests(context, task, planned, options)
  const answered = await context.readLedger().requests.answered(requests.map(({ key }) => key))
  const answeredBefore = requests.filter(({ key }) => answered.has(key)).length
  const begun = { ...base, requests: requests.length, answeredBefore }
  if (options.dryRun) {
    const [first] = requests
    const costOf: CostOf = (tokens, model = modelName ?? "") => {
      const price = first && options.asking.money.priceOf({ ...first.request, model })
      return price === undefined ? null : costUsd(price, tokens, options.asking.isBatch)
    }
    return {
      ...begun,
      state: "planned",
      plan: planOf(task, planned, sources.seeds, strategy.secondPass === true, costOf),
    }
  }
  const keys = new Set<string>()
  // Every question of the step, repairs and checks as well, goes this way.
  const ask: Ask = async (prompts, model = modelName) => {
    if (prompts.length === 0) return []
    const asked = await askToGrow(context, task, prompts, { ...options, purpose: name, modelName: model })
    for (const { key } of asked) keys.add(key)
    return asked
  }
  const growth = await growByAsking(task, { name, strategy, options: step.options as never, material, checks }, ask)
  const cells = strategy.cells?.({ ...material, asked: 0, covered: new Map() }, step.options as never) ?? []
  const { usd, unpriced } = await context.ledger().requests.spendingOf(keys)
  const result = { ...begun, costUsd: unpriced > 0 ? null : usd, learnt: strategy.learnt ?? 0 }
  return commit(context, { task: task.task, rows, isPreview, wanted: cells.map(cellName) }, result, growth)
}

const nothingYet: Omit<ExpandResult, "strategy" | "batch" | "asked"> = {
  state: "grown",
  requests: 0,
  answeredBefore: 0,
  costUsd: 0,
  rounds: 0,
  repaired: 0,
  quarantined: 0,
  incomplete: 0,
  silent: {},
  grown: 0,
  fresh: 0,
  passed: 0,
  failedChecks: {},
  problems: [],
  cells: [],
  emptyCells: [],
}

/** Of the sources only those that the strategy uses. Inputs that people answered or turned down since are left out. */
function materialOf(
  task: TaskSpecification,
  strategy: Strategy,
  sources: Sources,
  rows: TaskRows,
  count: number,
): Omit<StrategyMaterial, "asked" | "covered"> {
  const uses = (source: Strategy["uses"][number]) => strategy.uses.includes(source)
  const decisions = Map.groupBy(uses("inputs") ? rows.review.decisions() : [], ({ item }) => item)
  const isOpen = (input: RealInput) => standingOf(inputItem(input), decisions.get(input.id) ?? []).state === "pending"
  return {
    task,
    seeds: uses("seeds") ? sources.seeds : [],
    inputs: uses("inputs") ? sources.inputs.filter(isOpen) : [],
    failures: uses("failures") ? sources.failures : [],
    count,
  }
}

/** What the batch follows from: equal fingerprints, equal candidates. */
function fingerprintOf(
  task: TaskSpecification,
  step: ExpandStep,
  count: number,
  sources: Sources,
  modelName: string | undefined,
): string {
  const { strategy } = step
  const uses = (source: Strategy["uses"][number]) => strategy.uses.includes(source)
  return digest({
    semantics,
    strategy: step.name,
    options: step.options,
    count,
    kind: task.kind,
    input: task.kind === "chat" ? null : task.input,
    output: outputForm(task),
    ...(hasManyAnswers(task) ? { manyAnswers: true } : {}),
    ...(uses("seeds") ? { seeds: sources.seeds.map(({ id, input, output }) => ({ id, input, output })) } : {}),
    ...(uses("inputs") ? { inputs: sources.inputs.map(({ id, input }) => ({ id, input })) } : {}),
    ...(uses("attributes") ? { attributes: task.expand.attributes } : {}),
    ...(uses("failures") ? { failures: sources.failures } : {}),
    ...(strategy.asksModel
      ? {
          semanticsOfStrategy: strategy.semantics,
          description: task.description,
          guideline: task.guideline,
          model: { ...task.expand.model, model: modelName ?? null, baseUrl: task.expand.model?.baseUrl ?? null },
          roundSize: task.expand.roundSize,
          checks: task.expand.checks,
          ...(task.expand.avoid.length === 0 ? {} : { avoid: task.expand.avoid }),
        }
      : {}),
  })
}

/** Whether the strategy may read by now what it put aside when the batch was grown. */
function hasLearnt(strategy: Strategy, found: BatchYield | undefined): boolean {
  if (found === undefined || found.quarantined === 0 || !strategy.asksModel) return false
  return (strategy.learnt ?? 0) > (found.learnt ?? 0)
}

/** Why a strategy has nothing to grow from; without seeds it is the user's next step, otherwise the way things are. */
function whatIsLacking(task: TaskSpecification, strategy: Strategy, sources: Sources): string | undefined {
  const uses = (source: Strategy["uses"][number]) => strategy.uses.includes(source)
  if (uses("inputs"))
    return sources.inputs.length === 0
      ? `there are no real inputs to train on; tuneloop input import ${task.task} <file>`
      : undefined
  if (uses("failures") && sources.failures.length === 0)
    return "no failures are named; give an evaluation with --from-evaluation"
  if (uses("seeds") && sources.seeds.length === 0)
    throw new ToolkitError(`there are no seeds in the train split of ${task.task} to learn from`, {
      code: "no-seeds",
      hint: `Import gold examples first: tuneloop seed import ${task.task} <file>`,
    })
  return undefined
}

function existingBatch(rows: TaskRows, batch: string, name: string): Partial<ExpandResult> {
  const existing = rows.grown.candidates().filter(({ strategy }) => strategy === name)
  const found = rows.grown.yieldOf(batch)
  return {
    state: "unchanged",
    grown: existing.length,
    passed: existing.filter(passes).length,
    ...(found === undefined
      ? {}
      : {
          requests: found.requests,
          answeredBefore: found.requests,
          repaired: found.repaired,
          quarantined: found.quarantined,
          silent: found.silent ?? {},
          cells: found.cells,
          emptyCells: found.emptyCells,
        }),
  }
}

/** What is written where, unless it is a preview; `wanted` names the cells that could be filled. */
interface Committing {
  readonly task: string
  readonly rows: TaskRows
  readonly isPreview: boolean
  readonly wanted?: readonly string[]
}

/** Writes what was grown, and says what came of it. */
function commit(
  context: StageContext,
  { task, rows, isPreview, wanted = [] }: Committing,
  { learnt = 0, ...base }: ExpandResult & { readonly learnt?: number },
  growth: Growth,
): ExpandResult {
  const { cells, candidates, added } = growth
  const filled = new Set(cells.flatMap(({ cell, passed }) => (passed > 0 ? [cellName(cell)] : [])))
  const all = wanted.length > 0 ? wanted : cells.map(({ cell }) => cellName(cell))
  const emptyCells = all.filter((cell) => !filled.has(cell))
  const failedChecks: Record<string, number> = {}
  for (const candidate of candidates)
    for (const { name, ok } of candidate.checks) if (!ok) failedChecks[name] = (failedChecks[name] ?? 0) + 1
  const result: ExpandResult = {
    ...base,
    state: isPreview ? "previewed" : "grown",
    rounds: growth.rounds,
    repaired: growth.repaired,
    quarantined: growth.quarantined.length - growth.incomplete,
    incomplete: growth.incomplete,
    silent: countsOf(growth.silent),
    grown: candidates.length,
    fresh: added.length,
    passed: candidates.filter(passes).length,
    failedChecks,
    problems: growth.problems,
    cells,
    emptyCells,
  }
  if (isPreview) return { ...result, candidates: candidates.slice(0, base.asked) }
  const found: BatchYield = {
    schemaVersion: 1,
    batch: base.batch,
    strategy: base.strategy,
    requests: growth.requests,
    repaired: growth.repaired,
    quarantined: growth.quarantined.length - growth.incomplete,
    ...(growth.silent.length === 0 ? {} : { silent: countsOf(growth.silent) }),
    ...(learnt === 0 ? {} : { learnt }),
    cells: [...cells],
    emptyCells,
  }
  writeGrowth(context, { task, rows }, found, growth)
  return result
}

function countsOf<Name extends string>(names: readonly Name[]): Partial<Record<Name, number>> {
  const counts: Partial<Record<Name, number>> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
