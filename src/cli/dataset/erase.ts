import type { Command } from "commander"
import { exitCodes, UsageError } from "../../core/errors.ts"
import { count } from "../../evaluation/verdict/words.ts"
import { erase, type Erasure } from "../../stages/versions/erase.ts"
import type { Host } from "../host.ts"
import { setExitCode } from "../machine.ts"

interface Options {
  readonly matching?: string
  readonly why?: string
  readonly yes?: boolean
  readonly acceptRemaining?: string
}

export function registerErase(command: Command, host: Host): void {
  command
    .command("erase")
    .argument("<task>", "the task's name")
    .argument("[id...]", "rows by id: seed_…, input_…, cand_… or ex_…")
    .option("--matching <text>", "every row that says this, in any case")
    .option("--why <text>", "the reason, kept in the tombstone; name no person in it")
    .option("--accept-remaining <reason>", "leave what lies elsewhere as it is, for this reason")
    .option("--yes", "erase; without it you see what would go")
    .description("erase rows and all that was grown from them, for good")
    .addHelpText(
      "after",
      "\nThe rows leave every file that Tuneloop wrote: answers, reports, the ledger,\nfrozen versions and " +
        "runs, which then can neither be trained on nor resumed.\nWhat lies elsewhere (files of people, git's " +
        "history, adapters, exports,\nuploads) is listed with what to do; until that is done or accepted the " +
        "exit\ncode is 3. Called again after a crash, it finishes.\nExample: tuneloop dataset erase ticket-triage" +
        " --matching amara@example.com",
    )
    .action(async (name: string, ids: string[], { matching, why, yes, acceptRemaining }: Options) => {
      if (acceptRemaining !== undefined && acceptRemaining.trim() === "")
        throw new UsageError("--accept-remaining got no reason", "Say why what lies elsewhere may stay.")
      const options = { ids, matching, why, yes: yes === true, acceptRemaining }
      const erasure = await erase(host.context(), host.workspace.readTask(name), options)
      host.print({ task: name, ...erasure }, describe(name, erasure))
      if (needsPerson(erasure)) setExitCode(exitCodes.personNeeded)
    })
}

/** Whether something is left to do: to confirm a plan, to deal with what lies elsewhere, or to call it again. */
function needsPerson({ state, rows, requests, runs, remaining, ledger }: Erasure): boolean {
  if (state === "planned") return rows.length + requests + runs.length > 0
  return remaining.length > 0 || ledger === "busy"
}

function describe(task: string, erasure: Erasure): string {
  const { state, rows, versions, runs, requests, unfinished, nearCopies, remaining, ledger } = erasure
  const isPlan = state === "planned"
  const isNothing = rows.length + requests + runs.length === 0
  const head = {
    planned: isNothing ? "nothing is left to erase" : `${count(rows.length, "row")} would be erased`,
    erased: `erased ${count(rows.length, "row")}`,
    unchanged: "unchanged: nothing is left to erase",
  }[state]
  return [
    head,
    ...rows.flatMap(({ id, why, places, text }) => [
      `  ${id} (${why}) in ${places.join(", ")}`,
      ...(text === undefined ? [] : [`    ${excerpt(text)}`]),
    ]),
    ...list(
      `versions and holdouts ${isPlan ? "that would be" : "that are"} marked erased`,
      versions.map(({ id, files }) => `${id} (${files.join(", ")})`),
    ),
    ...(requests === 0
      ? []
      : [`${count(requests, "recorded request")} to models ${isPlan ? "would lose" : "lost"} their texts`]),
    ...list(
      `runs ${isPlan ? "that would lose" : "that lost"} what they say of them, and cannot be resumed`,
      runs.map(
        ({ run, state: now, splits, files }) =>
          `${run}, ${now}${splits.length === 0 ? "" : `, in its ${splits.join(" and ")} rows`}` +
          `${files.length === 0 ? "" : `: ${files.join(", ")}`}`,
      ),
    ),
    ...(unfinished === 0
      ? []
      : [`${count(unfinished, "file")} that killed commands left unfinished ${isPlan ? "would go" : "went"} as well`]),
    ...list("near copies that stay; look at them", nearCopies),
    ...list(
      "it lies elsewhere too, where it is not reached",
      remaining.map(({ place, todo }) => `${place}: ${todo}`),
    ),
    ...(rows.length + versions.length === 0 ? [] : ["backups and copies outside the workspace are not known here"]),
    ...(ledger === "busy"
      ? ["another process reads the ledger and keeps its old pages: end it, then run the same command again"]
      : []),
    ...(isPlan && !isNothing ? [`nothing is erased yet; do it: the same command with --yes`] : []),
    ...(!isPlan && remaining.length > 0
      ? [
          "when that is done, run it again, or leave it: " +
            `tuneloop dataset erase ${task} --yes --accept-remaining "REASON"`,
        ]
      : []),
    ...(state === "erased" ? [`next: tuneloop build ${task}`] : []),
  ].join("\n")
}

/** A line of the text, without what would steer a terminal. */
function excerpt(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim()
  return line.length > 100 ? `${line.slice(0, 99)}…` : line
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)]
}
