import { z } from "zod"

/** The id of a dataset version: `ds_` and the digits of what is in it. */
export const datasetIdSchema = z.templateLiteral(["ds_", z.string()])
export type DatasetId = z.output<typeof datasetIdSchema>

/** The id of a holdout: `hold_` and the digits of what is in it. */
export const holdoutIdSchema = z.templateLiteral(["hold_", z.string()])
export type HoldoutId = z.output<typeof holdoutIdSchema>

/** The id of a folder that never changes. */
export type FrozenId = DatasetId | HoldoutId

export function isDatasetId(text: string): text is DatasetId {
  return text.startsWith("ds_")
}

export function isHoldoutId(text: string): text is HoldoutId {
  return text.startsWith("hold_")
}
