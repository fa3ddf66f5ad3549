import type { ModelAnswer } from "../core/contracts/model.ts"
import { type Said, withoutThoughts } from "../core/asking/thoughts.ts"
import { ProviderError } from "../core/errors.ts"
import { type CallSettings, hostOf } from "./_guarded-call.ts"

/**
 * What a chat completion's first choice says: its text, whole or in parts, a call of tools as the turn that it is, and
 * what stands beside it (a thought, a refusal). The text is empty where the model said nothing. Throws where this is no
 * chat completion.
 */
export function answerOf(completion: unknown, settings: CallSettings): ModelAnswer {
  const { choices, usage, error } = (completion ?? {}) as Completion
  if (!Array.isArray(choices)) {
    const said = typeof error === "object" ? error?.message : error
    throw new ProviderError(
      `${hostOf(settings)} answered without a chat completion${typeof said === "string" ? `: ${said}` : ""}`,
      {
        provider: settings.provider,
        hint: "Check that the server speaks chat completions and that the model is loaded.",
      },
    )
  }
  const { message, finish_reason: finish } = choices[0] ?? {}
  const parts = partsOf(message?.content)
  const calls = callsOf(message)
  // Behind the JSON of a call nobody would find a thought in its text.
  const said: Said = calls.length === 0 ? parts : withoutThoughts(parts.text)
  const thought = joined(
    [message?.reasoning_content, message?.reasoning, message?.thinking].find(isText),
    parts.thought,
    calls.length === 0 ? undefined : said.thought,
  )
  const refusal = joined(message?.refusal, parts.refusal)
  return {
    text: calls.length === 0 ? said.text : callingTurn(said.text, calls),
    inputTokens: countOf(usage?.prompt_tokens),
    outputTokens: countOf(usage?.completion_tokens),
    ...(typeof finish === "string" && finish.length <= longestFinish ? { finish } : {}),
    ...(thought === "" ? {} : { thought }),
    ...(refusal === "" ? {} : { refusal }),
  }
}

/** The server's word for why it ended is one word. */
const longestFinish = 100

interface Completion {
  readonly choices?: readonly { readonly message?: Message | null; readonly finish_reason?: unknown }[]
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown } | null
  readonly error?: { readonly message?: unknown } | string
}

/** `reasoning_content`: DeepSeek, vLLM before 0.12, llama.cpp; `reasoning`: vLLM, Ollama, Groq, OpenRouter. */
interface Message {
  readonly content?: unknown
  readonly reasoning_content?: unknown
  readonly reasoning?: unknown
  readonly thinking?: unknown
  readonly refusal?: unknown
  readonly tool_calls?: unknown
}

interface Parts {
  readonly text: string
  readonly thought: string
  readonly refusal: string
}

/** A content is a text, or parts of these kinds; Mistral's thoughts are parts with parts in them. */
function partsOf(content: unknown): Parts {
  if (!Array.isArray(content)) return { text: isText(content) ? content : "", thought: "", refusal: "" }
  const parts = { text: "", thought: "", refusal: "" }
  for (const part of content as readonly unknown[]) {
    if (isText(part)) parts.text += part
    if (typeof part !== "object" || part === null) continue
    const { text, refusal, thinking, reasoning } = part as Record<string, unknown>
    const thought = thinking ?? reasoning
    if (isText(refusal)) parts.refusal += refusal
    else if (thought !== undefined) parts.thought += partsOf(thought).text
    else if (isText(text)) parts.text += text
  }
  return parts
}

function callsOf(message: Message | null | undefined): readonly ({ readonly function?: unknown } | null)[] {
  return Array.isArray(message?.tool_calls) ? message.tool_calls : []
}

/** A turn that calls tools is written as the JSON that an output of a chat task is. */
function callingTurn(text: string, calls: ReturnType<typeof callsOf>): string {
  const turns = calls.map((call) => ({ type: "function", function: call?.function }))
  return JSON.stringify({ ...(text.trim() === "" ? {} : { content: text }), tool_calls: turns })
}

function joined(...texts: readonly unknown[]): string {
  return texts.filter((text) => isText(text) && text.trim() !== "").join("\n\n")
}

function isText(value: unknown): value is string {
  return typeof value === "string"
}

/** As the server counted; null where it does not say. */
function countOf(value: unknown): number | null {
  return typeof value === "number" ? value : null
}
