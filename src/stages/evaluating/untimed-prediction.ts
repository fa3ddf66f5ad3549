import type { Prediction } from "../../core/contracts/backend.ts"

/** The answer of a server to a row, as a contender's: how long it took is the server's traffic as much as the model. */
export function untimedPrediction(
  id: string,
  answer: {
    readonly output: string
    readonly thought?: string | undefined
    readonly finish?: string | null | undefined
    readonly inputTokens: number | null
    readonly outputTokens: number | null
  },
): Prediction {
  return {
    id,
    output: answer.output,
    ...(answer.thought === undefined ? {} : { thought: answer.thought }),
    latencyMs: null,
    inputTokens: answer.inputTokens ?? 0,
    outputTokens: answer.outputTokens ?? 0,
    finish: answer.finish === "length" ? "length" : "stop",
  }
}
