import PQueue from "p-queue"
import { candidateChecks } from "../curation/filters.ts"
import { NearDuplicateIndex } from "../curation/near-duplicates.ts"
import { outbound } from "../curation/privacy.ts"
import { qualityChecks } from "../curation/quality.ts"
import { contentId, digest } from "../core/canonical.ts"
import { GateError, ToolkitError } from "../core/errors.ts"
import type { Candidate, Seed } from "../core/example.ts"
import type { ConfiguredFilter } from "../core/filter.ts"
import type { ChatModel, ModelRequest } from "../core/model.ts"
import { inputText } from "../core/output.ts"
import { withRetries } from "../core/retry.ts"
import type { Draft, PlannedPrompt, Strategy } from "../core/strategy.ts"
import type { TaskSpecification } from "../core/task.ts"
import { TaskRows } from "../store/task-rows.ts"
import type { StageContext } from "./context.ts"
import { correctedSeeds, passes } from "./examples.ts"
import { holdOut } from "./hold-out.ts"

/** Raised when a change here would grow other candidates from the same inputs. */
const semantics = 1
const concurrency = 4

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
}

export interface ExpandResult {
  readonly strategy: string
  readonly batch: string
  readonly state: "grown" | "unchanged" | "planned"
  readonly asked: number
  readonly requests: number
  readonly answeredBefore: number
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
  const base = { strategy: step.name, batch, asked: step.count, requests: 0, answeredBefore: 0, problems: [] as string[] }
  if (rows.hasBatch(batch)) {
    const existing = rows.candidates().filter(({ strategy }) => strategy === step.name)
    return { ...base, state: "unchanged", grown: existing.length, passed: existing.filter(passes).length, failedChecks: {} }
  }
  let drafts: readonly (Draft & { request?: string; model?: string })[]
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
    await askAll(context, task, step.name, requests, options.model)
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

interface PlannedRequest {
  readonly key: string
  readonly prompt: PlannedPrompt
  readonly request: ModelRequest
}

function requestsOf(
  context: StageContext,
  task: TaskSpecification,
  prompts: readonly PlannedPrompt[],
  options: { model: (() => ChatModel & { baseUrl: string }) | undefined },
  modelName: string | undefined,
): PlannedRequest[] {
  if (modelName === undefined || options.model === undefined)
    throw new ToolkitError(`task ${task.task} names no model to grow examples with`, {
      code: "no-model",
      exitCode: 2,
      hint: `Set expand.model.model in ${context.workspace.show(context.workspace.specFile(task.task))} or TUNELOOP_MODEL in the environment; a server on this machine needs no key (expand.model.baseUrl: http://127.0.0.1:11434/v1).`,
    })
  const { baseUrl } = options.model()
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, "")
  if (!context.workspace.settings.allowedHosts.includes(host))
    throw new GateError(
      `examples may not be sent to ${host}; allowed: ${context.workspace.settings.allowedHosts.join(", ")}`,
      "Add the host to allowedHosts in tuneloop.yaml if the data may go there.",
    )
  return prompts.map((prompt) => {
    const request = {
      provider: task.expand.model?.provider ?? "openai",
      baseUrl,
      model: modelName,
      messages: prompt.messages,
      temperature: task.expand.model?.temperature ?? 0.8,
      maxTokens: task.expand.model?.maxTokens ?? 1024,
      seed: prompt.seed,
    }
    return { key: digest(request), prompt, request }
  })
}

async function askAll(
  context: StageContext,
  task: TaskSpecification,
  strategy: string,
  requests: readonly PlannedRequest[],
  open: (() => ChatModel & { baseUrl: string }) | undefined,
): Promise<void> {
  const ledger = context.ledger()
  const missing = requests.filter(({ key }) => ledger.answer(key) === undefined)
  if (missing.length === 0 || !open) return
  const model = open()
  const queue = new PQueue({ concurrency })
  // The first failure stops what has not begun; what was answered is kept.
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  let done = requests.length - missing.length
  const ask = async ({ key, request }: PlannedRequest) => {
    if (signal.aborted) return
    const answer = await withRetries(
      () => {
        ledger.beginRequest(key, request, { task: task.task, strategy })
        return model.ask(request, signal)
      },
      {
        sleep: context.sleep,
        random: () => 0.5,
        signal,
        onRetry: (error, delayMs) => context.report.warn(`${error.message}; trying again in ${Math.round(delayMs / 1000)} s`),
      },
    )
    ledger.recordAnswer(key, answer)
    context.report.progress(`${strategy}: ${++done} of ${requests.length} answered`)
  }
  try {
    await Promise.all(missing.map((request) => queue.add(() => ask(request))))
  } catch (error) {
    stop.abort()
    queue.clear()
    await queue.onIdle().catch(() => undefined)
    throw error
  }
}

function checkDrafts(
  task: TaskSpecification,
  strategy: string,
  drafts: readonly (Draft & { request?: string; model?: string })[],
  rows: TaskRows,
  filters: readonly ConfiguredFilter[],
): Candidate[] {
  const known = [...rows.seeds(), ...rows.inputs(), ...rows.candidates()].map((row) => ({ id: row.id, text: inputText(task, row.input) }))
  const index = new NearDuplicateIndex(
    [...known.map(({ text }) => text), ...drafts.map((draft) => inputText(task, draft.input))],
    task.build.threshold,
  )
  for (const { id, text } of known) index.add(id, text)
  const candidates = new Map<string, Candidate>()
  for (const draft of drafts) {
    const id = contentId("cand", { strategy, input: draft.input, output: draft.output })
    if (candidates.has(id)) continue
    const checks = [...candidateChecks({ task, draft, index }), ...qualityChecks(task, draft, filters)]
    candidates.set(id, {
      id,
      ...(draft.request === undefined ? {} : { request: draft.request }),
      parents: [...draft.parents],
      strategy,
      ...(draft.model === undefined ? {} : { model: draft.model }),
      input: draft.input,
      output: draft.output,
      checks,
    })
    if (checks.every(({ ok }) => ok)) index.add(id, inputText(task, draft.input))
  }
  return [...candidates.values()]
}
