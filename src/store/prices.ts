import { existsSync } from "node:fs"
import { join } from "node:path"
import { parseYaml } from "../core/parse.ts"
import { pricesSchema, type PriceBook, type PriceEntry } from "../core/asking/prices.ts"
import { readText } from "./files/files.ts"
import type { Workspace } from "./workspace.ts"

/** The prices of models that are known here: the workspace's own `prices.yaml`, and those of the package. */
export function readPrices(workspace: Workspace): PriceBook {
  return {
    own: entriesOf(workspace, join(workspace.root, "prices.yaml")),
    packaged: entriesOf(workspace, join(import.meta.dirname, "..", "..", "facts", "prices.yaml")),
  }
}

function entriesOf(workspace: Workspace, file: string): readonly PriceEntry[] {
  if (!existsSync(file)) return []
  return parseYaml(
    pricesSchema,
    readText(file),
    workspace.show(file),
    "Edit the file; facts/prices.yaml shows its form.",
  ).models
}
