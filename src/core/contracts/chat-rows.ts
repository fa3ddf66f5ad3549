import { canonicalJson } from "../canonical.ts"
import type { Message } from "../task/prompt.ts"
import type { RowForm, RowLimits, TrainingRow } from "./backend.ts"
import { type RenderedPreference, type RenderedRow, usesTools, withToolCalls } from "./format.ts"
import { preferenceRow, shapedPreference } from "./preference-rows.ts"

/**
 * The row as OpenAI's wire takes it: `{messages, tools?}`, arguments of calls as text. The loss of the trainer is on
 * the last answer alone; services train on every turn of the assistant unless its weight is 0.
 */
export function chatRow({ messages, tools }: Pick<RenderedRow, "messages" | "tools">): Record<string, unknown> {
  const turns = withToolCalls(messages, "text").map((turn, index, all) =>
    turn.role === "assistant" && index < all.length - 1 ? { ...turn, weight: 0 } : turn,
  )
  return { messages: turns, ...(tools.length === 0 ? {} : { tools }) }
}

/**
 * Messages and tools as chat servers of that wire take them, and services without weights of turns train on them: a
 * row, or its question alone.
 */
export function plainChat({ messages, tools }: Pick<RenderedRow, "messages" | "tools">): PlainChat {
  const turns = withToolCalls(messages, "text").map(({ weight: _weight, ...turn }) => turn as Message)
  return { messages: turns, ...(tools.length === 0 ? {} : { tools }) }
}

/** Messages and tools as a model's own chat template takes them: arguments of calls as objects. */
export function templateChat({ messages, tools }: Pick<RenderedRow, "messages" | "tools">): PlainChat {
  if (!usesTools({ messages, tools })) return { messages }
  return { messages: withToolCalls(messages, "object"), ...(tools.length === 0 ? {} : { tools }) }
}

export type PlainChat = { readonly messages: readonly Message[]; readonly tools?: RenderedRow["tools"] }

/**
 * Why a service of OpenAI's wire would refuse the row, or not train on all of it; empty where it would do neither. The
 * rules are those of developers.openai.com/api/docs/guides/supervised-fine-tuning (2026-11-29).
 */
export function chatRowFaults(row: TrainingRow, { mostTokens }: RowLimits = {}): string[] {
  const sent = chatRow(row)
  const messages = sent["messages"] as readonly Message[]
  return [
    ...messages.flatMap((message, index) => messageFaults(message, `message ${index + 1}`)),
    ...orderFaults(messages),
    ...toolFaults(row.tools),
    ...(row.weight === undefined || row.weight === 1
      ? []
      : [`it counts ${row.weight} times, and the service has no weights of rows`]),
    ...lengthFaults(JSON.stringify(sent), mostTokens),
  ]
}

/**
 * Why a service of OpenAI's wire would refuse the preference, or learn nothing from it; empty where it would do
 * neither: one message of the assistant each, to one question. The rules are those of
 * developers.openai.com/api/docs/guides/direct-preference-optimization and
 * docs.together.ai/docs/preference-fine-tuning (2026-11-30).
 */
export function preferenceFaults(preference: RenderedPreference, { mostTokens }: RowLimits = {}): string[] {
  const { question, chosen, rejected } = shapedPreference(preference, "text")
  const last = question.at(-1)
  return [
    ...question.flatMap((message, index) => messageFaults(message, `message ${index + 1}`)),
    ...uncalledFaults(question),
    ...(last?.role === "user" || last?.role === "tool"
      ? []
      : [`the question ends with ${last === undefined ? "nothing" : `a message of the ${last.role}`}, not the user`]),
    ...answerFaults(chosen, "the preferred answer"),
    ...answerFaults(rejected, "the rejected answer"),
    ...(canonicalJson(chosen) === canonicalJson(rejected) ? ["both answers are the same"] : []),
    ...toolFaults(preference.tools),
    // Each answer is trained on behind the question.
    ...[chosen, rejected].flatMap((answer) =>
      lengthFaults(JSON.stringify([...question, ...answer, ...preference.tools]), mostTokens),
    ),
  ]
}

/** How a service of OpenAI's wire takes preferences. */
export function preferenceForm(limits: RowLimits = {}): RowForm<RenderedPreference> {
  return { faults: (row, more) => preferenceFaults(row, { ...limits, ...more }), row: preferenceRow }
}

function answerFaults(messages: readonly Message[], where: string): string[] {
  return messages.flatMap((message) => [
    ...messageFaults(message, where),
    ...(message.role === "assistant" ? [] : [`${where} is a message of the ${message.role}, not the assistant`]),
  ])
}

function toolFaults(tools: RenderedRow["tools"]): string[] {
  return tools.flatMap(({ function: { name } }) =>
    isName(name) ? [] : [`the tool ${name} has a name that is refused: letters, digits, _ and -, at most 64`],
  )
}

const roles = ["system", "developer", "user", "assistant", "tool"]

function messageFaults(message: Message, where: string): string[] {
  const { role, content, name, weight } = message
  const calls = message["tool_calls"]
  const isCalling = Array.isArray(calls) && calls.length > 0
  const special = typeof content === "string" ? /<\|[a-z_]+\|>/i.exec(content)?.[0] : undefined
  return [
    ...(roles.includes(role) ? [] : [`${where} has the role ${role}; allowed: ${roles.join(", ")}`]),
    ...(typeof content === "string" ? [] : [`${where} has no text`]),
    ...(content === "" && !isCalling ? [`${where} is empty`] : []),
    ...(special === undefined ? [] : [`${where} contains ${special}, which the service reads as a mark of its own`]),
    ...(name === undefined || isName(name) ? [] : [`${where} has a name that is refused: ${String(name)}`]),
    ...(weight === undefined || (role === "assistant" && (weight === 0 || weight === 1))
      ? []
      : [`${where} has the weight ${String(weight)}; only the assistant's turns have one, 0 or 1`]),
    ...(isCalling ? calls.flatMap((call) => callFaults(call, where)) : []),
  ]
}

function callFaults(call: unknown, where: string): string[] {
  const name = (call as { function?: { name?: unknown } }).function?.name
  return isName(name) ? [] : [`${where} calls a tool by the name ${String(name)}, which is refused`]
}

function orderFaults(messages: readonly Message[]): string[] {
  const last = messages.at(-1)
  return [
    ...(last?.role === "assistant" ? [] : ["the last message is not the assistant's"]),
    ...(last?.role === "assistant" && last["weight"] === 0
      ? ["its last answer has the weight 0: there is nothing to train on"]
      : []),
    ...uncalledFaults(messages),
  ]
}

function uncalledFaults(messages: readonly Message[]): string[] {
  const called = new Set<unknown>()
  return messages.flatMap((message, index) => {
    for (const call of (message["tool_calls"] as readonly { id: string }[] | undefined) ?? []) called.add(call.id)
    return message.role === "tool" && !called.has(message["tool_call_id"])
      ? [`message ${index + 1} answers a tool that was not called`]
      : []
  })
}

/** Why a row of that text, marks of its turns included, may be cut; by estimate, so that one in doubt is not sent. */
export function lengthFaults(text: string, mostTokens: number | undefined): string[] {
  const tokens = Math.ceil(Buffer.byteLength(text) / 4)
  return mostTokens === undefined || tokens <= mostTokens
    ? []
    : [`it has about ${tokens} tokens, at 4 bytes each; at most ${mostTokens} are trained on, the rest would be cut`]
}

function isName(name: unknown): boolean {
  return typeof name === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(name)
}
