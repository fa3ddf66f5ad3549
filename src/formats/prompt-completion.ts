import type { DatasetFormat } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"
import { chatRow } from "./_chat.ts"

/**
 * Messages, not texts: TRL renders them by the model's own template and puts the loss on the completion, as our trainer
 * does.
 */
const format: DatasetFormat = {
  carries: "examples",
  summary: "TRL: {prompt, completion, tools?}, each a list of messages",
  readBy: "TRL (SFTTrainer)",
  ending: ".jsonl",
  row(row) {
    const { messages, ...tools } = chatRow(row, "object")
    return { prompt: (messages as Message[]).slice(0, -1), completion: (messages as Message[]).slice(-1), ...tools }
  },
  read(value) {
    return { messages: [...(value["prompt"] as Message[]), ...(value["completion"] as Message[])] }
  },
}
export default format
