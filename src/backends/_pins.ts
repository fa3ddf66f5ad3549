import { readFileSync } from "node:fs"
import { stat } from "node:fs/promises"
import { homedir } from "node:os"
import { isAbsolute, join, resolve } from "node:path"
import { z } from "zod"
import type { BackendContext } from "../core/contracts/backend.ts"
import type { BaseModel } from "../core/training/model-ref.ts"
import { type DigestFile, fileDigest, folderDigest } from "./work/digests.ts"
import { writeWhole } from "./_work.ts"

/** The model's name with a path of this machine made whole: the trainer runs in another folder. */
export function locatedBase({ model, revision }: BaseModel): BaseModel {
  return { model: isPath(model) && !model.startsWith("~") && !isAbsolute(model) ? resolve(model) : model, revision }
}

/**
 * What the base model is now: the digest of a local file or folder (hidden files, such as a download's notes, do not
 * count), the pinned requirement of a package, the commit of a hub model in this machine's cache; undefined where it is
 * not there yet.
 */
export async function pinOf(base: BaseModel, context: BackendContext): Promise<string | undefined> {
  const { model, revision } = base
  if (model.startsWith("package:")) return requirementOf(model.slice("package:".length).split("/")[0] ?? "", context)
  if (isPath(model)) return digestOf(expandHome(locatedBase(base).model, context), context)
  if (revision !== null && commit.test(revision)) return revision
  return cachedCommit(model, revision ?? "main", context)
}

/** Whether the model lies on this machine: in a file, a folder or a package. */
export function isHere(model: string): boolean {
  return model.startsWith("package:") || isPath(model)
}

const commit = /^[0-9a-f]{40}$/

/** By the trainer's own rule (`trainer/_model.py`). */
function isPath(model: string): boolean {
  return (
    !model.startsWith("package:") && (/^(\/|\.\.?\/|~)/.test(model) || model.endsWith(".gguf") || isAbsolute(model))
  )
}

function expandHome(path: string, { environment }: BackendContext): string {
  return path.replace(/^~(?=\/|$)/, environment["HOME"] ?? homedir())
}

async function digestOf(path: string, context: BackendContext): Promise<string | undefined> {
  const kind = await stat(path).catch(() => undefined)
  if (kind === undefined) return undefined
  const memory = context.cacheFolder === undefined ? undefined : new DigestMemory(context.cacheFolder)
  const digestFile = memory?.digestFile ?? fileDigest
  const digest = kind.isDirectory()
    ? (await folderDigest(path, { digestFile, skipHidden: true })).digest
    : `sha256:${await digestFile(path)}`
  memory?.keep()
  return digest
}

/** `pypi:<package>==<version>` by the trainer's requirements; undefined where they do not have it. */
function requirementOf(name: string, { packageRoot }: BackendContext): string | undefined {
  const requirements = readFileSync(join(packageRoot, "trainer", "requirements.txt"), "utf8")
  for (const line of requirements.split("\n")) {
    const [, found = "", version = ""] = /^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)/.exec(line) ?? []
    if (plainName(found) === plainName(name)) return `pypi:${plainName(name)}==${version}`
  }
  return undefined
}

/** Package names are compared as the package index does. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-")
}

/** The commit that the revision named when it was last fetched. */
function cachedCommit(model: string, revision: string, { environment }: BackendContext): string | undefined {
  const home = environment["HOME"] ?? homedir()
  const cache = environment["XDG_CACHE_HOME"] || join(home, ".cache")
  const hub =
    environment["HF_HUB_CACHE"] ||
    environment["HUGGINGFACE_HUB_CACHE"] ||
    join(environment["HF_HOME"] || join(cache, "huggingface"), "hub")
  try {
    const found = readFileSync(join(hub, `models--${model.replaceAll("/", "--")}`, "refs", revision), "utf8").trim()
    return commit.test(found) ? found : undefined
  } catch {
    return undefined
  }
}

const memorySchema = z.record(
  z.string(),
  z.object({ size: z.number(), modifiedMs: z.number(), digest: z.string().regex(/^[0-9a-f]{64}$/) }),
)

/** Digests by path, for files of the same size and time of change: weights take seconds to minutes to read. */
class DigestMemory {
  readonly #file: string
  readonly #known: z.output<typeof memorySchema>
  #isChanged = false

  constructor(folder: string) {
    this.#file = join(folder, "digests.json")
    this.#known = readMemory(this.#file)
  }

  readonly digestFile: DigestFile = async (path) => {
    const { size, mtimeMs: modifiedMs } = await stat(path)
    const known = this.#known[path]
    if (known !== undefined && known.size === size && known.modifiedMs === modifiedMs) return known.digest
    const digest = await fileDigest(path)
    this.#known[path] = { size, modifiedMs, digest }
    this.#isChanged = true
    return digest
  }

  keep(): void {
    if (this.#isChanged) writeWhole(this.#file, `${JSON.stringify(this.#known)}\n`)
  }
}

function readMemory(file: string): z.output<typeof memorySchema> {
  try {
    return memorySchema.parse(JSON.parse(readFileSync(file, "utf8")))
  } catch {
    return {}
  }
}
