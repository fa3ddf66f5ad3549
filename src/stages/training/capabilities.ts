import { isDeepStrictEqual } from "node:util"
import type { FineTuneBackend, TrainingPlan } from "../../core/contracts/backend.ts"
import { addressRefusal } from "../../core/addresses.ts"
import { CredentialError, GateError, ProviderError, ToolkitError } from "../../core/errors.ts"
import { settingDefaults, type JobSpecification } from "../../core/training/job.ts"
import type { StageContext } from "../context.ts"

type SupportedParts = Pick<JobSpecification, "job" | "objective" | "method" | "hyperparameters" | "checkpoint">

/**
 * The backend can train the job's objective by its method, and follows each setting that the job's file says, at its
 * default as well; an error says what it can.
 */
export function requireSupported(
  { workspace }: Pick<StageContext, "workspace">,
  backend: FineTuneBackend,
  { job, objective, method, hyperparameters, checkpoint }: SupportedParts,
): void {
  const { objectives, methods, settings, asOf, choosesCheckpoint = false } = backend.capabilities()
  const refusals = [
    ...(objectives.includes(objective) ? [] : [`the objective ${objective} (it has: ${objectives.join(", ")})`]),
    ...(methods.includes(method.name) ? [] : [`the method ${method.name} (it has: ${methods.join(", ")})`]),
    ...(checkpoint === "last" || choosesCheckpoint ? [] : [`the choice checkpoint: ${checkpoint}`]),
    ...(settings === undefined
      ? []
      : unknownSettings({ objective, method, hyperparameters }, settings, workspace.writtenSettings(job))),
  ]
  if (refusals.length > 0)
    throw new ToolkitError(`${backend.name} does not have ${refusals.join(" and ")}, as of ${asOf}`, {
      code: "unsupported",
      exitCode: 2,
      hint: "Edit objective, method, hyperparameters, checkpoint or backend in the job.",
    })
  requireOwnRate(backend, { objective, method, hyperparameters })
}

/** The default rate is one for sft, too high by far for preferences: a backend that follows it is told another. */
function requireOwnRate(
  { name, capabilities }: Pick<FineTuneBackend, "name" | "capabilities">,
  { objective, method, hyperparameters: { learningRate } }: Omit<SupportedParts, "job" | "checkpoint">,
): void {
  const isFollowed = capabilities().settings?.includes("learningRate") ?? true
  if (objective !== "dpo" || !isFollowed || learningRate !== settingDefaults(method.name)["learningRate"]) return
  throw new ToolkitError(`${name} would train dpo at a learning rate of ${learningRate}, the default for sft`, {
    code: "unsupported",
    exitCode: 2,
    hint: "Set hyperparameters.learningRate in the job: about a tenth of it or less.",
  })
}

/** The service has nothing against the plan. One that does not answer is a warning: the submit asks it again. */
export async function requireAccepted(
  { report, workspace }: StageContext,
  backend: FineTuneBackend,
  plan: TrainingPlan,
  { isDryRun = false }: { readonly isDryRun?: boolean } = {},
): Promise<void> {
  const refusal =
    backend.baseUrl === undefined ? undefined : addressRefusal(backend.baseUrl, workspace.settings.allowedHosts)
  if (refusal !== undefined) throw new GateError(refusal.message, refusal.hint)
  let refusals: readonly string[]
  try {
    refusals = (await backend.refusals?.(plan)) ?? []
  } catch (error) {
    const isUnreachable = error instanceof ProviderError && error.isRetryable
    // A dry run shows the plan to whoever has no key yet.
    if (!isUnreachable && !(isDryRun && error instanceof CredentialError)) throw error
    return report.warn(`${backend.name} was not asked whether it takes the plan: ${error.message}`)
  }
  if (refusals.length === 0) return
  throw new ToolkitError(`${backend.name} would refuse the plan: ${refusals.join("; ")}`, {
    code: "unsupported",
    exitCode: 2,
    hint: "Edit the job; nothing was sent.",
  })
}

/** Settings that the job says and the backend does not follow: it would train with others than the job says. */
function unknownSettings(
  job: Pick<JobSpecification, "objective" | "method" | "hyperparameters">,
  settings: readonly string[],
  written: readonly string[],
): string[] {
  const nameable = settings.filter((key) => key !== "name" && (key !== "beta" || job.objective === "dpo"))
  const defaults = settingDefaults(job.method.name)
  return Object.entries({ ...job.method, ...job.hyperparameters }).flatMap(([key, value]) =>
    settings.includes(key) || (!written.includes(key) && isDeepStrictEqual(value, defaults[key]))
      ? []
      : [`the setting ${key} (it follows: ${nameable.join(", ")})`],
  )
}
