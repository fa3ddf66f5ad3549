import { existsSync } from "node:fs"
import { join } from "node:path"
import { parseYaml } from "../core/parse.ts"
import { licencesSchema, type ModelLicence } from "../core/task/rights.ts"
import { readText } from "./files/files.ts"
import type { Workspace } from "./workspace.ts"

export function licencesFile(workspace: Workspace): string {
  return join(workspace.root, "licences.yaml")
}

/** The licences of models that are known here: the workspace's own `licences.yaml` first, then those of the package. */
export function readLicences(workspace: Workspace): ModelLicence[] {
  const packaged = join(import.meta.dirname, "..", "..", "facts", "licences.yaml")
  return [licencesFile(workspace), packaged].flatMap((file) =>
    existsSync(file)
      ? parseYaml(
          licencesSchema,
          readText(file),
          workspace.show(file),
          "Edit the file; facts/licences.yaml shows its form.",
        ).models
      : [],
  )
}
