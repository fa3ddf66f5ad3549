import type { Command } from "commander"
import { count } from "../../evaluation/verdict/words.ts"
import { UsageError } from "../../core/errors.ts"
import { adoptJobs, type AdoptedJob } from "../../stages/training/adopt.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Host } from "../host.ts"
import { readAdopted, writeAdopted } from "../../store/rows/adopted-runs.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import { loadFilters, readCheckedTask } from "../plugins.ts"
import { describeState } from "../text/run.ts"
import { now } from "../machine.ts"

interface AdoptOptions {
  readonly all?: boolean
  readonly task: string
  readonly trainingFile?: string
}

export function registerAdopt(command: Command, host: Host): void {
  command
    .command("adopt")
    .argument("<backend>", "the backend, or the workspace's own name of one")
    .argument("[job]", "the job's id at the service")
    .requiredOption("--task <task>", "the task that the jobs were trained for")
    .option("--all", "every job that the service lists")
    .option("--training-file <file>", "the rows that the job was trained on: a dataset version is built of them")
    .description("take in jobs and models that were not made here, as runs with all that is known of them")
    .addHelpText(
      "after",
      "\nWhat the service still has is brought: settings, events, checkpoints, result\n" +
        "files and the rows. A job that is a run here already is left as it is.\n" +
        "Example: tuneloop runs adopt openai-compatible --all --task support",
    )
    .action(async (backend: string, job: string | undefined, options: AdoptOptions) => {
      if ((job === undefined) === (options.all !== true))
        throw new UsageError("name one job, or give --all for every job", "tuneloop runs adopt <backend> <job>")
      const task = await readCheckedTask(host.workspace, options.task)
      const choice = host.workspace.backendOf({ name: backend, options: {} })
      const adopted: AdoptedJob[] = []
      const wanted = { task: task.task, id: job, withDefaults: host.withDefaults }
      for await (const one of adoptJobs(host.context(), await host.backend(choice), choice, wanted)) {
        adopted.push(one)
        host.terminal.progress(`${count(adopted.length, "job")} looked at`)
      }
      host.terminal.endProgress()
      const version = options.trainingFile && (await versionOf(host, task, host.path(options.trainingFile)))
      const [only, ...others] = adopted
      if (version && only !== undefined && others.length === 0) keepDataset(host, only.summary.run, version)
      host.print({ runs: adopted.map(shown), version: version ?? null }, describe(adopted, options.task, version))
    })
}

/** The rows train: the model has seen them, and must not be tested on them. */
async function versionOf(host: Host, task: TaskSpecification, file: string): Promise<string> {
  const { buildFrom } = await import("../../stages/building/build-from.ts")
  const given = { files: [file], skipInvalid: false, splitOf: new Map([[file, "train"]] as const) }
  return (await buildFrom(host.context(), task, given, { filters: await loadFilters(task) })).built.manifest.id
}

/** The file is said to be that of the one job: its run knows the version. */
function keepDataset({ workspace }: Host, run: string, dataset: string): void {
  const files = runFiles(workspace, run)
  const adopted = readAdopted(files)
  if (adopted !== undefined) writeAdopted(files, { ...adopted, dataset })
}

function shown({ id, outcome, rows, objective, summary: { run, state, model, costUsd } }: AdoptedJob): object {
  return {
    job: id,
    run,
    outcome,
    state,
    model: model ?? null,
    costUsd: costUsd ?? null,
    objective: objective ?? null,
    rows,
  }
}

function describe(adopted: readonly AdoptedJob[], task: string, version: string | undefined): string {
  if (adopted.length === 0) return "the service lists no jobs"
  const lines = adopted.flatMap(({ id, outcome, summary, rows, objective }) => [
    `${outcome === "adopted" ? "adopted" : "known  "} ${id} as ${summary.run}: ${describeState(summary, now())}`,
    ...(summary.model !== undefined && "id" in summary.model ? [`        model ${summary.model.id}`] : []),
    ...(rows.length === 0 ? [] : [`        ${objective === "dpo" ? "preferences" : "rows"} in ${rows.join(", ")}`]),
  ])
  // Preferences are no rows that a version is built of.
  const withRows = adopted.find(({ rows, objective }) => rows.length > 0 && objective !== "dpo")?.rows[0]
  const next =
    version !== undefined
      ? [`built ${version} of the training file`]
      : withRows === undefined
        ? []
        : [`build a dataset version of the rows: tuneloop build ${task} --from train=${withRows}`]
  return [...lines, ...next].join("\n")
}
