import { z } from "zod"

/** What every result of an evaluation begins with; what else it has is kept and not looked at. */
export const evaluationHeaderSchema = z.looseObject({
  evaluation: z.string(),
  run: z.string(),
  task: z.string(),
  at: z.string(),
  /** The files of the answers by what was asked, relative to the workspace; older evaluations kept them by their id. */
  answers: z.record(z.string(), z.string()).optional(),
})
export type EvaluationHeader = z.output<typeof evaluationHeaderSchema>
