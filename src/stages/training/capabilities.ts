import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { JobSpecification } from "../../core/training/job.ts"

/** The backend can train the job's objective by its method; an error says what it can. */
export function requireSupported(
  backend: FineTuneBackend,
  { objective, method }: Pick<JobSpecification, "objective" | "method">,
): void {
  const { objectives, methods, asOf } = backend.capabilities()
  const refusals = [
    ...(objectives.includes(objective) ? [] : [`the objective ${objective} (it has: ${objectives.join(", ")})`]),
    ...(methods.includes(method.name) ? [] : [`the method ${method.name} (it has: ${methods.join(", ")})`]),
  ]
  if (refusals.length === 0) return
  throw new ToolkitError(`${backend.name} does not have ${refusals.join(" and ")}, as of ${asOf}`, {
    code: "unsupported",
    exitCode: 2,
    hint: "Edit objective, method or backend.name in the job.",
  })
}
