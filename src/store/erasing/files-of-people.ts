import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs"
import { dirname, extname, join, relative, sep } from "node:path"
import type { TextSearch } from "../../core/text-search.ts"
import type { Workspace } from "../workspace.ts"
import { linesIn } from "./run-erasure.ts"

/** What people keep in a workspace that says one of the texts, and what cannot be looked into. */
export interface FoundFiles {
  readonly saying: readonly string[]
  readonly unread: readonly string[]
}

/** Looks through the files of a workspace that Tuneloop does not write for one task; paths as people write them. */
export function filesOfPeople(workspace: Workspace, task: string, search: TextSearch): FoundFiles {
  const found = { saying: [] as string[], unread: [] as string[] }
  if (search.isEmpty) return found
  const own = [
    workspace.taskFolder(task),
    workspace.runsFolder,
    join(workspace.root, ".tuneloop"),
    dirname(workspace.ledgerFile),
  ]
  for (const file of filesIn(workspace.root, new Set(own.filter((folder) => folder !== workspace.root)))) {
    if (file === workspace.ledgerFile || file.startsWith(`${workspace.ledgerFile}-`)) continue
    const path = relative(workspace.root, file).split(sep).join("/")
    if (packed.has(extname(file).toLowerCase()) || lstatSync(file).size > mostBytes) found.unread.push(path)
    else if (isSaid(file, search)) found.saying.push(path)
  }
  return found
}

/** Whether one of the texts stands in a file; in one that is gone none does. */
export function isSaid(file: string, search: TextSearch): boolean {
  for (const line of linesIn(file)) if (search.isIn(line)) return true
  return false
}

/** The folder of git's history that the workspace belongs to; undefined where it is in none. */
export function gitFolder({ root }: Workspace): string | undefined {
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return join(folder, ".git")
    if (folder === dirname(folder)) return undefined
  }
}

const passedOver = new Set([".git", "node_modules", ".venv"])
/** A text in a packed file does not stand there as it is. */
const packed = new Set([".xlsx", ".parquet", ".zip", ".gz", ".zst", ".bz2", ".xz", ".7z", ".tar", ".tgz"])
const mostBytes = 1 << 30

function* filesIn(folder: string, own: ReadonlySet<string>): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isFile()) yield path
    else if (entry.isDirectory() && !passedOver.has(entry.name) && !own.has(path) && !own.has(realpathSync(path)))
      yield* filesIn(path, own)
  }
}
