import type { DatasetFormat } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"
import { shapedPreference } from "./_chat.ts"

const format: DatasetFormat = {
  carries: "preferences",
  summary: "OpenAI preference: {input: {messages, tools?}, preferred_output, non_preferred_output}",
  readBy: "OpenAI, Azure, Together, Fireworks (DPO)",
  ending: ".jsonl",
  row(row) {
    const { question, chosen, rejected, tools } = shapedPreference(row, "text")
    return { input: { messages: question, ...tools }, preferred_output: chosen, non_preferred_output: rejected }
  },
  read(value) {
    const { messages } = value["input"] as { messages: Message[] }
    const [chosen] = value["preferred_output"] as [Message]
    const [rejected] = value["non_preferred_output"] as [Message]
    return { question: messages, chosen, rejected }
  },
}
export default format
