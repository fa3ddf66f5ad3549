import type { Command } from "commander"
import { cardOf } from "../../stages/versions/data-card.ts"
import { writeAtomically } from "../../store/files/files.ts"
import type { Host } from "../host.ts"
import { workspaceOutputs } from "../outputs.ts"
import { resolveVersion } from "./versions.ts"

export function registerCard(command: Command, host: Host): void {
  command
    .command("card")
    .argument("<task>", "the task's name")
    .option("--dataset <id>", "the version: its id, the beginning of it, or latest", "latest")
    .option("--out <file>", "write the card to a file instead of printing it")
    .option("--force", "replace a file that is not an earlier card")
    .description("the data card of a version in Markdown")
    .addHelpText(
      "after",
      "\nCounts, sources, drops, agreement, personal data, rights and intended use.\nExample: tuneloop " +
        "dataset card ticket-triage --out DATA-CARD.md",
    )
    .action(async (name: string, options: { dataset: string; out?: string; force?: boolean }) => {
      const file = options.out === undefined ? undefined : host.path(options.out)
      if (file !== undefined) workspaceOutputs(host).require([file], { force: options.force === true })
      const version = resolveVersion(host, options.dataset, name).id
      const { text, facts } = await cardOf(host.context(), host.workspace.readTask(name), version)
      const {
        manifest,
        trainLabels,
        origins,
        strategies,
        acceptedBy,
        agreement,
        personalData,
        bases,
        openings,
        erased,
      } = facts
      if (file !== undefined) {
        writeAtomically(file, text)
        workspaceOutputs(host).note([file])
      }
      host.print(
        {
          task: name,
          version,
          read: manifest.read,
          kept: manifest.kept,
          dropped: manifest.dropped,
          labels: trainLabels,
          perLabel: facts.holdout.perLabel,
          sources: Object.fromEntries(origins.sources),
          generators: Object.fromEntries(origins.generators),
          strategies,
          acceptedBy,
          agreement,
          personalData,
          bases,
          openings,
          erased,
          card: text,
        },
        file === undefined ? text.trimEnd() : `wrote ${host.workspace.show(file)}`,
      )
    })
}
