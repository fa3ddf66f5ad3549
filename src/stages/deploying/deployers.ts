import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import type { Deployer } from "../../core/contracts/deployment.ts"
import { UsageError } from "../../core/errors.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"

export type DeployingBackend = FineTuneBackend & Deployer

/** Whether the backend serves models while they are deployed: it has all that this takes, or nothing of it. */
export function canDeploy(backend: FineTuneBackend): backend is DeployingBackend {
  return backend.deploy !== undefined
}

/** Whether the model answers nobody before it is deployed, and can be. */
export function needsDeployment(backend: FineTuneBackend, model: ModelRef): backend is DeployingBackend {
  return canDeploy(backend) && model.kind === "hosted" && backend.chat?.(model) === undefined
}

/** Throws where nothing is deployed at the backend by Tuneloop. */
export function requireDeployer(backend: FineTuneBackend): DeployingBackend {
  if (canDeploy(backend)) return backend
  const notes = (backend.notes ?? []).filter((note) => note.startsWith("serving:"))
  throw new UsageError([`nothing is deployed at ${backend.name} by Tuneloop`, ...notes].join("; "))
}
