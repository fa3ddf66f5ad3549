/** A turn of a conversation, as chat services and trainers write it. */
export interface Turn {
  readonly role?: unknown
  readonly content?: unknown
  readonly [other: string]: unknown
}

/** The fields in which rows have conversations. */
export const turnFields = ["messages", "conversations"] as const

/** Who speaks, by the names that ShareGPT files have for them. */
const roleOf: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  assistant: "assistant",
  model: "assistant",
  bot: "assistant",
  system: "system",
  tool: "tool",
  observation: "tool",
  function_call: "assistant",
}

/** The turns of a value that is a conversation, also of ShareGPT's `{from, value}`; undefined for any other value. */
export function turnsOf(value: unknown): readonly Turn[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const turns: Turn[] = []
  for (const item of value as readonly unknown[]) {
    if (typeof item !== "object" || item === null) return undefined
    if ("role" in item) turns.push(item)
    else if ("from" in item && "value" in item) turns.push(shareGptTurn(item as ShareGptTurn))
    else return undefined
  }
  return turns
}

interface ShareGptTurn {
  readonly from: unknown
  readonly value: unknown
  readonly [other: string]: unknown
}

/** A speaker that nobody knows keeps the name: what it may be is said where the turn is checked. */
function shareGptTurn({ from, value, ...rest }: ShareGptTurn): Turn {
  const name = String(from).toLowerCase()
  const role = Object.hasOwn(roleOf, name) ? roleOf[name] : from
  const call = name === "function_call" ? toolCall(value) : undefined
  return call === undefined ? { ...rest, role, content: value } : { ...rest, role, content: "", tool_calls: [call] }
}

/** LLaMA-Factory's turn of a call: `{"name": …, "arguments": …}` as text. */
function toolCall(value: unknown): unknown {
  try {
    const call: unknown = typeof value === "string" ? JSON.parse(value) : value
    if (typeof call !== "object" || call === null || !("name" in call)) return undefined
    const { name, arguments: given } = call as { name: unknown; arguments?: unknown }
    return { type: "function", function: { name, arguments: given ?? {} } }
  } catch {
    return undefined
  }
}
