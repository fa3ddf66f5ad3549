import type { DatasetFormat } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"
import { shapedPreference } from "../core/contracts/preference-rows.ts"

const format: DatasetFormat = {
  carries: "preferences",
  summary: "TRL preference: {prompt, chosen, rejected, tools?}, each a list of messages",
  readBy: "TRL (DPOTrainer)",
  ending: ".jsonl",
  row(row) {
    const { question, chosen, rejected, tools } = shapedPreference(row, "object")
    return { prompt: question, chosen, rejected, ...tools }
  },
  read(value) {
    const [chosen] = value["chosen"] as [Message]
    const [rejected] = value["rejected"] as [Message]
    return { question: value["prompt"] as Message[], chosen, rejected }
  },
}
export default format
