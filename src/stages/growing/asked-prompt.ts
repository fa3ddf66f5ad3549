import type { Silence } from "../../core/asking/spoken.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"

/** A prompt with what the model answered, recorded in the ledger under the key. */
export interface AskedPrompt {
  readonly prompt: PlannedPrompt
  readonly key: string
  /** Empty where the model said nothing: then `silence` says why. */
  readonly text: string
  readonly thought?: string | undefined
  readonly silence?: Silence | undefined
  readonly model: string
}

/** Asks the prompts of the model, or of another one at the same server; the answers in the order of the prompts. */
export type Ask = (prompts: readonly PlannedPrompt[], model?: string) => Promise<readonly AskedPrompt[]>
