import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"

/** This package's folder: the one that holds package.json and trainer/. */
export const packageRoot = resolve(import.meta.dirname, "..", "..")

export function toolVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string }).version
}
