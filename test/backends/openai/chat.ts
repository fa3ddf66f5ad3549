/** A question to a chat server. */
export interface AskedChat {
  readonly model: string
  readonly messages: readonly AskedTurn[]
  readonly tools?: readonly { readonly type: string; readonly function: { readonly name: string } }[]
}

interface AskedTurn {
  readonly role: string
  readonly content: string
  readonly tool_call_id?: string
  readonly tool_calls?: readonly { readonly id: string }[]
}

export interface CalledFunction {
  readonly name: string
  readonly arguments: string
}

/**
 * Why the question is refused: a call that no tool answered, or an answer that nothing called, as the API says it
 * (developers.openai.com/api/docs/guides/function-calling, 2026-11-30).
 */
export function chatFault({ messages }: AskedChat): string | undefined {
  const open = new Set<string>()
  for (const { role, tool_call_id: answered = "", tool_calls: calls = [] } of messages) {
    if (role === "tool" && !open.delete(answered))
      return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
    if (role !== "tool" && open.size > 0) break
    for (const { id } of calls) open.add(id)
  }
  return open.size === 0
    ? undefined
    : "an assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'"
}

/** The end of a choice: an answer, or calls of functions. */
export function saidOrCalled(content: string, calls: readonly CalledFunction[] | undefined): object {
  if (calls === undefined) return { finish_reason: "stop", message: { role: "assistant", content, refusal: null } }
  const tool_calls = calls.map((called, index) => ({ id: `call_${index}`, type: "function", function: called }))
  return { finish_reason: "tool_calls", message: { role: "assistant", content: null, refusal: null, tool_calls } }
}
