import { z } from "zod"

/** Names of tasks, jobs and fields become file names and columns: lower-case words joined by hyphens. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "must be lower-case letters, digits and single hyphens, starting with a letter",
  )
  .max(64, "must have at most 64 characters")

/** The version of the form of a file that people write. */
export const schemaVersion = z.literal(1).default(1).describe("The version of this file's form; 1 is the only one")
