import { silenceOf, spoken } from "../../core/asking/spoken.ts"
import type { Prediction } from "../../core/contracts/backend.ts"

/** What a server answered to a row, or what was recorded of it. */
export interface ServedAnswer {
  readonly output: string
  readonly thought?: string | undefined
  readonly refusal?: string | undefined
  readonly finish?: string | null | undefined
  readonly inputTokens: number | null
  readonly outputTokens: number | null
}

/**
 * The answer of a server to a row, as a contender's. How long it took is the server's traffic as much as the model; of
 * one that was answered at another time nobody knows it.
 */
export function servedPrediction(id: string, answer: ServedAnswer, latencyMs?: number): Prediction {
  const silence = silenceIn(answer)
  return {
    id,
    output: answer.output,
    ...(answer.thought === undefined ? {} : { thought: answer.thought }),
    ...(silence === undefined ? {} : { silence }),
    latencyMs: latencyMs ?? null,
    inputTokens: answer.inputTokens ?? 0,
    outputTokens: answer.outputTokens ?? 0,
    finish: answer.finish === "length" ? "length" : "stop",
  }
}

/** Why nothing was said. An output that is merely empty may be the answer that no label fits. */
function silenceIn({ output, thought, refusal, finish }: ServedAnswer): string | undefined {
  const said = {
    text: output,
    inputTokens: null,
    outputTokens: null,
    ...(thought === undefined ? {} : { thought }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(typeof finish === "string" ? { finish } : {}),
  }
  const kind = silenceOf(spoken(said))?.kind
  return kind === "empty" ? undefined : kind
}
