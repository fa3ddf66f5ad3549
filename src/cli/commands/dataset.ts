import type { Command } from "commander"
import { Versions } from "../../store/rows/versions.ts"
import type { Host } from "../host.ts"
import { table } from "../terminal.ts"
import { registerCard } from "../dataset/card.ts"
import { registerDiff } from "../dataset/diff.ts"
import { registerErase } from "../dataset/erase.ts"
import { registerExport } from "../dataset/export.ts"
import { registerShow } from "../dataset/show.ts"
import { registerTokens } from "../dataset/tokens.ts"

export function register(command: Command, host: Host): void {
  command
    .command("ls")
    .argument("[task]", "the task's name; default: every task")
    .description("list the dataset versions")
    .action((task: string | undefined) => {
      const tasks = task === undefined ? host.workspace.tasks() : [host.workspace.readTask(task).task]
      const versions = tasks.flatMap((name) => {
        const store = new Versions(host.workspace, name)
        return store.ids().map((id) => {
          const manifest = store.manifest(id)
          return { manifest, isLatest: store.latest() === id, isErased: store.erasedPart(manifest) !== undefined }
        })
      })
      const rows = versions.map(({ manifest, isLatest, isErased }) => [
        manifest.task,
        `${manifest.id}${isLatest ? " *" : ""}${isErased ? " erased" : ""}`,
        manifest.holdout,
        String(manifest.kept),
        String(manifest.read - manifest.kept),
      ])
      host.print(
        {
          versions: versions.map(({ manifest, isLatest, isErased }) => ({
            ...manifest,
            latest: isLatest,
            erased: isErased,
          })),
        },
        rows.length === 0
          ? "no dataset versions yet; make one: tuneloop build <task>"
          : `${table(["task", "version", "holdout", "kept", "dropped"], rows)}\n* the one that \`dataset: ` +
              `latest\` means`,
      )
    })
  registerShow(command, host)
  registerDiff(command, host)
  registerExport(command, host)
  registerCard(command, host)
  registerTokens(command, host)
  registerErase(command, host)
}
