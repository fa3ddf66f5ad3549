import { PersonNeededError } from "../../core/errors.ts"
import { silenceOf, spoken } from "../../core/asking/spoken.ts"
import type { ModelAnswer } from "../../core/contracts/model.ts"
import { withLongLock } from "../../store/files/lock.ts"
import type { StageContext } from "../context.ts"
import { askInBatch, batchedKeys } from "./ask-in-batch.ts"
import type { Asking } from "./asking.ts"
import { showUsd } from "./money.ts"
import { type Answerer, type KeyedRequest, requireAllowedHost } from "./request.ts"
import { Sender } from "./sender.ts"

export interface Question {
  /** What the answers are for; costs are listed by it. */
  readonly purpose: string
  readonly requests: readonly KeyedRequest[]
  /** Who answers; called where an answer is missing. */
  readonly open: () => Answerer
  readonly asking: Asking
}

/**
 * Every request has its answer in the ledger: asked now, or answered before and not sent again. Each is in the ledger,
 * at its worst case, before it is sent. One command at a time asks for a task: a second one waits, and finds the
 * answers of the first. What was in flight when a command died is booked as unknown and asked again. An answer may have
 * no text (`silenceOf` says why): it is kept like any other, and asked for again only where the terms say so. Returns
 * the answers by key, their thoughts beside their texts. Throws a GateError where the requests may not go to their
 * host.
 */
export async function askAll(context: StageContext, question: Question): Promise<ReadonlyMap<string, ModelAnswer>> {
  const { purpose, requests, open, asking } = question
  const { task } = asking.terms
  for (const baseUrl of new Set(requests.map(({ request }) => request.baseUrl))) requireAllowedHost(context, baseUrl)
  const keys = requests.map(({ key }) => key)
  const missing = async () => {
    const answered = await context.ledger().requests.answered(keys)
    return requests.filter(({ key }) => !answered.has(key))
  }
  const silent = async () => (asking.terms.retryEmpty ? asking.notRepeated(await silentKeys(context, keys)) : [])
  if ((await missing()).length > 0 || (await silent()).length > 0) {
    const lock = context.workspace.lockFile(`${task}.asking`)
    const onWait = () => context.report.note(`another command is asking for task ${task}; waiting until it is done`)
    await withLongLock(lock, { sleep: context.sleep, signal: context.signal, onWait }, async () => {
      await bookLost(context, task)
      const repeated = await silent()
      await context.ledger().requests.reopen(repeated)
      asking.noteRepeated(repeated)
      const rest = await missing()
      await asking.money.include(requests, rest)
      if (asking.isBatch) return askInBatch(context, { purpose, missing, answerer: open(), asking })
      await requireUnbatched(context, purpose, rest, asking)
      const sender = new Sender(context, {
        purpose,
        asking,
        total: requests.length,
        done: requests.length - rest.length,
      })
      await sender.sendAll(open(), rest)
    })
  }
  return answersTo(context, requests)
}

/** What the ledger has of answers to the requests, by key, their thoughts beside their texts. */
export async function answersTo(
  context: StageContext,
  requests: readonly KeyedRequest[],
): Promise<ReadonlyMap<string, ModelAnswer>> {
  const answers = await context.ledger().requests.answers(requests.map(({ key }) => key))
  return new Map(Array.from(answers, ([key, answer]) => [key, spoken(answer)]))
}

/** Of the requests those that would be sent now, on these terms. */
export async function unanswered<Request extends KeyedRequest>(
  context: StageContext,
  requests: readonly Request[],
  { terms }: Asking,
): Promise<Request[]> {
  const keys = requests.map(({ key }) => key)
  const answered = await context.readLedger().requests.answered(keys)
  const silent = new Set(terms.retryEmpty ? await silentKeys(context, keys) : [])
  return requests.filter(({ key }) => !answered.has(key) || silent.has(key))
}

/** The requests whose answers have no text. What was erased had one. */
async function silentKeys(context: StageContext, keys: readonly string[]): Promise<string[]> {
  const found = await context.readLedger().requests.find(keys)
  return [...found.values()].flatMap(({ key, answer, isErased }) =>
    answer === undefined || isErased || silenceOf(spoken(answer)) === undefined ? [] : [key],
  )
}

async function bookLost(context: StageContext, task: string): Promise<void> {
  const lost = await context.ledger().requests.bookLost(task)
  if (lost.attempts > 0)
    context.report.note(
      `${lost.attempts} requests were in flight when an earlier command ended: booked as unknown at their worst ` +
        `case (${showUsd(lost.usd)}), and asked again`,
    )
}

async function requireUnbatched(
  context: StageContext,
  purpose: string,
  rest: readonly KeyedRequest[],
  { terms }: Asking,
): Promise<void> {
  const batched = await batchedKeys(context, terms.task)
  const waiting = rest.filter(({ key }) => batched.has(key)).length
  if (waiting > 0)
    throw new PersonNeededError(
      `${waiting} of the requests are in a batch already, and would be paid twice`,
      `Take in its answers first: ${terms.comeBack(purpose)}`,
    )
}
