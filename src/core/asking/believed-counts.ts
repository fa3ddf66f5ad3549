import type { ModelAnswer, ModelRequest } from "../contracts/model.ts"
import { worstCaseTokens } from "./prices.ts"

/**
 * The answer with the counts of tokens that can be true: whole, not below zero, and in keeping with how long the texts
 * are. Any other stands as null and `countsRefused` says so: what nobody counted is booked at its worst case.
 */
export function withBelievedCounts(request: ModelRequest, answer: ModelAnswer): ModelAnswer {
  const worst = worstCaseTokens(request)
  const said = bytesOf([answer.text, answer.thought ?? "", answer.refusal ?? ""])
  const asked = bytesOf(request.messages.map((message) => JSON.stringify(message)))
  const inputTokens = believed(answer.inputTokens, asked, worst.inputTokens)
  // A vector is no text that anybody counts.
  const outputTokens =
    request.maxTokens === 0
      ? believed(answer.outputTokens, 0, 0)
      : believed(answer.outputTokens, said, Math.max(said, worst.outputTokens))
  if (inputTokens === answer.inputTokens && outputTokens === answer.outputTokens) return answer
  return { ...answer, inputTokens, outputTokens, countsRefused: true }
}

/** The count, where a text of so many bytes can have so many tokens; else null. */
function believed(count: number | null, bytes: number, most: number): number | null {
  if (count === null || !Number.isSafeInteger(count)) return null
  return count >= Math.floor(bytes / longestToken) && count <= most + unseenTokens ? count : null
}

/** No tokenizer has a longer one, in bytes; most are of 3 to 5. */
const longestToken = 1024
/** What a server may add that nobody sees here: a system message of its own, the marks of its template. */
const unseenTokens = 1024

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text, "utf8"), 0)
}
