import { digest } from "../../../src/core/canonical.ts"
import type { Ledger, Sending } from "../../../src/core/contracts/ledger.ts"

/** A request that is about to be sent, by its number. */
export function sending(number: number, given: Partial<Sending> = {}): Sending {
  const request = {
    provider: "openai",
    baseUrl: "http://127.0.0.1:1/v1",
    model: "m",
    messages: [{ role: "user" as const, content: `Question ${number}?` }],
    temperature: 1,
    maxTokens: 10,
    seed: number,
  }
  return { key: digest(request), request, task: "t", purpose: "self-instruct", worstUsd: 1, ...given }
}

export const answer = (text: string) => ({ text, inputTokens: 3, outputTokens: 2 })

/** The attempts of sendings that are begun; an error where a ceiling is reached. */
export async function begun(ledger: Ledger, ...sendings: readonly Sending[]): Promise<readonly number[]> {
  const result = await ledger.requests.begin(sendings)
  if ("reached" in result) throw new Error("a ceiling was reached")
  return result.attempts
}
