import type { Command } from "commander"
import { count } from "../../evaluation/verdict/words.ts"
import type { FineTuneBackend } from "../../core/contracts/backend.ts"
import { exitCodes, ToolkitError, UsageError } from "../../core/errors.ts"
import { type PurgeableFile, purgeableFiles, purgeFiles } from "../../stages/training/purge.ts"
import { choiceOfRun } from "../../stages/training/run-choice.ts"
import { type Place, placesOf } from "../../stages/training/stored.ts"
import { askWord } from "../consent.ts"
import type { Host } from "../host.ts"
import { setExitCode } from "../machine.ts"
import { resolveRun } from "../resolve-run.ts"
import { describePlace } from "./ls-on.ts"
import { planOfRun } from "./run-backend.ts"

interface Options {
  readonly on?: string
  readonly yes?: boolean
}

export function registerPurge(command: Command, host: Host): void {
  command
    .command("purge")
    .argument("[run]", "the run's id, or `latest`")
    .option("--on <backend>", "of all runs of this workspace there")
    .option("--yes", "delete without asking")
    .description("delete at the provider what was uploaded for a run")
    .addHelpText(
      "after",
      "\nYou see first what goes. What a job that is not over needs stays, and so does\n" +
        "what is not of this workspace.\nExample: tuneloop runs purge latest",
    )
    .action(async (given: string | undefined, { on }: Options) => {
      if ((given === undefined) === (on === undefined))
        throw new UsageError("either a run or --on BACKEND is needed", "tuneloop runs ls lists the runs.")
      const places =
        on === undefined ? [await placeOfRun(host, given ?? "")] : await placesOf(host.context(), on, host.withDefaults)
      const found = await lookAt(host, places)
      const files = found.flatMap((place) => place.files)
      const going = files.filter(({ kept }) => kept === undefined)
      if (going.length > 0) {
        const refusals = { nobody: "what is deleted is gone and nobody can be asked here", no: "nothing was deleted" }
        await askWord({ plan: describe(found), question: "Delete them?", verb: "delete", refusals }, host.asker)
        for (const { backend, files: here } of found) await purgeFiles(host.context(), backend, here)
      }
      const kept = files.filter((file) => file.kept !== undefined)
      host.print(
        { purged: going, kept },
        [
          going.length === 0
            ? "nothing to delete"
            : `deleted ${count(going.length, "file")}: ${going.map(({ remoteId }) => remoteId).join(", ")}`,
          ...kept.map(describeKept),
        ].join("\n"),
      )
    })
}

interface LookedAtPlace {
  readonly place: Place
  readonly backend: FineTuneBackend
  readonly files: readonly PurgeableFile[]
}

async function placeOfRun(host: Host, given: string): Promise<Place> {
  const run = await resolveRun(host, given)
  return { choice: choiceOfRun(host.context(), run) ?? planOfRun(host, run).backend, runs: [run] }
}

/** A place that cannot be asked is named and left out, where there are others. */
async function lookAt(host: Host, places: readonly Place[]): Promise<LookedAtPlace[]> {
  const found: LookedAtPlace[] = []
  for (const place of places) {
    const backend = await host.backend(place.choice)
    try {
      found.push({ place, backend, files: await purgeableFiles(host.context(), backend, place.runs) })
    } catch (error) {
      if (!(error instanceof ToolkitError) || error.exitCode === exitCodes.usage || places.length === 1) throw error
      host.terminal.warn(`${describePlace(place)} could not be asked: ${error.message}`)
      setExitCode(exitCodes.failure)
    }
  }
  return found
}

function describe(found: readonly LookedAtPlace[]): string {
  return found
    .flatMap(({ place, files }) => {
      const going = files.filter(({ kept }) => kept === undefined)
      return [
        ...(going.length === 0 ? [] : [`would delete at ${describePlace(place)}:`]),
        ...going.map(({ remoteId, file, run }) => `  ${remoteId}, ${file} of ${run}`),
        ...files.filter(({ kept }) => kept !== undefined).map(describeKept),
      ]
    })
    .join("\n")
}

function describeKept({ remoteId, file, run, kept }: PurgeableFile): string {
  return `kept: ${remoteId}, ${file} of ${run}: ${kept}`
}
