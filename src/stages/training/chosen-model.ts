import { ToolkitError } from "../../core/errors.ts"
import { type CheckpointChoice, chosenCheckpoint } from "../../core/training/checkpoints.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import type { RunSummary } from "../../core/training/run.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"
import { modelOf } from "./run-model.ts"

/**
 * The model of the run's checkpoint of this choice; undefined where the run made none. A service keeps its checkpoints
 * under names of their own; a runner kept the one that the plan chose. Throws for one that nobody can ask.
 */
export function chosenModel(
  context: StageContext,
  summary: RunSummary,
  choice: CheckpointChoice,
): ModelRef | undefined {
  const model = modelOf(context, summary)
  if (model === undefined) return undefined
  const planned = readPlan(runFiles(context.workspace, summary.run))?.checkpoint ?? "last"
  if (model.kind !== "hosted" && model.kind !== "deployment") {
    if (choice === planned) return model
    throw new ToolkitError(`${summary.run} kept the checkpoint ${planned}, and no other`, {
      code: "no-checkpoint",
      exitCode: 2,
      hint: `Set checkpoint: ${choice} in the job, and train it.`,
    })
  }
  const chosen = chosenCheckpoint(summary, choice)
  if (chosen === undefined) return model
  if (model.kind === "hosted" && chosen.model !== undefined) return { ...model, id: chosen.model }
  throw new ToolkitError(`the checkpoint of step ${chosen.step} of ${summary.run} has no name to be asked by`, {
    code: "no-checkpoint",
    exitCode: 2,
    hint: `Bring it home: tuneloop runs fetch ${summary.run} --checkpoint ${choice}`,
  })
}
