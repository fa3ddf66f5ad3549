import type { Command } from "commander"
import { exitCodes } from "../../core/errors.ts"
import { count } from "../../evaluation/verdict/words.ts"
import { describeWear } from "../../evaluation/verdict/wear.ts"
import { refreshHoldout, type Refresh } from "../../stages/arriving/refresh-holdout.ts"
import type { Host } from "../host.ts"
import { setExitCode } from "../machine.ts"

interface Options {
  readonly force?: boolean
  readonly release?: boolean
  readonly why?: string
  readonly yes?: boolean
}

export function register(command: Command, host: Host): void {
  command
    .command("refresh")
    .argument("<task>", "the task's name")
    .option("--release", "let the rows that were retired be trained on")
    .option("--force", "refresh although the test set is not worn")
    .option("--why <text>", "the reason, kept with the record")
    .option("--yes", "do it; without it you see what would happen")
    .description("replace a worn test set by real rows that nothing was trained on")
    .addHelpText(
      "after",
      "\nRows that were opened are retired: in no split, and never trained on until\n--release says so. " +
        "Recorded in datasets/<task>/refreshes.jsonl.\nExample: tuneloop holdout refresh ticket-triage",
    )
    .action(async (name: string, { force, release, why, yes }: Options) => {
      const task = host.workspace.readTask(name)
      const refresh = await refreshHoldout(host.context(), task, {
        force: force === true,
        release: release === true,
        why,
        yes: yes === true,
      })
      host.print({ task: name, ...refresh }, describe(name, refresh))
      if (refresh.state === "planned") setExitCode(exitCodes.personNeeded)
    })
}

function describe(task: string, refresh: Refresh): string {
  const { state, wear, holdout, fresh, unopened, retired, released, test, testNeeded, tooFew } = refresh
  const head = `${holdout} ${describeWear(wear)}`
  if (state === "unchanged") return `unchanged: ${head}`
  const done = state === "refreshed"
  const lines = [head]
  if (retired + fresh > 0)
    lines.push(
      `${count(retired, "opened row")} ${done ? "retired" : "would be retired"}; ${count(fresh, "row")} ` +
        `that nothing was trained on ${done ? "took" : "would take"} their place`,
      `the test set ${done ? "has" : "would have"} ${count(test, "row")}, ${unopened} of them from before ` +
        `and never opened; the rule needs ${testNeeded}`,
      ...(tooFew === undefined ? [] : [tooFew]),
    )
  if (released > 0)
    lines.push(
      `${count(released, "retired row")} ${done ? "may be trained on" : "could be trained on"} from the next build on`,
    )
  lines.push(done ? `next: tuneloop build ${task}` : "nothing is changed yet; do it: the same command with --yes")
  return lines.join("\n")
}
