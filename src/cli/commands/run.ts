import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { build, type BuildResult } from "../../stages/building/build.ts"
import type { StageContext } from "../../stages/context.ts"
import { holdOut } from "../../stages/arriving/hold-out.ts"
import { reviewNeeded } from "../../stages/reviewing/review-status.ts"
import type { Evaluation } from "../../stages/evaluating/evaluation-result.ts"
import type { Workspace } from "../../store/workspace.ts"
import type { Host } from "../host.ts"
import { loadFilters, readCheckedTask } from "../plugins.ts"
import { buildData, describeBuild, semanticSearch } from "./build.ts"
import { describeEvaluation, evaluateRun, evaluationData } from "./evaluate.ts"
import { describe } from "../text/expand.ts"
import { expandTask, warnOfNothing } from "./expand.ts"
import { describeEnd } from "../text/run.ts"
import { trainAndWait } from "./train.ts"

export function register(command: Command, host: Host): void {
  command
    .argument("<task>", "the task's name")
    .option("--job <job>", "the job to train (default: the task's only job, or the one of its name)")
    .option("--yes", "train without asking, where the backend costs money")
    .addHelpText(
      "after",
      "\nStops with exit code 3 and the next command where a person is needed;\nwhat is done already is " +
        "unchanged.\nExample: tuneloop run ticket-triage",
    )
    .action(async (name: string, options: { job?: string }) => {
      const context = host.context()
      const task = await readCheckedTask(context.workspace, name)
      await requireGold(context, task)
      const job = jobOf(context.workspace, task, options.job)
      await grow(host, context, task)
      const result = await finish(host, context, task, job)
      host.print(
        {
          task: name,
          build: buildData(result.build),
          run: result.run,
          evaluation: evaluationData(result.evaluation),
          verdict: result.evaluation.verdict,
          report: result.evaluation.report,
        },
        describeEvaluation(host, result.evaluation),
      )
    })
}

/** The gold examples by where they are held; without any, to import them comes before all else. */
async function requireGold(context: StageContext, task: TaskSpecification): ReturnType<typeof holdOut> {
  const heldOut = await holdOut(context, task)
  const { train, validation, test } = heldOut.counts
  if (train + validation + test === 0)
    throw new UsageError(`task ${task.task} has no gold examples yet`, `tuneloop seed import ${task.task} <file>`)
  return heldOut
}

/** The first half: everything up to where people decide. */
export async function grow(host: Host, context: StageContext, task: TaskSpecification): Promise<void> {
  const { counts, untested } = await requireGold(context, task)
  stage(
    host,
    "hold out",
    `${counts.train} gold examples to train, ${counts.validation} for validation, ${counts.test} sealed ` +
      `for the test (the rule needs ${counts.testNeeded})`,
  )
  if (untested.length > 0) host.terminal.warn(`without a test example: ${untested.join(", ")}`)
  if (counts.oneFamily !== undefined) host.terminal.warn(counts.oneFamily)
  if (counts.tooFew !== undefined) host.terminal.warn(counts.tooFew)
  const grown = await expandTask(host, context, task, {})
  for (const result of grown) stage(host, "expand", describe(result))
  warnOfNothing(host, task.task, grown)
}

/** The second half: from the decisions to the verdict. */
export async function finish(
  host: Host,
  context: StageContext,
  task: TaskSpecification,
  job: JobSpecification,
): Promise<{ build: BuildResult; run: string; evaluation: Evaluation; unchanged: boolean }> {
  const { buildThreads: threads } = await import("../threads.ts")
  const built = await build(context, task, await loadFilters(task), {
    findSemantic: await semanticSearch(host, context, task),
    threads,
  })
  if (built.open > 0) throw reviewNeeded(task, built.open)
  stage(host, "build", describeBuild(built))
  const backend = await host.backend(job.backend)
  const trained = await trainAndWait(host, { context, job, task, backend }, true)
  stage(
    host,
    "train",
    trained.state === "unchanged" ? `unchanged: ${trained.run.run}` : `${trained.run.run} ${describeEnd(trained.run)}`,
  )
  const { state, result } = await evaluateRun(host, context, trained.run.run)
  stage(
    host,
    "evaluate",
    state === "unchanged" ? `unchanged: ${result.evaluation}` : `${result.evaluation}: ${result.verdict}`,
  )
  return {
    build: built,
    run: trained.run.run,
    evaluation: result,
    unchanged: state === "unchanged" && trained.state === "unchanged" && built.state === "unchanged",
  }
}

/** A line a stage, with its name before it. */
export function stage(host: Host, name: string, text: string): void {
  const [first, ...rest] = text.split("\n")
  host.terminal.note(
    [`${host.terminal.paint(name.padEnd(9), "1")} ${first}`, ...rest.map((line) => `${" ".repeat(10)}${line}`)].join(
      "\n",
    ),
  )
}

/** The job named, the task's only one, or the one that is called like the task. */
export function jobOf(workspace: Workspace, task: TaskSpecification, named: string | undefined): JobSpecification {
  if (named !== undefined) return workspace.readJob(named)
  const jobs = workspace
    .jobs()
    .map((name) => workspace.readJob(name))
    .filter((job) => job.task === task.task)
  const job = jobs.length === 1 ? jobs[0] : jobs.find((candidate) => candidate.job === task.task)
  if (!job)
    throw new UsageError(
      jobs.length === 0
        ? `task ${task.task} has no job`
        : `task ${task.task} has several jobs: ${jobs.map((candidate) => candidate.job).join(", ")}`,
      jobs.length === 0
        ? `Write jobs/${task.task}.yaml; \`tuneloop schema job\` prints what it may hold.`
        : "Name one with --job.",
    )
  return job
}
