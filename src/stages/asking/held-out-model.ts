import { heldBack } from "../../core/asking/spoken.ts"
import type { ChatModel, ModelRequest } from "../../core/contracts/model.ts"
import { ProviderError } from "../../core/errors.ts"

/** So many characters in a row are a quotation. */
const quotedFrom = 12

/**
 * The same model, asked for held-out rows. Its failures repeat nothing of what it was asked: servers quote a question
 * in their errors, and such rows are shown to nobody. A refusal to answer is an empty answer, and stops no other row.
 */
export function heldOutModel(model: ChatModel): ChatModel {
  return {
    ...model,
    ask: async (request, signal, onHeaders) => {
      try {
        return await model.ask(request, signal, onHeaders)
      } catch (error) {
        if (error instanceof ProviderError && error.isRefusal) return heldBack("")
        throw error instanceof ProviderError && quotes(error.message, request) ? withoutQuotation(error) : error
      }
    },
  }
}

function quotes(message: string, { messages, tools = [] }: ModelRequest): boolean {
  const turns = messages.flatMap(({ role, content, tool_calls: calls = [] }) =>
    role === "system" ? [] : [String(content), JSON.stringify(calls)],
  )
  // A row may bring tools of its own.
  const asked = [...turns, JSON.stringify(tools)].map(plain)
  const said = plain(message)
  return asked.some((text) => {
    const length = Math.min(quotedFrom, text.length)
    for (let start = 0; length > 0 && start + length <= said.length; start++)
      if (text.includes(said.slice(start, start + length))) return true
    return false
  })
}

/** Letters and digits only: escapes and spaces differ between a text and its quotation. */
function plain(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "")
}

function withoutQuotation(error: ProviderError): ProviderError {
  const { provider, status, isRetryable, retryAfterMs, mayHaveCost, hint } = error
  const failed = status === undefined ? "a request failed" : `the server answered HTTP ${status}`
  return new ProviderError(`${failed}; its words repeat the row and are left out`, {
    provider,
    isRetryable,
    retryAfterMs,
    mayHaveCost,
    ...(status === undefined ? {} : { status }),
    ...(hint === undefined ? {} : { hint }),
  })
}
