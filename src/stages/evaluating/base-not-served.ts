import { isComparable } from "../../core/contracts/contender.ts"
import { ProviderError, ToolkitError } from "../../core/errors.ts"
import type { StageContext } from "../context.ts"
import { canDeploy } from "../deploying/deployers.ts"
import type { EvaluationPlan } from "./evaluation-plan.ts"

/** The contenders that the base model answers for. */
export function askBase({ contenders }: Pick<EvaluationPlan, "contenders">): string[] {
  return contenders
    .filter(({ contender }) => isComparable(contender) && contender.needs.includes("base model"))
    .map(({ name }) => name)
}

/**
 * A refusal of the base model by its service, known by its status, as one that says with what else the tuned model can
 * be compared. Other errors are returned as they are.
 */
export function explained(
  { workspace }: StageContext,
  plan: EvaluationPlan,
  error: unknown,
  statuses: readonly number[],
): unknown {
  if (!(error instanceof ProviderError) || !statuses.includes(error.status ?? 0)) return error
  const { backend, task, training, run } = plan
  const names = askBase(plan)
  const rest = plan.contenders.filter(({ name, contender }) => isComparable(contender) && !names.includes(name))
  const usual = task.kind === "label" ? "linear" : "recorded:NAME"
  const others = rest.length === 0 ? [usual] : rest.map(({ name }) => name)
  const { incumbent } = task.verdict
  return new ToolkitError(
    `${backend.name} does not answer for the base model ${training.baseModel}, which ${names.join(" and ")} ` +
      `${names.length === 1 ? "needs" : "need"}: ${error.message}`,
    {
      code: "no-generation",
      cause: error,
      hint:
        (others.includes("recorded:NAME")
          ? `Record another model's answers: tuneloop models record <model> --task ${task.task} --as NAME\n`
          : "") +
        (names.includes(incumbent)
          ? `Set verdict.incumbent: ${others[0]} in ${workspace.show(workspace.specFile(task.task))}, ` +
            `for ${incumbent} cannot be compared with there; then leave the base model out:\n`
          : "Leave the base model out:\n") +
        `tuneloop evaluate ${run} --against ${others.join(",")}${canDeploy(backend) ? " --deploy" : ""}`,
    },
  )
}
