import { existsSync } from "node:fs"
import { join } from "node:path"
import { parseYaml } from "../core/parse.ts"
import { pricesSchema, type PriceBook, type TrainingPriceBook } from "../core/asking/prices.ts"
import type { ServingPrice } from "../core/contracts/backend.ts"
import { readText } from "./files/files.ts"
import type { Workspace } from "./workspace.ts"

/** The prices of models that are known here: the workspace's own `prices.yaml`, and those of the package. */
export function readPrices(workspace: Workspace): PriceBook {
  const [own, packaged] = filesOf(workspace).map((file) => pricesIn(workspace, file).models)
  return { own: own ?? [], packaged: packaged ?? [] }
}

/** The prices of training that are known here, those of the workspace first. */
export function readTrainingPrices(workspace: Workspace): TrainingPriceBook {
  return filesOf(workspace).flatMap((file) => pricesIn(workspace, file).training)
}

/** The prices of serving that are known here, those of the workspace first. */
export function readServingPrices(workspace: Workspace): readonly ServingPrice[] {
  return filesOf(workspace).flatMap((file) => pricesIn(workspace, file).serving)
}

function filesOf(workspace: Workspace): string[] {
  return [join(workspace.root, "prices.yaml"), join(import.meta.dirname, "..", "..", "facts", "prices.yaml")]
}

function pricesIn(workspace: Workspace, file: string) {
  const text = existsSync(file) ? readText(file) : "models: []"
  return parseYaml(pricesSchema, text, workspace.show(file), "Edit the file; facts/prices.yaml shows its form.")
}
