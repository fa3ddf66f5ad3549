import { createHash } from "node:crypto"
import { existsSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { canonicalJson, digestText } from "../../core/canonical.ts"
import { readPieces, readText, writeAtomically } from "../files/files.ts"
import { withLockIfFree } from "../files/lock.ts"
import type { Workspace } from "../workspace.ts"

/** What an answer follows from. */
export interface Sources {
  /** All that is no file: settings, the specification, and by which code it is answered. */
  readonly asked: unknown
  /** The files, also those that may come; listed anew each time. */
  readonly files: () => readonly string[]
  /** Files that the work writes: the answer holds as long as they are as it left them. None by default. */
  readonly written?: () => readonly string[]
}

/**
 * The answer of that name about a task, which follows from its sources alone: made once, then kept in the cache folder
 * with a digest of every byte that it was made from. Never an answer that is older than its sources: whatever is in
 * doubt is made anew. It comes as JSON reads back, made or kept. A kill leaves the answer before; of two processes the
 * last one keeps its own. What cannot be kept, in a folder that nobody may write, is made each time.
 */
export async function remembered<Answer>(
  workspace: Workspace,
  task: string,
  name: string,
  sources: Sources,
  make: (digests: FileDigests) => Answer | Promise<Answer>,
): Promise<Answer> {
  const file = join(answersFolder(workspace, task), `${name}.json`)
  const { asked, files, written = () => [] } = sources
  const digestsNow = (of: FileDigests) => ({
    read: keyOf(workspace, of, files, asked),
    written: keyOf(workspace, of, written),
  })
  const known = new FileDigests()
  const before = digestsNow(known)
  const kept = keptAnswer(file, `${before.read} ${before.written}`)
  if (kept !== undefined) return JSON.parse(kept) as Answer
  const made = JSON.stringify(await make(known))
  whileUnchanged(workspace, task, () => {
    const after = digestsNow(known.used())
    if (after.read === undefined || after.read !== before.read || after.written === undefined) return
    writeAtomically(file, `${after.read} ${after.written} ${digestText(made)}\n${made}\n`)
  })
  return JSON.parse(made) as Answer
}

/**
 * The digests of files as they were first read. Work that uses no other bytes of a file than those of a digest says so:
 * then it does not matter what becomes of the file meanwhile, and it is not read again.
 */
export class FileDigests {
  readonly #digests: Map<string, string>
  readonly #used = new Map<string, string>()

  constructor(known: ReadonlyMap<string, string> = new Map()) {
    this.#digests = new Map(known)
  }

  /** Reads the file unless its digest is known. */
  of(file: string): string {
    const digest = this.#digests.get(file) ?? digestOf(file)
    this.#digests.set(file, digest)
    return digest
  }

  /** Undefined for a file that was not looked at. */
  known(file: string): string | undefined {
    return this.#digests.get(file)
  }

  /** The work uses these bytes of the file; without a digest, whatever it reads. */
  use(file: string, digest?: string): void {
    if (digest === undefined) this.#used.delete(file)
    else this.#used.set(file, digest)
  }

  /** What the work used, and nothing of other files. */
  used(): FileDigests {
    return new FileDigests(this.#used)
  }
}

/** No answer about the task is kept. */
export function forgetAnswers(workspace: Workspace, task: string): void {
  rmSync(answersFolder(workspace, task), { recursive: true, force: true })
}

/** Where what is known of a task is kept until its files change. */
export function answersFolder(workspace: Workspace, task: string): string {
  return join(workspace.cacheFolder, "answers", task)
}

function keptAnswer(file: string, key: string): string | undefined {
  try {
    if (!existsSync(file)) return undefined
    const [head, answer = ""] = readText(file).split("\n", 2)
    return head === `${key} ${digestText(answer)}` ? answer : undefined
  } catch {
    return undefined
  }
}

/**
 * Not while a command changes the task: an erasure, which has its lock, finds the answer or is known to it. Whoever only
 * reads leaves a workspace as it is in which nothing was done yet.
 */
export function whileUnchanged(workspace: Workspace, task: string, work: () => void): void {
  if (!existsSync(dirname(workspace.cacheFolder))) return
  try {
    withLockIfFree(workspace.lockFile(task), work)
  } catch {
    // Whoever may only read gets the answer all the same.
  }
}

/** Undefined where a file cannot be read. */
function keyOf(
  workspace: Workspace,
  digests: FileDigests,
  files: Sources["files"],
  asked: unknown = null,
): string | undefined {
  try {
    const sum = createHash("sha256").update(canonicalJson(asked))
    for (const file of [...new Set(files())].sort())
      sum.update(`\n${workspace.show(file)} ${existsSync(file) ? digests.of(file) : "none"}`)
    return sum.digest("hex")
  } catch {
    return undefined
  }
}

function digestOf(file: string): string {
  const sum = createHash("sha256")
  for (const piece of readPieces(file)) sum.update(piece)
  return sum.digest("hex")
}
