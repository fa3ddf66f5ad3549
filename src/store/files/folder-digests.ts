import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { digestFile } from "./files.ts"

/**
 * The digests of all files of a folder by their names in it, or of a file; undefined where there is nothing. Where the
 * folder lies does not count.
 */
export function folderDigests(path: string): Readonly<Record<string, string>> | undefined {
  if (!existsSync(path)) return undefined
  if (statSync(path).isFile()) return { "": digestFile(path) }
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  if (files.length === 0) return undefined
  return Object.fromEntries(files.map((file) => [file.slice(path.length + 1).replaceAll("\\", "/"), digestFile(file)]))
}
