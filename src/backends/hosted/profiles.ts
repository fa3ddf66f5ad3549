import { readFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { addressSchema } from "../../core/addresses.ts"
import type { BackendContext } from "../../core/contracts/backend.ts"
import { parseYaml } from "../../core/parse.ts"
import { objectives } from "../../core/training/job.ts"

const profileSchema = z.strictObject({
  baseUrl: addressSchema.optional(),
  apiKeyEnv: z.string().default("OPENAI_API_KEY"),
  /** The header that carries the key. */
  auth: z.enum(["bearer", "api-key"]).default("bearer"),
  sunset: z.iso.date().optional(),
  objectives: z.array(z.enum(objectives)).default(["sft"]),
  /** Whether settings stand in `method` or at the top of the request. */
  hyperparameters: z.enum(["method", "top-level"]),
  /** The settings of a job that the service follows, and how its wire calls them. */
  settings: z.record(z.string(), z.string()),
  /** Settings that are sent whatever the job says. */
  always: z.record(z.string(), z.union([z.boolean(), z.number(), z.string()])).default({}),
  fewestRows: z.int().positive(),
  mostRowTokens: z.int().positive().optional(),
  mostFileBytes: z.int().positive().optional(),
  /** Larger files go up in parts. */
  uploadInPartsAbove: z.int().positive().optional(),
  /** Whether a job keeps the metadata that it was created with. */
  hasMetadata: z.boolean(),
  /** Whether every model that can be tuned can be asked for by its name. */
  listsModels: z.boolean().default(false),
  serving: z.string(),
  weights: z.string(),
  checkpoints: z.string(),
  asOf: z.iso.date(),
  source: z.string(),
})
export type Profile = z.output<typeof profileSchema>

const factsSchema = z.strictObject({
  profiles: z.record(
    z.string(),
    profileSchema.refine((profile) => profile.hyperparameters === "method" || !profile.objectives.includes("dpo"), {
      path: ["objectives"],
      error: "a request with its settings at the top cannot ask for dpo",
    }),
  ),
})

/** The services that speak OpenAI's fine-tuning wire, by name. */
export function profiles({ packageRoot }: Pick<BackendContext, "packageRoot">): Readonly<Record<string, Profile>> {
  const file = join(packageRoot, "facts", "openai-compatible.yaml")
  return parseYaml(factsSchema, readFileSync(file, "utf8"), file, "Install tuneloop again.").profiles
}
