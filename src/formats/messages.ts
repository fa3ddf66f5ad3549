import type { DatasetFormat } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"
import { chatRow } from "./_chat.ts"

/**
 * The loss of the trainer is on the last answer alone; services train on every turn of the assistant unless its weight
 * is 0.
 */
const format: DatasetFormat = {
  carries: "examples",
  summary: "OpenAI chat: {messages, tools?}, earlier answers with weight 0",
  readBy: "OpenAI, Azure, Together, Fireworks, Nebius, Crusoe, Axolotl",
  ending: ".jsonl",
  row(row) {
    const { messages, ...tools } = chatRow(row, "text")
    const turns = messages as readonly Message[]
    return {
      messages: turns.map((turn, index) =>
        turn.role === "assistant" && index < turns.length - 1 ? { ...turn, weight: 0 } : turn,
      ),
      ...tools,
    }
  },
  read(value) {
    return { messages: (value["messages"] as Message[]).map(({ weight: _, ...message }) => message as Message) }
  },
}
export default format
