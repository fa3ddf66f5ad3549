import { z } from "zod"

/** The option of services that list their jobs. */
export const settleSeconds = z
  .number()
  .min(0)
  .default(60)
  .describe("How long a job that was just created may be missing from the service's list")

/** The option that says how often a job is looked at, with the service's default. */
export function pollSeconds(seconds: number) {
  return z.number().positive().default(seconds).describe("How long to wait between two looks at a job")
}
