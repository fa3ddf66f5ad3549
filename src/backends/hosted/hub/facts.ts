import { readFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import type { BackendContext } from "../../../core/contracts/backend.ts"
import { parseYaml } from "../../../core/parse.ts"

const factsSchema = z.strictObject({
  asOf: z.iso.date(),
  source: z.string(),
  checkpoints: z.string(),
  storageHosts: z.array(z.string()),
  flavors: z.array(
    z.strictObject({
      name: z.string(),
      usdPerHour: z.number().positive(),
      hardware: z.string(),
      /** What one of its chips does in training, by rule of thumb: the trainer uses one. */
      teraflops: z.number().positive(),
    }),
  ),
})
export type HubFacts = z.output<typeof factsSchema>

/** What is known of Hugging Face Jobs without asking. */
export function hubFacts({ packageRoot }: Pick<BackendContext, "packageRoot">): HubFacts {
  const file = join(packageRoot, "facts", "hugging-face-jobs.yaml")
  return parseYaml(factsSchema, readFileSync(file, "utf8"), file, "Install tuneloop again.")
}
