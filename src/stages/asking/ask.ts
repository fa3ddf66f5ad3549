import PQueue from "p-queue"
import { digest } from "../../core/canonical.ts"
import { GateError, PersonNeededError, ProviderError, ToolkitError } from "../../core/errors.ts"
import type { ChatModel, ModelRequest, ResponseHeaders } from "../../core/contracts/model.ts"
import type { Ticket } from "../../core/asking/pace.ts"
import { worstCaseTokens } from "../../core/asking/prices.ts"
import { serverLimits } from "../../core/asking/rate-limits.ts"
import { withRetries } from "../../core/retry.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { withLongLock } from "../../store/files/lock.ts"
import { askInBatch, batchedKeys } from "./ask-in-batch.ts"
import { Asking } from "./asking.ts"
import type { StageContext } from "../context.ts"
import { showUsd } from "./money.ts"

export interface PlannedRequest {
  readonly key: string
  readonly prompt: PlannedPrompt
  readonly request: ModelRequest
}

/**
 * Each prompt as a request to the task's model, keyed by its content. Throws when no model is named, or when the
 * examples may not go to its host.
 */
export function requestsOf(
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
      ...(prompt.schema === undefined ? {} : { schema: prompt.schema }),
    }
    return { key: digest(request), prompt, request }
  })
}

/**
 * Every request has its answer in the ledger: asked now, or answered before and not sent again. Each is in the ledger,
 * at its worst case, before it is sent. One command at a time asks for a task: a second one waits, and finds the
 * answers of the first. What was in flight when a command died is booked as unknown and asked again.
 */
export async function askAll(
  context: StageContext,
  task: TaskSpecification,
  strategy: string,
  requests: readonly PlannedRequest[],
  open: (() => ChatModel & { baseUrl: string }) | undefined,
  asking: Asking = new Asking(context, task),
): Promise<void> {
  const missing = async () => {
    const answered = await context.ledger().requests.answered(requests.map(({ key }) => key))
    return requests.filter(({ key }) => !answered.has(key))
  }
  if (!open || (await missing()).length === 0) return
  const lock = context.workspace.lockFile(`${task.task}.asking`)
  const onWait = () => context.report.note(`another command is asking for task ${task.task}; waiting until it is done`)
  await withLongLock(lock, { sleep: context.sleep, signal: context.signal, onWait }, async () => {
    await bookLost(context, task)
    const rest = await missing()
    await asking.money.include(requests, rest)
    if (asking.isBatch) return askInBatch(context, task, strategy, missing, open(), asking)
    const batched = await batchedKeys(context, task)
    const waiting = rest.filter(({ key }) => batched.has(key)).length
    if (waiting > 0)
      throw new PersonNeededError(
        `${waiting} of the requests are in a batch already, and would be paid twice`,
        `Take in its answers first: tuneloop expand ${task.task} --strategy ${strategy} --batch`,
      )
    await askEach(context, task, strategy, rest, open(), asking, requests.length)
  })
}

async function bookLost(context: StageContext, task: TaskSpecification): Promise<void> {
  const lost = await context.ledger().requests.bookLost(task.task)
  if (lost.attempts > 0)
    context.report.note(
      `${lost.attempts} requests were in flight when an earlier command ended: booked as unknown at their worst case (${showUsd(lost.usd)}), and asked again`,
    )
}

/**
 * Asks as many at a time as the specification says. The first failure stops what has not begun; what is in flight is
 * paid for, so its answer is waited for and kept.
 */
async function askEach(
  context: StageContext,
  task: TaskSpecification,
  strategy: string,
  missing: readonly PlannedRequest[],
  model: ChatModel,
  { money, pace }: Asking,
  total: number,
): Promise<void> {
  const queue = new PQueue({ concurrency: task.expand.pace.concurrency })
  let failure: { readonly error: unknown } | undefined
  let done = total - missing.length
  let schemaRefused = false
  const sleep = async (milliseconds: number) => {
    for (const end = context.monotonicMs() + milliseconds; failure === undefined && !context.signal.aborted; ) {
      const left = end - context.monotonicMs()
      if (left <= 0) return
      await context.sleep(Math.min(left, 250))
    }
  }
  const throwIfStopped = () => {
    context.signal.throwIfAborted()
    if (failure) throw failure.error
  }
  /** Waits until the pace allows it. */
  const send = async (planned: PlannedRequest): Promise<Ticket> => {
    const size = worstCaseTokens(planned.request)
    for (;;) {
      throwIfStopped()
      const waitMs = pace.waitMs(context.monotonicMs(), size)
      if (waitMs <= 0) return pace.sent(context.monotonicMs(), size)
      await sleep(waitMs)
    }
  }
  const askOnce = async (planned: PlannedRequest) => {
    const ticket = await send(planned)
    const attempt = await money.begin(planned, strategy, throwIfStopped)
    pace.left(ticket, context.monotonicMs())
    try {
      const onHeaders = (headers: ResponseHeaders) => pace.heard(context.monotonicMs(), ticket, serverLimits(headers))
      const answer = await model.ask(planned.request, context.signal, onHeaders)
      await money.settle([{ attempt, request: planned.request, outcome: "answered", answer }])
      pace.answered(ticket, answer)
      return answer
    } catch (error) {
      if (isBusy(error)) pace.refused(context.monotonicMs(), ticket, error.retryAfterMs)
      else pace.failed()
      const outcome = mayHaveCost(error) ? "unknown" : "refused"
      await money.settle([{ attempt, request: planned.request, outcome }])
      throw error
    }
  }
  /** A server that is asked too often is asked again when the pace allows it. */
  const askInTurn = async (planned: PlannedRequest) => {
    for (let refusals = 1; ; refusals++)
      try {
        return await askOnce(planned)
      } catch (error) {
        if (!isBusy(error) || refusals >= mostRefusals) throw error
        context.report.warn(`${error.message}; going slower`)
      }
  }
  const ask = async (planned: PlannedRequest) => {
    const answer = await withRetries(() => askInTurn(planned), {
      sleep,
      random: () => 0.5,
      signal: context.signal,
      onRetry: (error, delayMs) =>
        context.report.warn(`${error.message}; trying again in ${Math.round(delayMs / 1000)} s`),
    })
    if (answer.schemaRefused && !schemaRefused) {
      schemaRefused = true
      context.report.note(
        `${new URL(planned.request.baseUrl).host} takes no JSON Schema: asked without one, so more answers may not fit`,
      )
    }
    context.report.progress(`${strategy}: ${++done} of ${total} answered`)
  }
  await Promise.allSettled(
    missing.map((planned) =>
      queue.add(async () => {
        if (failure) return
        await ask(planned).catch((error: unknown) => {
          failure ??= { error }
        })
      }),
    ),
  )
  if (failure) throw failure.error
}

/** How often one request may be refused as one too many. */
const mostRefusals = 20

function isBusy(error: unknown): error is ProviderError {
  return error instanceof ProviderError && error.status === 429 && error.isRetryable
}

/** Whether the server may have worked for an attempt that failed. One that was broken off here may have. */
function mayHaveCost(error: unknown): boolean {
  return error instanceof ProviderError ? error.mayHaveCost : !(error instanceof ToolkitError)
}
