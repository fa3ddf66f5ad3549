import { ToolkitError } from "../errors.ts"
import type { RunSummary, SavedCheckpoint } from "./run.ts"

/** Which of a run's checkpoints is its model. */
export const checkpointChoices = ["last", "lowest-validation-loss"] as const
export type CheckpointChoice = (typeof checkpointChoices)[number]

/** A checkpoint with its place among those of its run. */
export type MarkedCheckpoint = SavedCheckpoint & {
  readonly isLowest: boolean
  /** Whether it is the last one, which counts unless the job says otherwise. */
  readonly isDefault: boolean
}

type Trained = Pick<RunSummary, "run" | "checkpoints" | "metrics">

/**
 * The checkpoints by step. One whose maker states no validation loss has the one that was logged at its step; of equal
 * losses the first is the lowest.
 */
export function checkpointsOf({ checkpoints, metrics }: Pick<Trained, "checkpoints" | "metrics">): MarkedCheckpoint[] {
  const logged = new Map(metrics.map(({ step, values }) => [step, values["evalLoss"]]))
  const known = checkpoints.map((checkpoint) => {
    const evalLoss = checkpoint.evalLoss ?? logged.get(checkpoint.step)
    return evalLoss === undefined ? checkpoint : { ...checkpoint, evalLoss }
  })
  const lowestLoss = Math.min(...known.flatMap(({ evalLoss }) => evalLoss ?? []))
  const lowest = known.find(({ evalLoss }) => evalLoss === lowestLoss)
  return known.map((checkpoint, index) => ({
    ...checkpoint,
    isLowest: checkpoint === lowest,
    isDefault: index === known.length - 1,
  }))
}

/**
 * The checkpoint of the choice; undefined for the last one, which is the run's model itself. Throws where the lowest
 * loss is wanted and none is known.
 */
export function chosenCheckpoint(trained: Trained, choice: CheckpointChoice): MarkedCheckpoint | undefined {
  if (choice === "last") return undefined
  const lowest = checkpointsOf(trained).find(({ isLowest }) => isLowest)
  if (lowest !== undefined) return lowest.isDefault ? undefined : lowest
  throw new ToolkitError(`${trained.run} has no checkpoint with a validation loss`, {
    code: "no-validation-loss",
    exitCode: 2,
    hint: `Take the last one: --checkpoint last; see what there is: tuneloop runs show ${trained.run}`,
  })
}
