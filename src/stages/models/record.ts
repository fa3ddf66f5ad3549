import type { ChatModel, ModelAnswer } from "../../core/contracts/model.ts"
import { type Silence, silenceOf } from "../../core/asking/spoken.ts"
import { ToolkitError } from "../../core/errors.ts"
import { show } from "../../core/parse.ts"
import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import { inputDigest, type RecordedAnswer, type RecordingTerms } from "../../core/rows/recorded-answer.ts"
import { promptVersion } from "../../core/task/prompt.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { Recording, termNames } from "../../store/rows/recorded-answers.ts"
import { answersTo, askAll, unanswered } from "../asking/ask.ts"
import { Asking } from "../asking/asking.ts"
import { heldOutModel } from "../asking/held-out-model.ts"
import { chatAnswerer, type KeyedRequest, requireAllowedHost } from "../asking/request.ts"
import { taskRequest } from "../asking/task-question.ts"
import type { StageContext } from "../context.ts"
import { requirePrivate } from "../privacy.ts"
import { type AskedRow, defaultMaxTokens, recordingRows, type RecordingRows } from "./recording-rows.ts"

/** Whose answers are recorded, and to what. */
export interface RecordingRequest {
  readonly task: TaskSpecification
  /** The name under which they are kept. */
  readonly name: string
  readonly model: string
  readonly baseUrl: string
  readonly maxTokens: number | undefined
  readonly holdout: HoldoutId | undefined
  /** A file of inputs that are asked as well. */
  readonly inputs: string | undefined
  readonly concurrency: number
  /** Whether rows whose answer has no text are asked again. */
  readonly retryEmpty?: boolean | undefined
  readonly budgetUsd: number | undefined
  /** The command as it was called, for whoever has to call it again. */
  readonly command: string
}

/** A recording before its first question. */
export interface RecordingPlan extends RecordingRequest {
  readonly recording: Recording
  readonly terms: RecordingTerms
  readonly rows: RecordingRows
  /** How many rows have their answer in the file. */
  readonly known: number
  /** The rows without, each with its question. */
  readonly missing: readonly (KeyedRequest & { readonly row: AskedRow })[]
  /** How many of them the ledger has no answer to either. */
  readonly unasked: number
  /** What asking them costs at most; null where nobody knows the price. */
  readonly worstUsd: number | null
  readonly asking: Asking
}

/**
 * What is recorded already and what is to be asked, and for how much. Asks and writes nothing. Throws where the name
 * stands for another recording, or the rows may not go to the host.
 */
export async function planRecording(context: StageContext, request: RecordingRequest): Promise<RecordingPlan> {
  const { task, name, budgetUsd } = request
  requireAllowedHost(context, request.baseUrl)
  const recording = new Recording(context.workspace, task.task, name)
  const terms = termsOf(context, request, recording)
  const rows = await recordingRows(context, task, request)
  requirePrivate(task, [...rows.validation, ...rows.test], rows.holdout)
  requirePrivate(task, rows.inputs)
  const all = [...rows.validation, ...rows.test, ...rows.inputs]
  const known = new Map(
    [...recording.answersTo(all)].filter(([, { output }]) => !request.retryEmpty || output.trim() !== ""),
  )
  const missing = all.filter(({ id }) => !known.has(id)).map((row) => ({ ...questionOf(task, terms, row), row }))
  const asking = new Asking(context, {
    task: task.task,
    pace: { concurrency: request.concurrency, patienceSeconds: task.expand.pace.patienceSeconds },
    budgetUsd,
    retryEmpty: request.retryEmpty,
    taskCeiling: { limitUsd: task.expand.budgetUsd, setting: "expand.budgetUsd" },
    comeBack: () => request.command,
  })
  const unasked = await unanswered(context, missing, asking)
  const worst = unasked.map(({ request: question }) => asking.money.worstUsd(question))
  return {
    ...request,
    recording,
    terms,
    rows,
    known: known.size,
    missing,
    unasked: unasked.length,
    worstUsd: worst.includes(null) ? null : worst.reduce<number>((sum, usd) => sum + (usd ?? 0), 0),
    asking,
  }
}

