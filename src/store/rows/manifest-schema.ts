import { z } from "zod"
import type { DatasetManifest, HoldoutManifest } from "../../core/rows/manifests.ts"
import { datasetIdSchema, holdoutIdSchema } from "../../core/rows/frozen-ids.ts"

const counts = z.record(z.string(), z.number())
const files = z.record(z.string(), z.object({ rows: z.number(), digest: z.string() }))

/** The manifest of a version as this or another Tuneloop wrote it: unknown keys stay, and what came later may be absent. */
export const datasetManifestSchema: z.ZodType<DatasetManifest> = z.looseObject({
  schemaVersion: z.literal(1),
  id: datasetIdSchema,
  task: z.string(),
  kind: z.string(),
  holdout: holdoutIdSchema,
  recipe: z.record(z.string(), z.unknown()),
  files,
  read: z.number(),
  kept: z.number(),
  dropped: counts,
  conflicts: z.number().default(0),
  flagged: counts.default({}),
  personalData: z
    .looseObject({ policy: z.string(), rows: z.number(), found: counts })
    .default({ policy: "flag", rows: 0, found: {} }),
  prevalence: z
    .looseObject({
      targets: z.record(z.string(), z.looseObject({ share: z.number(), rows: z.number(), wanted: z.number() })),
      weights: counts,
    })
    .optional(),
  semantic: z
    .looseObject({
      model: z.string(),
      threshold: z.number(),
      duplicates: z.number(),
      nearHeldOut: z.number(),
      dropped: z.boolean(),
    })
    .optional(),
  leaks: z.looseObject({ checks: z.array(z.string()), found: z.number() }),
})

/** The manifest of a holdout, likewise. */
export const holdoutManifestSchema: z.ZodType<HoldoutManifest> = z.looseObject({
  schemaVersion: z.literal(1),
  id: holdoutIdSchema,
  task: z.string(),
  files,
  perLabel: z.record(z.string(), z.looseObject({ validation: z.number(), test: z.number() })),
})
