import { z } from "zod"
import { checkpointChoices } from "../../core/training/checkpoints.ts"
import { objectives, trainerMethods } from "../../core/training/job.ts"
import { datasetIdSchema, holdoutIdSchema } from "../../core/rows/frozen-ids.ts"
import type { TrainingPlan } from "../../core/contracts/backend.ts"

const renderedFileSchema = z.looseObject({ rows: z.number(), bytes: z.number(), digest: z.string() })

/**
 * A plan as it was written, by this version or another: no default is filled in and unknown keys stay, so that its
 * digest is the one it was planned with.
 */
export const planSchema: z.ZodType<TrainingPlan> = z.looseObject({
  schemaVersion: z.literal(1),
  job: z.string(),
  task: z.string(),
  dataset: datasetIdSchema,
  holdout: holdoutIdSchema,
  prompt: z.string(),
  baseModel: z.string(),
  revision: z.string().nullable(),
  backend: z.looseObject({ name: z.string(), options: z.record(z.string(), z.unknown()) }),
  objective: z.enum(objectives),
  // Which settings a method has is the job's schema to say; here they stay as they were planned.
  method: z.looseObject({ name: z.enum(trainerMethods) }) as unknown as z.ZodType<TrainingPlan["method"]>,
  hyperparameters: z.looseObject({
    epochs: z.number(),
    batchSize: z.number(),
    gradientAccumulation: z.number(),
    learningRate: z.number(),
    scheduler: z.enum(["linear", "cosine", "constant"]),
    warmupRatio: z.number(),
    weightDecay: z.number(),
    maxLength: z.number(),
  }),
  checkpoint: z.enum(checkpointChoices).optional(),
  seed: z.number(),
  files: z.looseObject({ train: renderedFileSchema, validation: renderedFileSchema }),
})