/** How a recording ended. */
export interface RecordingResult {
  readonly state: "recorded" | "unchanged"
  readonly added: number
  /** How many of the answers to these rows were cut at the most tokens. */
  readonly cut: number
  /** How many of them have no text. */
  readonly silent: number
  /** Why, each with how often: refused, cut off before the first word, unreadable, empty. */
  readonly silences: Readonly<Partial<Record<Silence["kind"], number>>>
}

/**
 * Every row of the plan has the model's answer in the file. Each question is in the ledger before it is sent, and none
 * that was answered is sent again, after a crash as well. What was answered before a failure is kept in the file.
 */
export async function record(
  context: StageContext,
  plan: RecordingPlan,
  open: () => ChatModel,
): Promise<RecordingResult> {
  const { recording, missing, asking } = plan
  let added = 0
  try {
    await askAll(context, {
      purpose: `recorded:${plan.name}`,
      requests: missing,
      open: () => chatAnswerer(heldOutModel(open())),
      asking,
    })
  } finally {
    added = recording.add(linesOf(context, plan, await answersTo(context, missing)))
  }
  const { validation, test, inputs } = plan.rows
  const all = [...recording.answersTo([...validation, ...test, ...inputs]).values()]
  const silent = all.filter(({ output }) => output.trim() === "")
  return {
    state: added > 0 ? "recorded" : "unchanged",
    added,
    cut: all.filter(({ finish }) => finish === "length").length,
    silent: silent.length,
    silences: kindsOf(silent),
  }
}

function kindsOf(answers: readonly RecordedAnswer[]): RecordingResult["silences"] {
  const kinds: Partial<Record<Silence["kind"], number>> = {}
  for (const { output: text, finish, ...rest } of answers) {
    const kind = silenceOf({ ...rest, text, ...(finish === null ? {} : { finish }) } as ModelAnswer)?.kind
    if (kind !== undefined) kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return kinds
}

/** The terms as asked for, which must be those of what is recorded under the name; its length goes for the rest. */
function termsOf(
  context: StageContext,
  { task, name, model, baseUrl, maxTokens }: RecordingRequest,
  recording: Recording,
): RecordingTerms {
  const before = recording.terms()
  const terms = {
    model,
    baseUrl,
    prompt: promptVersion(task),
    maxTokens: maxTokens ?? before?.maxTokens ?? defaultMaxTokens(context, task),
  }
  const other = termNames.filter((term) => before !== undefined && before[term] !== terms[term])
  if (other.length === 0) return terms
  const differences = other.map((term) => `${term} was ${show(before?.[term])} and is ${show(terms[term])}`)
  throw new ToolkitError(`${recording.place} is another recording: ${differences.join(", ")}`, {
    code: "another-recording",
    exitCode: 2,
    hint: `Give this one a name of its own: --as ${name}-2`,
  })
}

function questionOf(
  task: TaskSpecification,
  { model, baseUrl, maxTokens }: RecordingTerms,
  row: AskedRow,
): KeyedRequest {
  return { ...taskRequest(task, row.input, { baseUrl, model, maxTokens, seed: 0 }), rows: [row.id] }
}

function linesOf(
  context: StageContext,
  { missing, terms }: RecordingPlan,
  answers: ReadonlyMap<string, ModelAnswer>,
): RecordedAnswer[] {
  const at = context.now().toISOString()
  return missing.flatMap(({ key, row }): RecordedAnswer[] => {
    const answer = answers.get(key)
    if (answer === undefined) return []
    const { text, thought, refusal, finish, inputTokens, outputTokens } = answer
    return [
      {
        id: row.id,
        inputDigest: inputDigest(row.input),
        output: text,
        ...(thought === undefined ? {} : { thought }),
        ...(refusal === undefined ? {} : { refusal }),
        finish: finish ?? null,
        inputTokens,
        outputTokens,
        ...terms,
        at,
      },
    ]
  })
}
