import { join } from "node:path"
import type { BackendContext, FineTuneBackend } from "../core/contracts/backend.ts"
import type { BaseModel } from "../core/training/model-ref.ts"
import { localTransport } from "./_local-transport.ts"
import { isHere, locatedBase } from "./_pins.ts"
import { trainerEnvironment } from "./_process-environment.ts"
import { runner } from "./_runner.ts"
import { countTokens } from "./_token-counts.ts"
import { madeTrainerPython, trainerPython } from "./_trainer-environment.ts"
import type { WorkOptions } from "./_work.ts"

/** What a job may say of the trainer on this machine. */
export interface HomeOptions extends WorkOptions {
  /** Variables that it gets beside those that it always does. */
  readonly environment?: readonly string[] | undefined
}

/** The trainer on this machine: it trains, generates and counts tokens in processes that outlive the command line. */
export function homeRunner(context: BackendContext, options: HomeOptions) {
  const folder = join(context.packageRoot, "trainer")
  const environment = ({ model }: BaseModel) =>
    trainerEnvironment(context, { named: options.environment ?? [], usesHub: !isHere(model) })
  const trainer = async (base: BaseModel) => ({
    python: await trainerPython(context),
    folder,
    base: locatedBase(base),
  })
  return {
    ...runner(context, { name: "local", transport: localTransport, environment, options, trainer }),
    async countTokens(base, rows) {
      const python = madeTrainerPython(context)
      if (python === undefined) return { missing: `the trainer environment, which is not there yet: ${howItIsMade}` }
      return countTokens({ python, folder, base: locatedBase(base) }, rows, environment(base))
    },
  } satisfies Partial<FineTuneBackend>
}

const howItIsMade = "the first training makes it, or TUNELOOP_PYTHON names one"
