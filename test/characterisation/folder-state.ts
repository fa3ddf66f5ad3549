import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { isUtf8 } from "node:buffer"
import { join, relative } from "node:path"
import { ledgerRows } from "./ledger-dump.ts"
import { normalise, type Surroundings } from "./normalise.ts"

/** What lies in a workspace: files by their normalised paths, and the ledger's rows as lines. */
export interface FolderState {
  readonly files: ReadonlyMap<string, string>
  readonly ledger: readonly string[]
}

const ledgerFile = join(".tuneloop", "ledger.db")

export function stateOf(folder: string, surroundings: Surroundings): FolderState {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(folder, path).startsWith(ledgerFile))
  const shown = paths.map((path) => [shownPath(folder, path, surroundings), contentOf(path, surroundings)] as const)
  const tables = existsSync(join(folder, ledgerFile)) ? ledgerRows(join(folder, ledgerFile)) : {}
  const ledger = Object.entries(tables).flatMap(([table, rows]) =>
    rows.map((row) => `${table} ${normalise(JSON.stringify(row), surroundings)}`),
  )
  return { files: new Map(shown.sort(([a], [b]) => (a < b ? -1 : 1))), ledger: ledger.sort() }
}

/** What came, went and changed between two states, as lines. */
export function changesBetween(before: FolderState, after: FolderState): string[] {
  const files = [...after.files].flatMap(([path, content]) => {
    const known = before.files.get(path)
    if (known === content) return []
    return [`${known === undefined ? "+" : "~"} ${path}  ${described(content)}`, ...beginning(content)]
  })
  const gone = [...before.files.keys()].filter((path) => !after.files.has(path)).map((path) => `- ${path}`)
  const known = new Set(before.ledger)
  const kept = new Set(after.ledger)
  const rows = [
    ...before.ledger.filter((row) => !kept.has(row)).map((row) => `- ${row}`),
    ...after.ledger.filter((row) => !known.has(row)).map((row) => `+ ${row}`),
  ]
  return [...files, ...gone, ...rows.map((row) => `ledger ${cut(row)}`)]
}

function shownPath(folder: string, path: string, surroundings: Surroundings): string {
  return normalise(relative(folder, path), surroundings)
}

function contentOf(path: string, surroundings: Surroundings): string {
  const bytes = readFileSync(path)
  return isUtf8(bytes) ? normalise(bytes.toString("utf8"), surroundings) : `bytes ${bytes.toString("base64")}`
}

function described(content: string): string {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 16)
  return `${digest}, ${content.split("\n").length - 1} lines`
}

/** The first lines of a text, so that a difference can be read and not only seen. */
function beginning(content: string): string[] {
  if (content.startsWith("bytes ")) return []
  return content
    .split("\n")
    .slice(0, 4)
    .map((line) => `    ${cut(line)}`)
}

/** A long line by its beginning and its digest. */
function cut(line: string): string {
  if (line.length <= 260) return line
  return `${line.slice(0, 240)}… ${createHash("sha256").update(line).digest("hex").slice(0, 16)}`
}
