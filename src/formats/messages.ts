import { chatRow } from "../core/contracts/chat-rows.ts"
import type { DatasetFormat } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"

const format: DatasetFormat = {
  carries: "examples",
  summary: "OpenAI chat: {messages, tools?}, earlier answers with weight 0",
  readBy: "OpenAI, Azure, Together, Fireworks, Nebius, Crusoe, Axolotl",
  ending: ".jsonl",
  row(row) {
    const { messages, ...tools } = chatRow(row)
    // A weight that the row came with leaves with it.
    const weighted = (messages as Message[]).map((message, index) => {
      const weight = row.messages[index]?.["weight"]
      return weight === undefined ? message : { ...message, weight }
    })
    return { messages: weighted, ...tools }
  },
  read(value) {
    return { messages: (value["messages"] as Message[]).map(({ weight: _, ...message }) => message as Message) }
  },
}
export default format
