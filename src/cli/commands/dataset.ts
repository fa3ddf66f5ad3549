import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { describeDrops } from "../../stages/build.ts"
import { Versions } from "../../store/versions.ts"
import type { Host } from "../host.ts"
import { table } from "../terminal.ts"
import { registerCard } from "./_dataset-card.ts"
import { registerDiff } from "./_dataset-diff.ts"
import { registerErase } from "./_dataset-erase.ts"
import { registerExport } from "./_dataset-export.ts"
import { registerTokens } from "./_dataset-tokens.ts"

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
          const manifest = store.manifest(id as `ds_${string}`)
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
        { versions: versions.map(({ manifest, isLatest, isErased }) => ({ ...manifest, latest: isLatest, erased: isErased })) },
        rows.length === 0
          ? "no dataset versions yet; make one: tuneloop build <task>"
          : `${table(["task", "version", "holdout", "kept", "dropped"], rows)}\n* the one that \`dataset: latest\` means`,
      )
    })
  command
    .command("show")
    .argument("<id>", "a dataset version (ds_…), holdout (hold_…) or example (ex_…)")
    .description("show a version or holdout, or an example and where it came from")
    .action((id: string) => {
      for (const task of host.workspace.tasks()) {
        const store = new Versions(host.workspace, task)
        if (store.has(id) && id.startsWith("hold_")) {
          const holdout = store.manifest(id as `hold_${string}`)
          const rows = (file: string) => holdout.files[file]?.rows ?? 0
          host.print(
            { ...holdout },
            `${id}, holdout of ${task}: ${rows("validation.jsonl")} validation and ${rows("test.jsonl")} test rows\nfolder ${host.workspace.show(store.folder(id))}`,
          )
          return
        }
        if (store.has(id)) {
          const manifest = store.manifest(id as `ds_${string}`)
          const erased = store.erasedPart(manifest)
          host.print(
            { ...manifest, erased: erased !== undefined },
            `${id} of ${task}: read ${manifest.read}, kept ${manifest.kept}, dropped ${describeDrops(manifest.dropped)}\nholdout ${manifest.holdout}\nfolder ${host.workspace.show(store.folder(id))}${erased === undefined ? "" : `\nrows were erased from ${erased}: it cannot be trained on`}`,
          )
          return
        }
        for (const version of store.ids().toReversed())
          for (const file of ["train.jsonl", "dropped.jsonl"] as const) {
            const example = store.rows(version, file).find((row) => row.id === id)
            if (!example) continue
            host.print({ task, version, file, example }, `${id} in ${version} of ${task} (${file})\n${JSON.stringify(example, null, 2)}`)
            return
          }
      }
      throw new UsageError(`nothing in this workspace is called ${id}`, "tuneloop dataset ls lists the versions.")
    })
  registerDiff(command, host)
  registerExport(command, host)
  registerCard(command, host)
  registerTokens(command, host)
  registerErase(command, host)
}
