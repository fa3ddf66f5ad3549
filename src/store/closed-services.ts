import { join } from "node:path"
import { z } from "zod"
import { parseYaml } from "../core/parse.ts"
import { readText } from "./files/files.ts"

const closedSchema = z.strictObject({
  closed: z.array(
    z.strictObject({
      name: z.string().describe("The name by which a job would call it"),
      since: z.iso.date().describe("The first day on which it took no more jobs"),
      what: z.string().describe("What it took"),
      instead: z.string().describe("The nearest that is open"),
      source: z.string(),
    }),
  ),
})
/** A fine-tuning service that takes no more jobs. */
export type ClosedService = z.output<typeof closedSchema>["closed"][number]

/** The services that are known to have closed, as of the package's facts. */
export function closedServices(): readonly ClosedService[] {
  const file = join(import.meta.dirname, "..", "..", "facts", "closed.yaml")
  return parseYaml(closedSchema, readText(file), file, "Install tuneloop again.").closed
}
