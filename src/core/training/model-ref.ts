import { z } from "zod"

const baseSchema = z.object({ model: z.string(), revision: z.string().nullable() })

/** A base model as a job names it. */
export type BaseModel = z.output<typeof baseSchema>

/** The base model of a plan or job. */
export function baseOf(plan: { readonly baseModel: string; readonly revision?: string | null | undefined }): BaseModel {
  return { model: plan.baseModel, revision: plan.revision ?? null }
}

/**
 * A model wherever it is, as it stands in events and requests. A `location` is a folder, relative to the workspace in
 * what is kept and absolute in what a backend is given, or the address of a store.
 */
export const modelRefSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("base"), ...baseSchema.shape }),
  z.object({ kind: z.literal("adapter"), base: baseSchema, location: z.string() }),
  z.object({ kind: z.literal("weights"), location: z.string() }),
  z.object({ kind: z.literal("hosted"), backend: z.string(), id: z.string() }),
  z.object({ kind: z.literal("deployment"), backend: z.string(), id: z.string(), model: z.string() }),
  z.object({ kind: z.literal("endpoint"), baseUrl: z.string(), model: z.string() }),
])
export type ModelRef = z.output<typeof modelRefSchema>
