import { join, resolve } from "node:path"
import type { BackendContext, FineTuneBackend } from "../core/contracts/backend.ts"
import type { BaseModel } from "../core/training/model-ref.ts"
import { localTransport } from "./_local-transport.ts"
import { locatedBase } from "./_pins.ts"
import { trainerEnvironment } from "./_process-environment.ts"
import { runner } from "./_runner.ts"
import { countTokens } from "./_token-counts.ts"
import { madeTrainerPython, trainerPython } from "./_trainer-environment.ts"
import type { WorkOptions } from "./_work.ts"

/** The trainer on this machine: it trains, generates and counts tokens in processes that outlive the command line. */
export function homeRunner(context: BackendContext, options: WorkOptions) {
  const folder = join(context.packageRoot, "trainer")
  const environment = trainerEnvironment(context)
  const trainer = async (base: BaseModel) => ({
    python: wholePath(await trainerPython(context)),
    folder,
    base: locatedBase(base),
  })
  return {
    ...runner(context, { name: "local", transport: localTransport, environment, options, trainer }),
    async countTokens(base, rows) {
      const python = madeTrainerPython(context)
      if (python === undefined) return { missing: `the trainer environment, which is not there yet: ${howItIsMade}` }
      return countTokens({ python: wholePath(python), folder, base: locatedBase(base) }, rows, environment)
    },
  } satisfies Partial<FineTuneBackend>
}

const howItIsMade = "the first training makes it, or TUNELOOP_PYTHON names one"

/** A path as seen from this folder, for the process works in another; a bare name is looked up on the PATH. */
function wholePath(command: string): string {
  return /[\\/]/.test(command) ? resolve(command) : command
}
