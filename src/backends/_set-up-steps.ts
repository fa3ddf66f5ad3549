import { spawn, spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { BackendContext } from "../core/backend.ts"
import { ProviderError } from "../core/errors.ts"
import { isAlive, startedTicks } from "./_processes.ts"

/** Where a step runs: never in the workspace, whose files Python and uv would take for theirs. */
export interface Place {
  readonly context: BackendContext
  readonly cwd: string
  /** The package index, for uv and for the message of a failure. */
  readonly index?: string
}

/** Runs a command with its last line as progress; a failure carries what it said of it, and the index. */
export async function runStep(
  { context, cwd, index }: Place,
  command: string,
  words: readonly string[],
): Promise<void> {
  const settings = index === undefined ? {} : { UV_HTTP_RETRIES: "1", UV_DEFAULT_INDEX: index }
  const child = spawn(command, words, {
    cwd,
    env: { ...context.environment, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
    signal: context.signal,
  })
  let said = ""
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-8000)
    const line = said
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1)
      ?.trim()
    if (line) context.progress(`trainer environment: ${line.slice(0, 100)}`)
  }
  child.stdout.on("data", listen)
  child.stderr.on("data", listen)
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve))
  if (code === 0) return
  const from = index === undefined ? "" : ` from ${index.replace(/\/\/[^/@]*@/, "//")}`
  throw new ProviderError(`the trainer environment could not be made${from}: ${reasonIn(said)}`, {
    provider: "local",
    hint:
      "Check the network and the package index (PIP_INDEX_URL), or set TUNELOOP_PYTHON to an environment that has " +
      "trainer/requirements.txt; then run the command again.",
  })
}

function reasonIn(said: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "")
  const first = lines.findIndex((line) => /error|failed|could not|no matching|apt install/i.test(line))
  return (first < 0 ? lines.slice(-3) : lines.slice(first, first + 4)).map((line) => line.trim()).join(" / ")
}

/** What a command that takes no time prints; undefined where it does not run or fails. */
export function ask(
  context: BackendContext,
  command: string,
  words: readonly string[],
  cwd?: string,
): string | undefined {
  const { status, stdout } = spawnSync(command, words, { cwd, env: { ...context.environment }, encoding: "utf8" })
  return status === 0 ? stdout.trim() : undefined
}

export function findPython(context: BackendContext): { command: string; version: string } | undefined {
  for (const command of ["python3", "python3.13", "python3.12", "python3.11", "python"]) {
    const version = ask(context, command, ["-I", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"])
    const [major, minor] = (version ?? "").split(".").map(Number)
    if (version !== undefined && major === 3 && (minor ?? 0) >= 11) return { command, version }
  }
  return undefined
}

/** One process at a time does the work in the folder; the lock of a process that is gone is taken over. */
export async function withLock<Value>(
  { progress, signal, sleep }: BackendContext,
  folder: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const lock = join(folder, "lock")
  for (let waits = 0; !takes(lock); waits++) {
    if (waits === 0) progress("another process is making the trainer environment; waiting for it")
    signal.throwIfAborted()
    await sleep(1000)
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

/** A lock appears whole, with its holder in it: a folder is not renamed to one that is there and holds a file. */
function takes(lock: string): boolean {
  const mine = `${lock}-${process.pid}`
  mkdirSync(mine, { recursive: true })
  writeFileSync(join(mine, "holder"), `${process.pid} ${startedTicks(process.pid) ?? ""}`)
  try {
    return isRenamed(mine, lock) || (!isHeld(lock) && isRenamed(mine, lock))
  } finally {
    rmSync(mine, { recursive: true, force: true })
  }
}

function isRenamed(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "EPERM", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return false
    throw error
  }
}

/** Whether the holder lives; removes the lock of one that does not. */
function isHeld(lock: string): boolean {
  let holder: string[]
  try {
    holder = readFileSync(join(lock, "holder"), "utf8").split(" ")
  } catch {
    return false
  }
  const isHeld = isAlive(Number(holder[0]), holder[1] ? Number(holder[1]) : null)
  // Two that take over at once make two environments, each in a folder of its own: the later one counts.
  if (!isHeld) rmSync(lock, { recursive: true, force: true })
  return isHeld
}
