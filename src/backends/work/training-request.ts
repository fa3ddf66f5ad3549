import type { TrainingPlan } from "../../core/contracts/backend.ts"

/** Where things lie on the machine that trains. */
interface Places {
  readonly run: string
  readonly submissionKey: string
  /** The base model there; its name where absent. */
  readonly location?: string | undefined
  readonly train: string
  readonly validation: string
  readonly adapter: string
  readonly checkpoints: string
  readonly threads?: number | undefined
}

/** What `trainer/train.py` is asked for a plan, but for its state folder. */
export function trainingRequest(plan: TrainingPlan, places: Places): Record<string, unknown> {
  return {
    schemaVersion: 1,
    run: places.run,
    submissionKey: places.submissionKey,
    // The name is what checkpoints are tied to: it stays when the workspace moves.
    baseModel: plan.baseModel,
    baseLocation: places.location ?? null,
    revision: plan.revision,
    train: places.train,
    validation: plan.files.validation.rows > 0 ? places.validation : null,
    adapter: places.adapter,
    checkpoints: places.checkpoints,
    objective: plan.objective,
    method: plan.method,
    hyperparameters: plan.hyperparameters,
    seed: plan.seed,
    ...(plan.checkpoint === undefined ? {} : { checkpoint: plan.checkpoint }),
    checkpointsPerEpoch: 1,
    evaluationsPerEpoch: 1,
    threads: places.threads ?? null,
  }
}
