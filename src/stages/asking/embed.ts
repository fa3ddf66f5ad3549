import { digest } from "../../core/canonical.ts"
import { embeddingRequest, vectorOfText, vectorToText, type Embedder } from "../../core/asking/embedding.ts"
import { GateError, ProviderError, ToolkitError } from "../../core/errors.ts"
import { withRetries } from "../../core/retry.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { withLongLock } from "../../store/files/lock.ts"
import type { PlannedRequest } from "./ask.ts"
import { Asking } from "./asking.ts"
import type { StageContext } from "../context.ts"

/**
 * So many texts go in one call, and so many characters, unless one text has more: servers take 2,048 texts or fewer,
 * and refuse long bodies.
 */
const mostTexts = 64
const mostCharacters = 100_000

export interface EmbeddingSettings {
  readonly model: string
  readonly dimensions?: number | undefined
}

/**
 * The vector of each text, in their order, of length 1: from the ledger, or asked now. A text is never asked for twice,
 * whatever batch it was in; each is in the ledger, at its worst case, before it is sent, and ceilings on cost hold.
 * Throws a GateError where the texts may not go to the host.
 */
export async function embedTexts(
  context: StageContext,
  task: TaskSpecification,
  { model, dimensions }: EmbeddingSettings,
  texts: readonly string[],
  embedder: Embedder,
): Promise<Float32Array[]> {
  const { baseUrl } = embedder
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$/g, "")
  if (!context.workspace.settings.allowedHosts.includes(host))
    throw new GateError(
      `examples may not be sent to ${host}; allowed: ${context.workspace.settings.allowedHosts.join(", ")}`,
      "Add the host to allowedHosts in tuneloop.yaml if the data may go there.",
    )
  const planned = new Map(
    texts.map((text) => {
      const request = embeddingRequest(baseUrl, model, dimensions, text)
      return [
        text,
        { key: digest(request), prompt: { messages: request.messages, seed: 0 } as PlannedRequest["prompt"], request },
      ] as const
    }),
  )
  const keys = [...planned.values()].map(({ key }) => key)
  const missing = async () => {
    const answered = await context.ledger().requests.answered(keys)
    return [...planned].filter(([, { key }]) => !answered.has(key))
  }
  if ((await missing()).length > 0) {
    const lock = context.workspace.lockFile(`${task.task}.asking`)
    const onWait = () =>
      context.report.note(`another command is asking for task ${task.task}; waiting until it is done`)
    await withLongLock(lock, { sleep: context.sleep, signal: context.signal, onWait }, async () => {
      await context.ledger().requests.bookLost(task.task)
      await askBatches(context, task, await missing(), embedder, dimensions)
    })
  }
  const answers = await context.ledger().requests.answers(keys)
  const found = new Map([...planned].map(([text, { key }]) => [text, vectorOfText(answers.get(key)?.text ?? "")]))
  return texts.map((text) => found.get(text) as Float32Array)
}

type Missing = readonly (readonly [text: string, planned: PlannedRequest])[]

async function askBatches(
  context: StageContext,
  task: TaskSpecification,
  missing: Missing,
  embedder: Embedder,
  dimensions: number | undefined,
): Promise<void> {
  const { money } = new Asking(context, task)
  const requests = missing.map(([, planned]) => planned)
  await money.include(requests, requests)
  let done = 0
  const askOnce = async (batch: Missing) => {
    const attempts = await money.beginTogether(
      batch.map(([, planned]) => planned),
      "embeddings",
      () => context.signal.throwIfAborted(),
    )
    try {
      const model = batch[0]?.[1].request.model ?? ""
      const { vectors, inputTokens } = await embedder.embed(
        { model, texts: batch.map(([text]) => text), dimensions },
        context.signal,
      )
      const tokens = sharesOf(
        inputTokens,
        batch.map(([text]) => text.length),
      )
      await money.settle(
        batch.map(([, { request }], place) => ({
          attempt: attempts[place] as number,
          request,
          outcome: "answered",
          answer: {
            text: vectorToText(vectors[place] as Float32Array),
            inputTokens: tokens[place] ?? null,
            outputTokens: 0,
          },
        })),
      )
    } catch (error) {
      const mayHaveCost = error instanceof ProviderError ? error.mayHaveCost : !(error instanceof ToolkitError)
      const outcome = mayHaveCost ? "unknown" : "refused"
      await money.settle(
        batch.map(([, { request }], place) => ({ attempt: attempts[place] as number, request, outcome })),
      )
      throw error
    }
  }
  let failure: { readonly error: unknown } | undefined
  const ask = async (batch: Missing) => {
    await withRetries(() => askOnce(batch), {
      sleep: context.sleep,
      random: () => 0.5,
      signal: context.signal,
      onRetry: (error, delayMs) =>
        context.report.warn(`${error.message}; trying again in ${Math.round(delayMs / 1000)} s`),
    })
    done += batch.length
    context.report.progress(`embeddings: ${done} of ${missing.length} texts`)
  }
  const waiting = batchesOf(missing).values()
  // What was answered is kept when another batch fails; what has not begun is not asked.
  const askInTurn = async () => {
    for (const batch of waiting) {
      if (failure) return
      await ask(batch).catch((error: unknown) => {
        failure ??= { error }
      })
    }
  }
  await Promise.all(Array.from({ length: task.expand.pace.concurrency }, askInTurn))
  if (failure) throw failure.error
}

function batchesOf(missing: Missing): Missing[] {
  const batches: [string, PlannedRequest][][] = []
  let characters = 0
  for (const [text, planned] of missing) {
    const last = batches.at(-1)
    if (last === undefined || last.length >= mostTexts || characters + text.length > mostCharacters) {
      batches.push([[text, planned]])
      characters = text.length
    } else {
      last.push([text, planned])
      characters += text.length
    }
  }
  return batches
}

/** What the server counted for all, shared out by length, in whole tokens that add up to it. */
function sharesOf(total: number | null, lengths: readonly number[]): (number | null)[] {
  if (total === null) return lengths.map(() => null)
  const all = lengths.reduce((sum, length) => sum + length, 0) || 1
  let seen = 0
  let given = 0
  return lengths.map((length) => {
    seen += length
    const upTo = Math.round((total * seen) / all)
    const share = upTo - given
    given = upTo
    return share
  })
}
