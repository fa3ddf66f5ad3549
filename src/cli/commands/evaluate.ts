import type { Command } from "commander"
import type { CheckpointChoice } from "../../core/training/checkpoints.ts"
import type { TrainingPlan } from "../../core/contracts/backend.ts"
import { PersonNeededError, UsageError } from "../../core/errors.ts"
import { type JobSpecification, jobSchema } from "../../core/training/job.ts"
import { renderContenders } from "../../evaluation/report/terminal.ts"
import type { StageContext } from "../../stages/context.ts"
import { requireDeployer } from "../../stages/deploying/deployers.ts"
import type { DeploymentWish } from "../../stages/deploying/plan-deployment.ts"
import type { DeployTerms } from "../../stages/deploying/while-deployed.ts"
import { evaluate } from "../../stages/evaluating/evaluate.ts"
import type { Evaluation } from "../../stages/evaluating/evaluation-result.ts"
import { readAdopted } from "../../store/rows/adopted-runs.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import { checkpointOption } from "../checkpoint-option.ts"
import { chatServers } from "../chat-server.ts"
import { askAgreement, atMost } from "../consent.ts"
import type { Host } from "../host.ts"
import { dollars, hours as hoursIn } from "../numbers.ts"
import { loadContenders, loadMetrics, readCheckedTask } from "../plugins.ts"
import { resolveHoldout } from "../resolve-holdout.ts"
import { resolveFinishedRun } from "../resolve-run.ts"
import { machineInWords } from "../machine.ts"
import { describeDeployment } from "../text/lease.ts"
import { count } from "../../evaluation/verdict/words.ts"

export function register(command: Command, host: Host): void {
  command
    .argument("<run>", "the run's id, or `latest`: the newest that finished")
    .option("--against <contenders>", "contenders, separated by commas (default: evaluation.contenders of the job)")
    .option(
      "--holdout <id>",
      "another holdout than the run's own, or `latest`: rows that a\ncontender has seen leave the comparison",
    )
    .addOption(checkpointOption())
    .option("--budget-usd <x>", "the most that answers of served models may cost, in US\ndollars", dollars)
    .option(
      "--retry-empty",
      "ask served models again for what they answered without\n" +
        "a text (refused, cut off, unreadable, empty), and\nscore anew",
    )
    .option("--deploy", "deploy a model that answers only then; torn down afterwards")
    .option("--hours <n>", "how long such a deployment may go on at most", hoursIn, 1)
    .option("--hardware <id>", "its machine, by the service's own name (default: the\ncheapest that is free)")
    .option("--yes", "do not ask before spending money on served models")
    .addHelpText(
      "after",
      "\nThe test set is opened once an evaluation, and each opening is recorded.\nExample: tuneloop evaluate latest",
    )
    .action(async (given: string, options: EvaluateFlags) => {
      const context = host.context()
      const run = await resolveFinishedRun(host, given)
      const against = options.against?.split(",").map((name) => name.trim())
      const deployment = { isAsked: options.deploy === true, hours: options.hours, hardware: options.hardware }
      const { state, result } = await evaluateRun(host, context, run, { ...options, against, deployment })
      host.print(
        evaluationData(result),
        `${state === "unchanged" ? `unchanged: ${result.evaluation}\n\n` : ""}${describeEvaluation(host, result)}`,
      )
    })
}

interface EvaluateFlags {
  readonly against?: string
  readonly holdout?: string
  readonly checkpoint?: CheckpointChoice
  readonly budgetUsd?: number
  readonly retryEmpty?: boolean
  readonly deploy?: boolean
  readonly hours: number
  readonly hardware?: string
}

