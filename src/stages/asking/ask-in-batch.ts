import { withBelievedCounts } from "../../core/asking/believed-counts.ts"
import { digest } from "../../core/canonical.ts"
import { PersonNeededError, ProviderError, ToolkitError, UsageError } from "../../core/errors.ts"
import type { BatchProgress, BatchService } from "../../core/contracts/model.ts"
import { withRetries } from "../../core/retry.ts"
import type { OpenBatch } from "../../core/contracts/ledger.ts"
import type { Asking } from "./asking.ts"
import type { StageContext } from "../context.ts"
import type { Answerer, KeyedRequest } from "./request.ts"

/**
 * What a provider takes in one batch. OpenAI: 50,000 requests and 200 MB,
 * https://developers.openai.com/api/docs/guides/batch.
 */
const mostRequests = 50_000
const mostBytes = 150_000_000

/**
 * Every request has its answer in the ledger, by way of batches. First comes what earlier batches answered; what no
 * batch has is submitted. A batch that still runs is waited for, or left: then a PersonNeededError says how to come
 * back. A batch is submitted once, whatever happens on the way: it is in the ledger before, and after a crash it is
 * looked for at the provider. Of a batch that expired only what is missing is asked again.
 */
export async function askInBatch(context: StageContext, question: BatchQuestion): Promise<void> {
  const { purpose, missing, answerer, asking } = question
  const service = answerer.batches
  if (service === undefined)
    throw new UsageError(
      `the provider ${answerer.name} answers no batches`,
      "Leave out --batch, or name a provider that does: expand.model.provider: openai",
    )
  for (let delayMs = 5000; ; delayMs = Math.min(60_000, 2 * delayMs)) {
    const running = await collect(context, service, asking)
    if (running.length === 0) {
      const rest = await missing()
      if (rest.length === 0) return
      await submitAll(purpose, rest, asking)
      continue
    }
    if (!asking.waits) throw leaving(asking, purpose, running)
    context.report.progress(`${purpose}: ${describe(running)}`)
    await context.sleep(delayMs)
    context.signal.throwIfAborted()
  }
}

interface BatchQuestion {
  readonly purpose: string
  /** The requests that have no answer now. */
  readonly missing: () => Promise<readonly KeyedRequest[]>
  readonly answerer: Answerer
  readonly asking: Asking
}

/** The requests that a batch of the task has, and nobody should ask otherwise. */
export async function batchedKeys(context: StageContext, task: string): Promise<Set<string>> {
  const batches = await context.ledger().requests.openBatches(task)
  return new Set(batches.flatMap(({ attempts }) => attempts.map(({ key }) => key)))
}

interface Running {
  readonly batch: OpenBatch
  readonly progress: BatchProgress
}

/**
 * Takes in what the task's batches answered, and returns those that still run. One that may not have been submitted is
 * looked for, and submitted.
 */
async function collect(context: StageContext, service: BatchService, asking: Asking): Promise<Running[]> {
  const running: Running[] = []
  for (const batch of await context.ledger().requests.openBatches(asking.terms.task)) {
    const remote = batch.remote ?? (await submit(context, service, batch, asking))
    const progress = await patiently(context, () => service.poll(remote, context.signal))
    if (progress.hasEnded) await takeIn(context, { ...batch, remote }, progress, asking)
    else running.push({ batch: { ...batch, remote }, progress })
  }
  return running
}

/** Writes the batches down; `collect` submits them. */
async function submitAll(purpose: string, rest: readonly KeyedRequest[], { money, terms }: Asking): Promise<void> {
  for (let from = 0; from < rest.length; ) {
    let bytes = 0
    let to = from
    while (to < rest.length && to - from < mostRequests && bytes < mostBytes)
      bytes += JSON.stringify(rest[to++]?.request).length
    const part = rest.slice(from, to)
    const name = `${terms.task}-${digest(part.map(({ key }) => key)).slice(7, 23)}`
    const begun = await money.beginBatch(part, purpose, name)
    // What did not fit below the ceiling waits until the answers of this batch are known to cost less than their worst.
    if (begun < part.length) return
    from = to
  }
}

async function submit(context: StageContext, service: BatchService, batch: OpenBatch, asking: Asking): Promise<string> {
  const { requests } = context.ledger()
  const known = await patiently(context, () => service.find(batch.submissionKey, context.signal))
  const items = batch.attempts.map(({ key, request }) => ({ name: nameOf(key), request }))
  try {
    const remote = known ?? (await service.submit(items, batch.submissionKey, context.signal))
    await requests.batchSubmitted(batch.batch, remote)
    return remote
  } catch (error) {
    // A provider that refused it has nothing of it; otherwise the next command looks for it.
    if (error instanceof ToolkitError && !(error instanceof ProviderError && error.mayHaveCost)) {
      await asking.money.settle(batch.attempts.map((attempt) => ({ ...attempt, outcome: "refused" })))
      await requests.batchEnded(batch.batch, "refused")
    }
    throw error
  }
}

/**
 * Books every request of a batch that has ended: those without an answer cost nothing. Throws when a request failed in
 * a way that asking again does not mend; the answers are kept.
 */
async function takeIn(
  context: StageContext,
  batch: OpenBatch,
  progress: BatchProgress,
  { money }: Asking,
): Promise<void> {
  const answers = new Map(progress.answers.map(({ name, answer }) => [name, answer]))
  await money.settle(
    batch.attempts.map((attempt) => {
      const answer = answers.get(nameOf(attempt.key))
      if (answer === undefined) return { ...attempt, outcome: "refused" }
      return { ...attempt, outcome: "answered", answer: withBelievedCounts(attempt.request, answer) }
    }),
  )
  await context.ledger().requests.batchEnded(batch.batch, progress.status)
  const lacking = batch.attempts.length - answers.size
  if (lacking > 0)
    context.report.note(
      `batch ${batch.remote ?? batch.submissionKey} ended (${progress.status}) with ${answers.size} of ` +
        `${batch.attempts.length} answers`,
    )
  const hopeless = progress.failures.filter(({ isRetryable }) => !isRetryable)
  const reason =
    hopeless[0]?.message ??
    (progress.status === "failed" || answers.size === 0
      ? (progress.problem ?? progress.failures[0]?.message ?? progress.status)
      : undefined)
  if (lacking > 0 && reason !== undefined)
    throw new ProviderError(`${lacking} requests of the batch were not answered: ${reason}`, {
      provider: "batch",
      mayHaveCost: false,
      hint: "What was answered is kept. Mend the cause and run the same command again: only the rest is asked.",
    })
}

function leaving({ terms }: Asking, purpose: string, running: readonly Running[]): PersonNeededError {
  return new PersonNeededError(
    `${describe(running)}; a batch may take a day`,
    `Come back later: ${terms.comeBack(purpose)} (with --wait it stays until the batch is done)`,
  )
}

function describe(running: readonly Running[]): string {
  return running
    .map(
      ({ batch, progress }) =>
        `batch ${batch.remote ?? batch.submissionKey} is ${progress.status}, ${progress.done} of ` +
        `${batch.attempts.length} answered`,
    )
    .join("; ")
}

/** Reading may be tried again; a batch is never submitted here. */
function patiently<Result>(context: StageContext, work: () => Promise<Result>): Promise<Result> {
  return withRetries(work, { sleep: context.sleep, random: () => 0.5, signal: context.signal })
}

/** A name of a request that any provider takes: letters and digits, at most 64. */
function nameOf(key: string): string {
  return `r${key.slice("sha256:".length, "sha256:".length + 40)}`
}
