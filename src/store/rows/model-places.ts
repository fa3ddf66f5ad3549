import { existsSync } from "node:fs"
import { isAbsolute, relative, resolve, sep } from "node:path"
import type { ModelRef } from "../../core/training/model-ref.ts"
import type { Workspace } from "../workspace.ts"

/** The path as it is kept: relative to the workspace where it lies in it, so that the workspace may move. */
export function keptPath({ root }: Workspace, path: string): string {
  if (!isAbsolute(path)) return path
  const inside = relative(root, path)
  return inside.startsWith("..") || isAbsolute(inside) ? path : inside.split(sep).join("/")
}

/** The absolute path of one that was kept; the address of a store stays as it is. */
export function placedPath({ root }: Workspace, path: string): string {
  return isAddress(path) ? path : resolve(root, path)
}

/** The model with its location as it is kept. */
export function keptModel(workspace: Workspace, model: ModelRef): ModelRef {
  return "location" in model ? { ...model, location: keptPath(workspace, model.location) } : model
}

/** The model with its location as a backend is given it. */
export function placedModel(workspace: Workspace, model: ModelRef): ModelRef {
  return "location" in model ? { ...model, location: placedPath(workspace, model.location) } : model
}

/** Whether something is at the place, or it is an address elsewhere. */
export function isThere(workspace: Workspace, path: string): boolean {
  return isAddress(path) || existsSync(placedPath(workspace, path))
}

function isAddress(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(path)
}
