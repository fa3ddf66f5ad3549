import type { TrainingPlan } from "../../core/contracts/backend.ts"
import { readAdopted } from "../../store/rows/adopted-runs.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"

/** The backend of a run with its options, by its plan or as it was adopted; undefined where its folder says neither. */
export function choiceOfRun({ workspace }: StageContext, run: string): TrainingPlan["backend"] | undefined {
  const files = runFiles(workspace, run)
  return (readPlan(files) ?? readAdopted(files))?.backend
}
