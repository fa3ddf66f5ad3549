import { isWorthRepeating } from "../../core/asking/spoken.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { AskedPrompt } from "./asked-prompt.ts"
import { repairPrompt } from "./repair.ts"

/** What an answer says, or why it says nothing that can be read. */
export type Read<Value> = { readonly value: Value } | { readonly problem: string }

/** The answer that counts, and whether it is the second one. */
export interface ReadAnswer<Value> {
  readonly answer: AskedPrompt
  readonly read: Read<Value>
  readonly isRepair: boolean
}

/**
 * What the model answers to each prompt, read. An answer that cannot be read is asked for once more, with what is wrong
 * with it; one that was refused, held back or cut off before it began is not: it would be again. A silent answer is
 * never read as one that says something.
 */
export async function askUntilRead<Value>(
  answers: readonly AskedPrompt[],
  ask: (prompts: readonly PlannedPrompt[]) => Promise<readonly AskedPrompt[]>,
  read: (answer: AskedPrompt) => Read<Value>,
): Promise<ReadAnswer<Value>[]> {
  const readSpoken = (answer: AskedPrompt): Read<Value> =>
    answer.silence === undefined ? read(answer) : { problem: answer.silence.reason }
  const first = answers.map((answer) => ({ answer, read: readSpoken(answer), isRepair: false }))
  const unread = first.flatMap(({ answer }) => {
    const found = answer.silence === undefined || isWorthRepeating(answer.silence) ? read(answer) : undefined
    return found !== undefined && "problem" in found ? [{ answer, problem: found.problem }] : []
  })
  const repairs = await ask(unread.map(({ answer, problem }) => repairPrompt(answer, problem)))
  const repairOf = new Map(unread.map(({ answer }, place) => [answer.key, repairs[place]]))
  return first.map((given) => {
    const repair = repairOf.get(given.answer.key)
    return repair === undefined ? given : { answer: repair, read: readSpoken(repair), isRepair: true }
  })
}
