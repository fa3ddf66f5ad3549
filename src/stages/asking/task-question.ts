import { digest } from "../../core/canonical.ts"
import { type PlainChat, plainChat } from "../../core/contracts/chat-rows.ts"
import { toolsOf } from "../../core/contracts/format.ts"
import type { Input } from "../../core/rows/example.ts"
import { type Message, renderQuestion } from "../../core/task/prompt.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { ChosenModel, KeyedRequest } from "./request.ts"

/** Whom a row is asked, and by which messages where not by the task's prompt alone. */
interface AskedModel extends Omit<ChosenModel, "provider" | "temperature"> {
  readonly seed: number
  readonly messages?: readonly Message[]
}

/** The request that asks a chat server for the output of an input, as a service trains on it; at temperature 0. */
export function taskRequest(task: TaskSpecification, input: Input, asked: AskedModel): KeyedRequest {
  const { baseUrl, model, maxTokens, seed, messages } = asked
  const question = taskQuestion(task, input, messages)
  const request = { provider: "openai", baseUrl, model, ...question, temperature: 0, maxTokens, seed }
  return { key: digest(request), request }
}

/** The question with the tools that training rendered with it, those of the input or else of the task. */
export function taskQuestion(
  task: TaskSpecification,
  input: Input,
  messages: readonly Message[] = renderQuestion(task, input),
): PlainChat {
  return plainChat({ messages: answered(messages), tools: toolsOf(task, input) })
}

/**
 * Servers refuse a call that no tool answers, as the last turn of a worked example is one: such a call gets an empty
 * answer, before the next turn is said.
 */
function answered(messages: readonly Message[]): Message[] {
  const open: (string | undefined)[] = []
  const turns: Message[] = []
  for (const message of messages) {
    if (message.role === "tool") open.splice(Math.max(0, open.indexOf(message["tool_call_id"] as string)), 1)
    else turns.push(...open.splice(0).map(emptyAnswer))
    turns.push(message)
    for (const { id } of (message["tool_calls"] ?? []) as readonly { readonly id?: string }[]) open.push(id)
  }
  return [...turns, ...open.map(emptyAnswer)]
}

function emptyAnswer(id: string | undefined): Message {
  return { role: "tool", content: "", ...(id === undefined ? {} : { tool_call_id: id }) }
}
