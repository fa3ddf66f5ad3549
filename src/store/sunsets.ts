import { existsSync } from "node:fs"
import { join } from "node:path"
import { sunsetsSchema, type SunsetEntry } from "../core/asking/sunsets.ts"
import { parseYaml } from "../core/parse.ts"
import { readText } from "./files/files.ts"
import type { Workspace } from "./workspace.ts"

/** The ends of models that are known here: the workspace's own `sunsets.yaml` first, then those of the package. */
export function readSunsets(workspace: Workspace): SunsetEntry[] {
  const own = join(workspace.root, "sunsets.yaml")
  const packaged = join(import.meta.dirname, "..", "..", "facts", "sunsets.yaml")
  return [own, packaged].flatMap((file) =>
    existsSync(file)
      ? parseYaml(
          sunsetsSchema,
          readText(file),
          workspace.show(file),
          "Edit the file; facts/sunsets.yaml shows its form.",
        ).models
      : [],
  )
}