/** Evaluates the run by the settings of its job. */
export async function evaluateRun(
  host: Host,
  context: StageContext,
  run: string,
  {
    against,
    holdout,
    checkpoint,
    budgetUsd,
    retryEmpty,
    deployment = { isAsked: false, hours: 1 },
  }: {
    readonly against?: readonly string[] | undefined
    readonly holdout?: string | undefined
    readonly checkpoint?: CheckpointChoice | undefined
    readonly budgetUsd?: number | undefined
    readonly retryEmpty?: boolean | undefined
    readonly deployment?: DeploymentWish & { readonly isAsked: boolean }
  } = {},
): Promise<{ state: "evaluated" | "unchanged"; result: Evaluation }> {
  const plan = await originOf(context, run)
  const job = plan.job === undefined ? defaultJob(plan.task) : context.workspace.readJob(plan.job)
  const task = await readCheckedTask(context.workspace, plan.task)
  const contenders = against ?? job.evaluation.contenders
  const settings = { ...job.evaluation, contenders: [...contenders] }
  const configured = await loadContenders([...new Set(["tuned", ...contenders])], settings)
  return evaluate(context, {
    task,
    job: { ...job, evaluation: settings },
    run,
    backend: await host.backend(plan.backend),
    contenders: configured,
    metrics: await loadMetrics(task),
    machine: machineInWords(),
    served: {
      open: await chatServers(host),
      consent: ({ host: payee, questions, worstUsd }) =>
        askAgreement(
          payee,
          `${payee} is asked ${count(questions, "question")} of the evaluation, ${atMost(worstUsd)}`,
          host.asker,
        ),
      budgetUsd,
      retryEmpty,
    },
    deploying: deployTerms(host, run, plan.backend, deployment),
    checkpoint,
    holdout: holdout === undefined ? undefined : resolveHoldout(context.workspace, plan.task, holdout),
  })
}

/** Where the run comes from: its plan, or, of one that was not made here, what it was adopted as. */
async function originOf(
  context: StageContext,
  run: string,
): Promise<{ readonly job?: string; readonly task: string; readonly backend: TrainingPlan["backend"] }> {
  const files = runFiles(context.workspace, run)
  const plan = readPlan(files)
  if (plan !== undefined) return plan
  const adopted = readAdopted(files)
  const known = (await context.readLedger().runs.list()).find((each) => each.run === run)
  if (adopted !== undefined && known !== undefined) return { task: known.task, backend: adopted.backend }
  throw new UsageError(`the run ${run} has no plan`, "tuneloop runs ls lists the runs.")
}

/** The settings of an evaluation where no job says others. */
function defaultJob(task: string): JobSpecification {
  return jobSchema.parse({ job: "adopted", task, baseModel: "unknown" })
}

/** Nothing is deployed unless a person asked for it: by `--deploy` and `--yes`, or by answering. */
function deployTerms(
  host: Host,
  run: string,
  choice: TrainingPlan["backend"],
  { isAsked, hours, hardware }: DeploymentWish & { readonly isAsked: boolean },
): DeployTerms {
  let agreedUsd: number | undefined
  return {
    ...{ hours, hardware },
    reopen: async () => requireDeployer(await host.backend(choice, AbortSignal.timeout(tearDownMs))),
    consent: async (plan) => {
      if (agreedUsd !== undefined && plan.usd <= agreedUsd) return
      const text = `the model of ${run} answers nobody before it is deployed\n${describeDeployment(plan)}`
      const { asker } = host
      if (!isAsked && (asker.isAgreed || !asker.canAsk))
        throw new PersonNeededError(text, `Deploy it for the evaluation: tuneloop evaluate ${run} --deploy --yes`)
      await askAgreement(plan.backend, text, asker)
      agreedUsd = plan.usd
    },
  }
}
const tearDownMs = 60_000

/** The `--json` object of an evaluation; a stable contract. */
export function evaluationData(result: Evaluation): Record<string, unknown> {
  const { schemaVersion: _version, confusion: _confusion, at: _at, tainted = [], ...told } = result
  return { ...told, tainted }
}

export function describeEvaluation(host: Host, result: Evaluation): string {
  const { verdict, reason, rule } = result
  const look = { width: host.terminal.width, colour: host.terminal.outputColour }
  return `${renderContenders({ ...result, verdict: { verdict, reason, rule } }, look)}\n\nreport: ${result.report}`
}
