import { join, resolve } from "node:path"
import { z } from "zod"
import type { BackendContext, BackendModule, FineTuneBackend } from "../core/contracts/backend.ts"
import { trainerMethods, trainerObjectives, trainerSettings } from "../core/training/job.ts"
import type { BaseModel } from "../core/training/model-ref.ts"
import { estimateByRule } from "./_estimate.ts"
import { localTransport } from "./_local-transport.ts"
import { locatedBase, pinOf } from "./_pins.ts"
import { trainerEnvironment } from "./_process-environment.ts"
import { runner } from "./_runner.ts"
import { countTokens } from "./_token-counts.ts"
import { environmentChecks, madeTrainerPython, trainerPython } from "./_trainer-environment.ts"

const optionsSchema = z.strictObject({
  threads: z.int().positive().optional().describe("CPU threads of the trainer; default: all"),
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
  const folder = join(context.packageRoot, "trainer")
  const environment = trainerEnvironment(context)
  const trainer = async (base: BaseModel) => ({
    python: wholePath(await trainerPython(context)),
    folder,
    base: locatedBase(base),
  })
  return {
    name: "local",
    kind: "runner",
    capabilities: () => ({
      objectives: trainerObjectives,
      methods: trainerMethods,
      settings: trainerSettings(),
      asOf: "2026-11-24",
      source: "trainer/train.py",
    }),
    check: async () => environmentChecks(context),
    estimate: async (plan) => estimateByRule(plan),
    pin: (base) => pinOf(base, context),
    ...runner(context, { name: "local", transport: localTransport, environment, options, trainer }),
    async countTokens(base, rows) {
      const python = madeTrainerPython(context)
      if (python === undefined) return { missing: `the trainer environment, which is not there yet: ${howItIsMade}` }
      return countTokens({ python: wholePath(python), folder, base: locatedBase(base) }, rows, environment)
    },
  }
}

const howItIsMade = "the first training makes it, or TUNELOOP_PYTHON names one"

/** A path as seen from this folder, for the process works in another; a bare name is looked up on the PATH. */
function wholePath(command: string): string {
  return /[\\/]/.test(command) ? resolve(command) : command
}
