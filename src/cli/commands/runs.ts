import { existsSync } from "node:fs"
import type { Command } from "commander"
import { isTerminal, reduceRun } from "../../core/training/run.ts"
import { renderLossPlot } from "../../evaluation/report/terminal.ts"
import { cancelRun, syncRun, waitForRun } from "../../stages/training/train.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import type { Host } from "../host.ts"
import { table } from "../terminal.ts"
import { resolveRun } from "../resolve-run.ts"
import { describeProgress } from "../text/run.ts"
import { describeEnd } from "./train.ts"
import { now, setExitCode, stdout } from "../machine.ts"

export function register(command: Command, host: Host): void {
  command
    .command("ls")
    .description("list the runs, newest first")
    .action(async () => {
      const summaries = []
      for (const { run, job, task } of await host.context().readLedger().runs.list())
        summaries.push({ ...(await syncNamed(host, run)), job, task })
      host.print(
        {
          runs: summaries.map(({ run, job, task, state, step, totalSteps, startedAt, endedAt }) => ({
            run,
            job,
            task,
            state,
            step,
            totalSteps,
            startedAt,
            endedAt,
          })),
        },
        summaries.length === 0
          ? "no runs yet; start one: tuneloop train <job>"
          : table(
              ["run", "state", "step", "loss", "eval loss"],
              summaries.map((summary) => [
                summary.run,
                summary.state,
                `${summary.step}/${summary.totalSteps ?? "?"}`,
                lastValue(summary.metrics, "loss"),
                lastValue(summary.metrics, "evalLoss"),
              ]),
            ),
      )
    })
  command
    .command("show")
    .argument("<run>", "the run's id, or `latest`")
    .description("show a run: its state, plan and loss")
    .action(async (given: string) => {
      const run = await resolveRun(host, given)
      const summary = await syncNamed(host, run)
      const files = runFiles(host.workspace, run)
      const plan = readPlan(files)
      host.print(
        {
          run,
          state: summary.state,
          attempt: summary.attempt,
          step: summary.step,
          totalSteps: summary.totalSteps,
          message: summary.message,
          metrics: summary.metrics,
          plan,
          events: await host.context().readLedger().runs.events(run),
          adapter: existsSync(files.adapter) ? host.workspace.show(files.adapter) : null,
          lineage: plan && {
            dataset: plan.dataset,
            holdout: plan.holdout,
            prompt: plan.prompt,
            baseModel: plan.baseModel,
          },
        },
        [
          `${run}: ${isTerminal(summary.state) ? describeEnd(summary) : describeProgress(summary, now())}${summary.message ? `\n${summary.message}` : ""}`,
          plan
            ? `${plan.baseModel}, ${plan.method.name}, ${plan.dataset} (${plan.files.train.rows} rows), holdout ${plan.holdout}, prompt ${plan.prompt}`
            : "",
          renderLossPlot(summary.metrics, { width: host.terminal.width, height: 14 }),
        ]
          .filter((part) => part !== "")
          .join("\n\n"),
      )
    })
  command
    .command("watch")
    .argument("<run>", "the run's id, or `latest`")
    .description("follow a run until it is over; Ctrl-C leaves it running")
    .action(async (given: string) => {
      const run = await resolveRun(host, given)
      const backend = await backendOf(host, run)
      const summary = await waitForRun(host.context(), run, backend, (current) =>
        host.terminal.progress(describeProgress(current, now())),
      )
      host.print(
        { run, state: summary.state, step: summary.step, totalSteps: summary.totalSteps },
        isTerminal(summary.state)
          ? `${run} ${describeEnd(summary)}${summary.message ? `: ${summary.message}` : ""}\n\n${renderLossPlot(summary.metrics, { width: host.terminal.width, height: 14 })}`
          : `${run} goes on; cancel it: tuneloop runs cancel ${run}`,
      )
      if (summary.state === "failed") setExitCode(1)
    })
  command
    .command("logs")
    .argument("<run>", "the run's id, or `latest`")
    .option("--follow", "go on until the run is over")
    .description("print the trainer's log")
    .action(async (given: string, options: { follow?: boolean }) => {
      const run = await resolveRun(host, given)
      const backend = await backendOf(host, run)
      const files = runFiles(host.workspace, run)
      let summary = await syncNamed(host, run)
      let cursor: string | undefined
      let isEmpty = true
      const printNew = async () => {
        const page = await backend.logs?.(summary.job, files, cursor)
        if (page === undefined) return
        stdout.write(page.text)
        cursor = page.cursor
        isEmpty &&= page.text === ""
      }
      await printNew()
      while (options.follow && !host.signal.aborted && !isTerminal(summary.state)) {
        await host.sleep(500)
        summary = await syncRun(host.context(), run, backend)
        await printNew()
      }
      if (isEmpty) host.terminal.note(`${run} has no log yet`)
    })
  command
    .command("cancel")
    .argument("<run>", "the run's id, or `latest`")
    .description("stop a run; its last checkpoint stays")
    .action(async (given: string) => {
      const run = await resolveRun(host, given)
      const summary = await cancelRun(host.context(), run, await backendOf(host, run))
      const runs = await host.context().readLedger().runs.list()
      const job = runs.find((row) => row.run === run)?.job ?? "<job>"
      host.print(
        { run, state: summary.state },
        summary.state === "cancelled"
          ? `${run} is cancelled after ${summary.step} steps; go on from its last checkpoint: tuneloop train ${job}`
          : `${run} is ${summary.state}`,
      )
    })
}

async function backendOf(host: Host, run: string) {
  const plan = readPlan(runFiles(host.workspace, run))
  return host.backend(plan?.backend ?? { name: "local", options: {} })
}

/** The run's fold, brought up to date where it is not over and the ledger may be written. */
async function syncNamed(host: Host, run: string) {
  const context = host.context()
  const ledger = context.readLedger()
  const summary = reduceRun(run, await ledger.runs.events(run))
  return isTerminal(summary.state) || ledger.isReadOnly ? summary : syncRun(context, run, await backendOf(host, run))
}

function lastValue(metrics: readonly { values: Readonly<Record<string, number>> }[], name: string): string {
  return metrics.findLast((point) => point.values[name] !== undefined)?.values[name]?.toFixed(3) ?? "–"
}
