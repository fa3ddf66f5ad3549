import { z } from "zod"
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
  objective: z.literal("sft"),
  method: z.looseObject({
    name: z.literal("lora"),
    rank: z.number(),
    alpha: z.number(),
    dropout: z.number(),
    targetModules: z.union([z.literal("all-linear"), z.array(z.string())]),
  }),
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
  seed: z.number(),
  files: z.looseObject({ train: renderedFileSchema, validation: renderedFileSchema }),
})
