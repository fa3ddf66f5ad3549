import type { ChatPlace, FineTuneBackend } from "../../core/contracts/backend.ts"
import type { ChatModel } from "../../core/contracts/model.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import { needsDeployment } from "../deploying/deployers.ts"

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

/** Where the model is served; undefined where its weights answer, or it is to be deployed before. */
export function placeOf(backend: FineTuneBackend, model: ModelRef): ChatPlace | undefined {
  const place = backend.chat?.(model)
  return place ?? (model.kind === "endpoint" ? { baseUrl: model.baseUrl, model: model.model } : undefined)
}

/** Whether the model is asked at a chat server, deployed before or not. */
export function isServed(backend: FineTuneBackend, model: ModelRef): boolean {
  return placeOf(backend, model) !== undefined || needsDeployment(backend, model)
}
