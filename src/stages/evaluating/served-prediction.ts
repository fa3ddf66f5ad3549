import type { Prediction } from "../../core/contracts/backend.ts"

/**
 * The answer of a server to a row, as a contender's. How long it took is the server's traffic as much as the model; of
 * one that was answered at another time nobody knows it.
 */
export function servedPrediction(
  id: string,
  answer: {
    readonly output: string
    readonly thought?: string | undefined
    readonly finish?: string | null | undefined
    readonly inputTokens: number | null
    readonly outputTokens: number | null
  },
  latencyMs?: number,
): Prediction {
  return {
    id,
    output: answer.output,
    ...(answer.thought === undefined ? {} : { thought: answer.thought }),
    latencyMs: latencyMs ?? null,
    inputTokens: answer.inputTokens ?? 0,
    outputTokens: answer.outputTokens ?? 0,
    finish: answer.finish === "length" ? "length" : "stop",
  }
}
