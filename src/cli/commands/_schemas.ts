import { existsSync, readFileSync } from "node:fs"
import type { Workspace } from "../../store/workspace.ts"
import { writeAtomically } from "../../store/files/files.ts"
import { toolVersion } from "../version.ts"
import { jsonSchemaOf } from "./schema.ts"

/** The schemas that a workspace carries: those of the files that people write. */
const carried = ["task", "job", "workspace"] as const

/**
 * The workspace's JSON schemas are those of this version, so that editors complete its files in every clone; returns
 * what was written. A newer version's file stays: of two colleagues, the older tool never takes back what the newer one
 * knows. So does a file that Tuneloop did not write: `onForeign` is told of it. With `make`, missing ones are made.
 */
export function refreshSchemas(
  workspace: Workspace,
  options: { make: boolean; onForeign?: (file: string) => void },
): string[] {
  return carried.flatMap((name) => {
    const file = workspace.schemaFile(name)
    const before = existsSync(file) ? readFileSync(file, "utf8") : undefined
    const text = `${JSON.stringify({ $comment: `Tuneloop ${toolVersion()}; written by \`tuneloop init\`, do not edit`, ...(jsonSchemaOf(name) as object) }, null, 2)}\n`
    if (before === text || (before === undefined && !options.make)) return []
    const version = before === undefined ? "0.0.0" : versionIn(before)
    if (version === undefined) options.onForeign?.(workspace.show(file))
    if (version === undefined || isNewer(version, toolVersion())) return []
    writeAtomically(file, text)
    return [workspace.show(file)]
  })
}

/** By which version the file was written; undefined where Tuneloop did not write it. */
function versionIn(text: string): string | undefined {
  return /"\$comment": "Tuneloop (\d+\.\d+\.\d+)/.exec(text)?.[1]
}

/** By numbers, as in Semantic Versioning; what comes after the third is not looked at. */
function isNewer(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(/[.+-]/).slice(0, 3).map(Number))
  const differing = [0, 1, 2].find((index) => a?.[index] !== b?.[index])
  return differing !== undefined && (a?.[differing] ?? 0) > (b?.[differing] ?? 0)
}
