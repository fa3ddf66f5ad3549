import { z } from "zod"
import type { BackendContext, BackendModule, FineTuneBackend } from "../core/contracts/backend.ts"
import { trainerMethods, trainerObjectives, trainerSettings } from "../core/training/job.ts"
import { estimateByRule } from "./_estimate.ts"
import { homeRunner } from "./_home.ts"
import { pinOf } from "./_pins.ts"
import { environmentChecks } from "./_trainer-environment.ts"

const optionsSchema = z.strictObject({
  threads: z.int().positive().optional().describe("CPU threads of the trainer; default: all"),
  environment: z
    .array(z.string().regex(/^[A-Za-z_]\w*$/, "must be the name of an environment variable"))
    .optional()
    .describe("Environment variables, by their names, that the trainer gets beside those of GPUs, caches and proxies"),
})
type Options = z.output<typeof optionsSchema>

/** Trains and generates on this machine, in processes that outlive the command line. */
const module: BackendModule<Options> = {
  summary: "This machine: the trainer in a process of its own, on its GPU or CPU",
  kind: "runner",
  options: optionsSchema,
  examples: { "This machine": { baseModel: "HuggingFaceTB/SmolLM2-135M-Instruct" } },
  environment: [
    {
      name: "TUNELOOP_PYTHON",
      purpose: "a Python that already has the trainer's requirements, used instead of making one",
    },
    { name: "TUNELOOP_CACHE", purpose: "where the trainer environment is made" },
  ],
  create: localBackend,
}
export default module

function localBackend(context: BackendContext, options: Options): FineTuneBackend {
  return {
    name: "local",
    kind: "runner",
    capabilities: () => ({
      objectives: trainerObjectives,
      methods: trainerMethods,
      settings: trainerSettings(),
      choosesCheckpoint: true,
      asOf: "2026-11-24",
      source: "trainer/train.py",
    }),
    check: async () => environmentChecks(context),
    estimate: async (plan) => estimateByRule(plan),
    pin: (base) => pinOf(base, context),
    ...homeRunner(context, options),
  }
}
