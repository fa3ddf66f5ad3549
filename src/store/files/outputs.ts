import { createHash } from "node:crypto"
import { existsSync, realpathSync, statSync } from "node:fs"
import { basename, dirname, join, relative, resolve, sep } from "node:path"
import { exitCodes, ToolkitError, UsageError } from "../../core/errors.ts"
import { digestFile, readText, writeAtomically } from "./files.ts"

/**
 * Files that people name to be written: none is written over that holds something else than this machine last wrote or
 * read there, and none lies where Tuneloop keeps its own.
 */
export class Outputs {
  readonly #folder: string | undefined
  readonly #reserved: readonly string[]

  /** Digests are kept in the folder; without one, every file that is there is somebody's. */
  constructor(folder: string | undefined, reserved: readonly string[] = []) {
    this.#folder = folder === undefined ? undefined : join(folder, "outputs")
    this.#reserved = reserved.map(realPath)
  }

  /** Throws unless each file may be written; `sources` are those that the same command reads. */
  require(files: readonly string[], options: { force: boolean; sources?: readonly string[] }): void {
    this.requireFree(files)
    const sources = new Set(options.sources?.map(realPath))
    const read = files.find((file) => sources.has(realPath(file)))
    if (read !== undefined)
      throw new UsageError(`${read} is the file that is read, and it would be written over`, "Name another file.")
    if (options.force) return
    const foreign = files.filter((file) => existsSync(file) && this.#known(file) !== digestFile(file))
    if (foreign.length > 0) throw foreignFiles(foreign)
  }

  /** Throws where one of them is no file, or would lie among the files that Tuneloop keeps for itself. */
  requireFree(files: readonly string[]): void {
    const device = files.find(isNeitherFileNorFolder)
    if (device !== undefined)
      throw new UsageError(`${device} is a device or a pipe, and would be replaced by a file`, "Name a file.")
    const taken = files.find((file) => this.#isReserved(realPath(file)))
    if (taken !== undefined)
      throw new UsageError(
        `${taken} is where Tuneloop keeps its own files`,
        "Name a place outside datasets/<task>/, jobs/runs/, schemas/, .tuneloop/ and this machine's cache.",
      )
  }

  /** What the files hold now may be written over: it was written here, or all of it was read. */
  note(files: readonly string[]): void {
    for (const file of files) {
      if (this.#folder === undefined || !existsSync(file)) continue
      try {
        writeAtomically(this.#noteOf(file), digestFile(file))
      } catch {
        // Without the note the next command asks for --force, no more.
      }
    }
  }

  #known(file: string): string | undefined {
    return this.#folder !== undefined && existsSync(this.#noteOf(file)) ? readText(this.#noteOf(file)) : undefined
  }

  #noteOf(file: string): string {
    return join(this.#folder ?? "", createHash("sha256").update(realPath(file)).digest("hex"))
  }

  #isReserved(path: string): boolean {
    if (this.#reserved.some((folder) => path === folder || path.startsWith(folder + sep))) return true
    // The nearest workspace decides: one may lie in another's folder, as the quickstart's does.
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      if (isWorkspace(folder)) return isOwn(relative(folder, path).split(sep))
      if (folder === dirname(folder)) return false
    }
  }
}

/** The error about files that are there and that no command wrote with what they hold. */
export function foreignFiles(files: readonly string[]): ToolkitError {
  return new ToolkitError(
    `${files.join(", ")} ${files.length === 1 ? "is" : "are"} there already and not as Tuneloop wrote ` +
      `${files.length === 1 ? "it" : "them"}`,
    { code: "exists", hint: "Name another place, or replace it with --force.", exitCode: exitCodes.usage },
  )
}

function isWorkspace(folder: string): boolean {
  return ["tuneloop.yaml", "specs", ".tuneloop"].some((name) => existsSync(join(folder, name)))
}

function isOwn([first, second, third]: readonly string[]): boolean {
  if (first === "datasets") return third !== undefined
  return first === ".tuneloop" || first === "schemas" || (first === "jobs" && second === "runs")
}

function isNeitherFileNorFolder(path: string): boolean {
  try {
    const found = statSync(path)
    return !found.isFile() && !found.isDirectory()
  } catch {
    return false
  }
}

/** The path without links, as far as it is there. */
function realPath(path: string): string {
  const absolute = resolve(path)
  try {
    // The system's own way, which on some of them takes SPECS for specs.
    return realpathSync.native(absolute)
  } catch {
    return dirname(absolute) === absolute ? absolute : join(realPath(dirname(absolute)), basename(absolute))
  }
}
