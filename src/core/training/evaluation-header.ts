import { z } from "zod"
import { holdoutIdSchema } from "../rows/frozen-ids.ts"

/** What every result of an evaluation begins with; what else it has is kept and not looked at. */
export const evaluationHeaderSchema = z.looseObject({
  evaluation: z.string(),
  run: z.string(),
  task: z.string(),
  at: z.string(),
  /** Whose rows were asked. Absent where it is that of the run's plan: older evaluations named none. */
  holdout: holdoutIdSchema.optional(),
  /** The files of the answers by what was asked, relative to the workspace; older evaluations kept them by their id. */
  answers: z.record(z.string(), z.string()).optional(),
})
export type EvaluationHeader = z.output<typeof evaluationHeaderSchema>
