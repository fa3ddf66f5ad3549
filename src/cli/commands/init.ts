import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Command } from "commander"
import { makeFolder, writeAtomically } from "../../store/files.ts"
import { Workspace } from "../../store/workspace.ts"
import type { Host } from "../host.ts"
import { jsonSchemaOf } from "./schema.ts"

const settings = `# yaml-language-server: $schema=.tuneloop/schemas/workspace.json
# Settings of this workspace; every key is optional (tuneloop config show).
schemaVersion: 1
`

export function register(command: Command, host: Host): void {
  command.argument("[dir]", "the folder", ".").action((given: string) => {
    const folder = host.path(given)
    makeFolder(folder)
    const made: string[] = []
    const write = (name: string, text: string) => {
      if (existsSync(join(folder, name))) return
      writeAtomically(join(folder, name), text)
      made.push(name)
    }
    write("tuneloop.yaml", settings)
    write(".gitignore", ".tuneloop/\njobs/runs/\n.*.tmp\n")
    for (const name of ["task", "job", "workspace"] as const)
      write(`.tuneloop/schemas/${name}.json`, `${JSON.stringify(jsonSchemaOf(name), null, 2)}\n`)
    Workspace.open(folder).makeFolders()
    host.print(
      { workspace: folder, made },
      made.length === 0
        ? `unchanged: ${folder} is a workspace already`
        : `made a workspace in ${folder}\nNext: write specs/<task>.yaml (tuneloop schema task), then: tuneloop seed import <task> <file>`,
    )
  })
}
