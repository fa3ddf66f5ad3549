import type { Command } from "commander"
import { exitCodes } from "../../core/errors.ts"
import { count } from "../../evaluation/verdict/words.ts"
import { erase, type Erasure } from "../../stages/versions/erase.ts"
import type { Host } from "../host.ts"
import { setExitCode } from "../machine.ts"

interface Options {
  readonly matching?: string
  readonly why?: string
  readonly yes?: boolean
}

export function registerErase(command: Command, host: Host): void {
  command
    .command("erase")
    .argument("<task>", "the task's name")
    .argument("[id...]", "rows by id: seed_…, input_…, cand_… or ex_…")
    .option("--matching <text>", "every row that says this, in any case")
    .option("--why <text>", "the reason, kept in the tombstone; name no person in it")
    .option("--yes", "erase; without it you see what would go")
    .description("erase rows and all that was grown from them, for good")
    .addHelpText(
      "after",
      "\nThe rows leave every file of the task, frozen versions too, which can then no\nlonger be trained " +
        "on. Runs, adapters and exports are listed, not deleted.\nCalled again after a crash, it " +
        "finishes.\nExample: tuneloop dataset erase ticket-triage --matching amara@example.com",
    )
    .action(async (name: string, ids: string[], { matching, why, yes }: Options) => {
      const options = { ids, matching, why, yes: yes === true }
      const erasure = await erase(host.context(), host.workspace.readTask(name), options)
      host.print({ task: name, ...erasure }, describe(name, erasure))
      if (erasure.state === "planned" && erasure.rows.length > 0) setExitCode(exitCodes.personNeeded)
    })
}

function describe(task: string, erasure: Erasure): string {
  const { state, rows, versions, runs, exports, requests, unfinished, nearCopies } = erasure
  const isPlan = state === "planned"
  const head = {
    planned: rows.length === 0 ? "nothing is left to erase" : `${rows.length} rows would be erased`,
    erased: `erased ${rows.length} rows`,
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
      : [
          `${requests} recorded requests to models ${isPlan ? "would lose" : "lost"} their texts; a ` +
            "model's provider may hold them still",
        ]),
    ...(unfinished === 0
      ? []
      : [`${count(unfinished, "file")} that killed commands left unfinished ${isPlan ? "would go" : "went"} as well`]),
    ...list(
      "runs that had them; their folders, adapters and models stay, delete them if you must",
      runs.map(
        ({ run, state: now, splits, folder, adapter, remote }) =>
          `${run}, ${now}, in its ${splits.join(" and ")} rows: ` +
          `${adapter ?? folder}${remote === undefined || remote.backend === "local" ? "" : `; remote job ${remote.id} of ${remote.backend}`}`,
      ),
    ),
    ...list(
      "files at providers that have them; purge them",
      runs.flatMap(({ uploads, purge }) => {
        const named = uploads.map(({ remoteId, file }) => `${remoteId} (${file})`).join(", ")
        return purge === undefined ? [] : [`${named || "what was uploaded so far"}: ${purge}`]
      }),
    ),
    ...list(
      "exports that had them; delete them and what was uploaded from them",
      exports.map(
        ({ path, format, split, at, exists }) =>
          `${path} (${format}, ${split}, ${at.slice(0, 10)}${exists ? "" : ", no longer there"})`,
      ),
    ),
    ...list("near copies that stay; look at them", nearCopies),
    ...(rows.length + versions.length === 0
      ? []
      : ["git's history, backups, review files and your own copies are not reached"]),
    ...(isPlan && rows.length > 0 ? [`nothing is erased yet; do it: the same command with --yes`] : []),
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
