import { type RenderedRow, usesTools, withToolCalls } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"

/**
 * `{messages, tools}` with the tools left out where there are none, and without weights: the readers of these formats
 * learn the last answer.
 */
export function chatRow(
  { messages, tools }: Pick<RenderedRow, "messages" | "tools">,
  wanted: "text" | "object",
): Record<string, unknown> {
  return { messages: withToolCalls(messages, wanted).map(unweighted), ...(tools.length === 0 ? {} : { tools }) }
}

function unweighted({ weight: _, ...message }: Message): Message {
  return message as Message
}

/** Whether a turn says more than who speaks and what; the weight is no part of what is said. */
export function hasNames(messages: readonly Message[]): boolean {
  return messages.some((message) => message["name"] !== undefined)
}

/** A row of plain text in turns: an optional system message, then user and assistant by turns. */
export interface PlainTurns {
  readonly system: string | undefined
  readonly turns: readonly { readonly user: string; readonly assistant: string }[]
}

/** Why the row is not plain turns; undefined when it is. */
export function plainProblem(row: RenderedRow, format: string): string | undefined {
  if (usesTools(row)) return `${format} has no place for tools`
  if (hasNames(row.messages)) return `${format} has no place for the names of speakers`
  const spoken = row.messages[0]?.role === "system" ? row.messages.slice(1) : row.messages
  const wrong = spoken.findIndex(({ role }, index) => role !== (index % 2 === 0 ? "user" : "assistant"))
  if (wrong >= 0)
    return `${format} wants user and assistant by turns; turn ${wrong + 1} is of the ${spoken[wrong]?.role}`
  return spoken.length === 0 || spoken.length % 2 === 1
    ? `${format} wants an answer to each turn of the user`
    : undefined
}

/** The row as plain turns. */
export function plainTurns({ messages }: Pick<RenderedRow, "messages">): PlainTurns {
  const system = messages[0]?.role === "system" ? messages[0].content : undefined
  const spoken = system === undefined ? messages : messages.slice(1)
  const turns = spoken.flatMap(({ role, content }, index) =>
    role === "user" ? [{ user: content, assistant: spoken[index + 1]?.content ?? "" }] : [],
  )
  return { system, turns }
}

/** The messages of plain turns. */
export function messagesOf({ system, turns }: PlainTurns): Message[] {
  return [
    ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
    ...turns.flatMap(({ user, assistant }) => [
      { role: "user" as const, content: user },
      { role: "assistant" as const, content: assistant },
    ]),
  ]
}
