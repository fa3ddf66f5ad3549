import type { DatasetFormat } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"
import { messagesOf, plainProblem, plainTurns } from "./_chat.ts"

interface Content {
  readonly role: string
  readonly parts: readonly { readonly text: string }[]
}

const format: DatasetFormat = {
  carries: "examples",
  summary: "Gemini: {systemInstruction?, contents: [{role: user | model, parts}]}",
  readBy: "Vertex AI",
  ending: ".jsonl",
  problem: (row) => plainProblem(row, "this format"),
  row(row) {
    const { system, turns } = plainTurns(row)
    return {
      ...(system === undefined ? {} : { systemInstruction: content("system", system) }),
      contents: turns.flatMap(({ user, assistant }) => [content("user", user), content("model", assistant)]),
    }
  },
  read(value) {
    const system = value["systemInstruction"] as Content | undefined
    const spoken = value["contents"] as readonly Content[]
    return {
      messages: [
        ...(system === undefined ? [] : messagesOf({ system: textOf(system), turns: [] })),
        ...spoken.map(
          (part): Message => ({ role: part.role === "model" ? "assistant" : "user", content: textOf(part) }),
        ),
      ],
    }
  },
}
export default format

function content(role: string, text: string): Content {
  return { role, parts: [{ text }] }
}

function textOf({ parts }: Content): string {
  return parts.map(({ text }) => text).join("")
}
