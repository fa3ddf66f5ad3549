import type { DatasetFormat } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"
import { messagesOf, plainProblem, plainTurns } from "./_chat.ts"

const speakers = { system: "system", user: "human", assistant: "gpt" } as const
const roles: Readonly<Record<string, Message["role"]>> = { system: "system", human: "user", gpt: "assistant" }

const format: DatasetFormat = {
  carries: "examples",
  summary: "ShareGPT: {conversations: [{from: system | human | gpt, value}]}",
  readBy: "LLaMA-Factory, Axolotl, Unsloth",
  ending: ".jsonl",
  problem: (row) => plainProblem(row, "ShareGPT"),
  row: (row) => ({
    conversations: messagesOf(plainTurns(row)).map(({ role, content }) => ({
      from: speakers[role as keyof typeof speakers],
      value: content,
    })),
  }),
  read(value) {
    const turns = value["conversations"] as readonly { from: string; value: string }[]
    return { messages: turns.map((turn) => ({ role: roles[turn.from] ?? "user", content: turn.value })) }
  },
}
export default format
