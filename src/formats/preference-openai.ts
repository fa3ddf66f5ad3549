import type { DatasetFormat } from "../core/contracts/format.ts"
import { preferenceRow } from "../core/contracts/preference-rows.ts"
import type { Message } from "../core/task/prompt.ts"

const format: DatasetFormat = {
  carries: "preferences",
  summary: "OpenAI preference: {input: {messages, tools?}, preferred_output, non_preferred_output}",
  readBy: "OpenAI, Azure, Together, Fireworks (DPO)",
  ending: ".jsonl",
  row: preferenceRow,
  read(value) {
    const { messages } = value["input"] as { messages: Message[] }
    const [chosen] = value["preferred_output"] as [Message]
    const [rejected] = value["non_preferred_output"] as [Message]
    return { question: messages, chosen, rejected }
  },
}
export default format
