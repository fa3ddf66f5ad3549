import type { DatasetFormat } from "../core/contracts/format.ts"
import { messagesOf, plainProblem, plainTurns } from "./_chat.ts"

type Pair = readonly [string, string]

/**
 * The user's message is the instruction, the prompt's system message stands in `system`: so its readers render the very
 * messages that we train on.
 */
const format: DatasetFormat = {
  carries: "examples",
  summary: "Alpaca: {instruction, input, output, system?, history?}",
  readBy: "LLaMA-Factory, Axolotl",
  ending: ".jsonl",
  problem: (row) => plainProblem(row, "Alpaca"),
  row(row) {
    const { system, turns } = plainTurns(row)
    const last = turns.at(-1)
    const history = turns.slice(0, -1).map(({ user, assistant }): Pair => [user, assistant])
    return {
      instruction: last?.user ?? "",
      input: "",
      output: last?.assistant ?? "",
      ...(system === undefined ? {} : { system }),
      ...(history.length === 0 ? {} : { history }),
    }
  },
  read(value) {
    const history = (value["history"] as readonly Pair[] | undefined) ?? []
    const last: Pair = [value["instruction"] as string, value["output"] as string]
    const turns = [...history, last].map(([user, assistant]) => ({ user, assistant }))
    return { messages: messagesOf({ system: value["system"] as string | undefined, turns }) }
  },
}
export default format
