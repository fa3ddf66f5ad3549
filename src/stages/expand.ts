import { outbound } from "../curation/privacy.ts"
import { digest } from "../core/canonical.ts"
import { ToolkitError } from "../core/errors.ts"
import type { Seed } from "../core/example.ts"
import type { ConfiguredFilter } from "../core/filter.ts"
import type { ChatModel } from "../core/model.ts"
import type { Strategy } from "../core/strategy.ts"
import type { TaskSpecification } from "../core/task.ts"
import { TaskRows } from "../store/task-rows.ts"
import { askAll, requestsOf } from "./ask.ts"
import type { Asking } from "./asking.ts"
import { checkDrafts, type AnsweredDraft } from "./check-drafts.ts"
import type { StageContext } from "./context.ts"
import { correctedSeeds } from "./examples.ts"
import { holdOut } from "./hold-out.ts"
import { passes } from "./review-items.ts"

/** Raised when a change here would grow other candidates from the same inputs. */
const semantics = 1

export interface ExpandStep {
  readonly name: string
  readonly strategy: Strategy
  readonly options: Readonly<Record<string, unknown>>
  readonly count: number
}

export interface ExpandOptions {
  readonly model: (() => ChatModel & { baseUrl: string }) | undefined
  readonly environmentModel: string | undefined
  readonly filters: readonly ConfiguredFilter[]
  readonly dryRun: boolean
  /** What the questions of the command share; without it each step is on its own. */
  readonly asking?: Asking
}

export interface ExpandResult {
  readonly strategy: string
  readonly batch: string
  readonly state: "grown" | "unchanged" | "planned"
  readonly asked: number
  readonly requests: number
  readonly answeredBefore: number
  /** What the requests cost, in this run and earlier ones, in US dollars: what is unknown at its worst case. Null where no price is known. */
  readonly costUsd: number | null
  readonly grown: number
  readonly passed: number
  readonly failedChecks: Readonly<Record<string, number>>
  readonly problems: readonly string[]
}

/** The batch of candidates of each step exists: grown from the train seeds and the specification, every candidate checked. A batch with the same inputs is `unchanged`. Every question to a model is in the ledger before it is sent, and one that was answered is never sent again. */
export async function expand(
  context: StageContext,
  task: TaskSpecification,
  steps: readonly ExpandStep[],
  options: ExpandOptions,
): Promise<ExpandResult[]> {
  holdOut(context, task)
  const rows = new TaskRows(context.workspace, task.task)
  const split = new Map(rows.assignments().map((assignment) => [assignment.id, assignment.split]))
  const seeds = correctedSeeds(rows)
    .filter((seed) => split.get(seed.id) === "train")
    // What goes to a model goes as it would into a version.
    .map((seed) => outbound(task, seed))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const results: ExpandResult[] = []
  for (const step of steps) results.push(await expandStep(context, task, step, seeds, options))
  return results
}

async function expandStep(
  context: StageContext,
  task: TaskSpecification,
  step: ExpandStep,
  seeds: readonly Seed[],
  options: ExpandOptions,
): Promise<ExpandResult> {
  const rows = new TaskRows(context.workspace, task.task)
  const material = { task, seeds: step.strategy.asksModel ? seeds : [], count: step.count }
  const modelName = task.expand.model?.model ?? options.environmentModel
  const baseUrl = task.expand.model?.baseUrl
  const fingerprint = digest({
    semantics,
    strategy: step.name,
    options: step.options,
    count: step.count,
    kind: task.kind,
    input: task.kind === "chat" ? null : task.input,
    output: task.output,
    ...(step.strategy.asksModel
      ? {
          description: task.description,
          guideline: task.guideline,
          model: { ...task.expand.model, model: modelName ?? null, baseUrl: baseUrl ?? null },
          seeds: seeds.map(({ id, input, output }) => ({ id, input, output })),
        }
      : {}),
  })
  const batch = `${step.name}-${fingerprint.slice(7, 19)}`
  const base = {
    strategy: step.name,
    batch,
    asked: step.count,
    requests: 0,
    answeredBefore: 0,
    costUsd: 0 as number | null,
    problems: [] as string[],
  }
  if (rows.hasBatch(batch)) {
    const existing = rows.candidates().filter(({ strategy }) => strategy === step.name)
    return { ...base, state: "unchanged", grown: existing.length, passed: existing.filter(passes).length, failedChecks: {} }
  }
  let drafts: readonly AnsweredDraft[]
  if (step.strategy.asksModel) {
    const prompts = step.strategy.plan(material, step.options as never)
    if (prompts.length === 0)
      throw new ToolkitError(`${step.name} has no seeds in the train split to learn from`, {
        code: "no-seeds",
        hint: `Import gold examples first: tuneloop seed import ${task.task} <file>`,
      })
    const requests = requestsOf(context, task, prompts, options, modelName)
    base.requests = requests.length
    base.answeredBefore = requests.filter(({ key }) => context.readLedger().answer(key) !== undefined).length
    if (options.dryRun) return { ...base, state: "planned", grown: 0, passed: 0, failedChecks: {} }
    await askAll(context, task, step.name, requests, options.model, options.asking)
    const { usd, unpriced } = context.ledger().attempts.spendingOf(requests.map(({ key }) => key))
    base.costUsd = unpriced > 0 ? null : usd
    // Answers are committed in the order of the plan, whatever order they came in.
    drafts = requests.flatMap(({ key, prompt, request }) => {
      const answer = context.ledger().answer(key)
      if (answer === undefined || !step.strategy.asksModel) return []
      const parsed = step.strategy.parse(answer.text, prompt, material)
      base.problems.push(...parsed.problems)
      return parsed.drafts.map((draft) => ({ ...draft, request: key, model: `${request.provider}:${request.model}` }))
    })
  } else {
    if (options.dryRun) return { ...base, state: "planned", grown: 0, passed: 0, failedChecks: {} }
    drafts = step.strategy.grow(material, step.options as never)
  }
  const candidates = checkDrafts(task, step.name, drafts, rows, options.filters)
  rows.writeBatch(batch, candidates)
  const failedChecks: Record<string, number> = {}
  for (const candidate of candidates) for (const { name, ok } of candidate.checks) if (!ok) failedChecks[name] = (failedChecks[name] ?? 0) + 1
  return { ...base, state: "grown", grown: candidates.length, passed: candidates.filter(passes).length, failedChecks }
}
