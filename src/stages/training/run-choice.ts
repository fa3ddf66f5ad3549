import { canonicalJson } from "../../core/canonical.ts"
import type { TrainingPlan } from "../../core/contracts/backend.ts"
import { readAdopted } from "../../store/rows/adopted-runs.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"

/** The backend of a run with its options, by its plan or as it was adopted; undefined where its folder says neither. */
export function choiceOfRun({ workspace }: StageContext, run: string): TrainingPlan["backend"] | undefined {
  const files = runFiles(workspace, run)
  return (readPlan(files) ?? readAdopted(files))?.backend
}

/** Writes out what a choice leaves to defaults: a place is the same whether its options say one or leave it out. */
export type WithDefaults = (choice: TrainingPlan["backend"]) => Promise<TrainingPlan["backend"]>

/** The options that say where a backend is and whose things it sees there; all others only say how it trains. */
const placing = [
  "profile",
  "baseUrl",
  "artifactsUrl",
  "host",
  "apiKeyEnv",
  "namespace",
  "entity",
  "project",
  "repository",
]

/** Equal for choices, defaults written out, that reach the same things at the same service, however they train. */
export function placeKey({ name, options }: TrainingPlan["backend"]): string {
  return canonicalJson({ name, options: placingOptions({ options }) })
}

/** What the options say of where the backend is; empty for its usual place. */
export function placingOptions({ options }: Pick<TrainingPlan["backend"], "options">): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => placing.includes(key)))
}
