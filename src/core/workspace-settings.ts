import { z } from "zod"
import { allowedHostSchema } from "./addresses.ts"
import { nameSchema, schemaVersion } from "./names.ts"

/** The workspace file, `tuneloop.yaml`; every key is optional, and so is the file. */
export const workspaceSchema = z
  .strictObject({
    schemaVersion,
    ledger: z.string().default(".tuneloop/ledger.db").describe("The ledger's file, relative to the workspace"),
    allowedHosts: z
      .array(allowedHostSchema)
      .default(["127.0.0.1", "localhost", "::1", "api.openai.com"])
      .describe(
        "Hosts that examples may be sent to, with a port where only that one; http://host:port allows a host of " +
          "your own network without encryption",
      ),
    budgets: z
      .strictObject({
        requestsUsd: z
          .number()
          .min(0)
          .optional()
          .describe("The most that all requests to models may cost, of every task and ever, in US dollars"),
        trainingUsd: z
          .number()
          .min(0)
          .optional()
          .describe("The most that all trainings may cost, of every job and ever, in US dollars"),
        servingUsd: z
          .number()
          .min(0)
          .optional()
          .describe("The most that all deployments may cost, of every run and ever, in US dollars"),
      })
      .prefault({})
      .describe("Ceilings on what the workspace spends"),
    backends: z
      .record(
        nameSchema,
        z.strictObject({
          name: z.string().min(1).describe("The file in backends/ that trains"),
          options: z.record(z.string(), z.unknown()).default({}).describe("The backend's own options"),
        }),
      )
      .default({})
      .describe("Backends with their options, by names that jobs and commands may use instead"),
  })
  .describe("A Tuneloop workspace")
export type WorkspaceSettings = z.output<typeof workspaceSchema>
