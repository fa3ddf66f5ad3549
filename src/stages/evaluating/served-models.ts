import type { ChatPlace } from "../../core/contracts/backend.ts"
import type { ChatModel } from "../../core/contracts/model.ts"

/** How models that a service serves are asked, and paid. */
export interface ServedModels {
  readonly open: (place: ChatPlace) => ChatModel
  /** Resolves when whoever runs this agrees to pay so much at most. */
  readonly consent: (cost: ServedCost) => Promise<void>
  readonly budgetUsd?: number | undefined
  /** Whether rows that were answered without a text are asked again, and all is scored anew. */
  readonly retryEmpty?: boolean | undefined
}

/** What asking at one host takes; the worst case is null where nobody knows the price. */
export interface ServedCost {
  readonly host: string
  readonly questions: number
  readonly worstUsd: number | null
}
