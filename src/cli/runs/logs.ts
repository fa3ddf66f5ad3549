import type { Command } from "commander"
import { isTerminal, type RunSummary } from "../../core/training/run.ts"
import { choiceOfRun } from "../../stages/training/run-choice.ts"
import { syncRun } from "../../stages/training/sync.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { Host } from "../host.ts"
import { stdout } from "../machine.ts"
import { safeText } from "../../core/safe-text.ts"
import { resolveRun } from "../resolve-run.ts"
import { backendOfRun, currentSummary } from "./run-backend.ts"

export function registerLogs(command: Command, host: Host): void {
  command
    .command("logs")
    .argument("<run>", "the run's id, or `latest`")
    .option("--follow", "go on until the run is over")
    .description("print the trainer's log")
    .action(async (given: string, options: { follow?: boolean }) => {
      const run = await resolveRun(host, given)
      const files = runFiles(host.workspace, run)
      // Without a plan nothing was ever submitted, unless the job was made elsewhere and adopted.
      if (choiceOfRun(host.context(), run) === undefined) return host.terminal.note(`${run} has no log yet`)
      const backend = await backendOfRun(host, run)
      let summary = await currentSummary(host, run)
      let cursor: string | undefined
      let isEmpty = true
      const printNew = async () => {
        for (;;) {
          const page = await backend.logs?.(summary.job, files, cursor)
          if (page === undefined) return
          stdout.write(stdout.isTTY === true ? safeText(page.text, { colour: false }) : page.text)
          isEmpty &&= page.text === ""
          if (page.text === "" || page.cursor === cursor) return
          cursor = page.cursor
        }
      }
      await printNew()
      while (options.follow && !host.signal.aborted && mayGoOn(summary)) {
        await host.sleep(500)
        summary = await syncRun(host.context(), run, backend)
        await printNew()
      }
      if (isEmpty)
        host.terminal.note(
          isTerminal(summary.state)
            ? `${run} is ${summary.state}, and ${backend.name} keeps no log of it`
            : `${run} has no log yet`,
        )
    })
}

function mayGoOn({ state, job }: RunSummary): boolean {
  return !isTerminal(state) && (job !== undefined || state === "submitting")
}
