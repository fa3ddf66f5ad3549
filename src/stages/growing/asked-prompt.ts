import type { PlannedPrompt } from "../../core/contracts/strategy.ts"

/** A prompt with what the model answered, recorded in the ledger under the key. */
export interface AskedPrompt {
  readonly prompt: PlannedPrompt
  readonly key: string
  readonly text: string
  readonly model: string
}

/** Asks the prompts of the model, or of another one at the same server; the answers in the order of the prompts. */
export type Ask = (prompts: readonly PlannedPrompt[], model?: string) => Promise<readonly AskedPrompt[]>
