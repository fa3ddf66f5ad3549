import { spawn, spawnSync } from "node:child_process"
import { linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BackendContext } from "../core/contracts/backend.ts"
import { ProviderError, redactSecrets } from "../core/errors.ts"
import { installerEnvironment } from "./_process-environment.ts"
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
    env: { ...installerEnvironment(context), ...settings },
    stdio: ["ignore", "pipe", "pipe"],
    signal: context.signal,
  })
  let said = ""
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-8000)
    const [line] = linesOf(said).slice(-1)
    if (line) context.progress(`trainer environment: ${redactSecrets(line).slice(0, 100)}`)
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
  const lines = linesOf(said)
  const first = lines.findIndex((line) => /error|failed|could not|no matching|apt install/i.test(line))
  return redactSecrets((first < 0 ? lines.slice(-3) : lines.slice(first, first + 4)).join(" / "))
}

function linesOf(said: string): string[] {
  const lines = said.split(/[\r\n]/).map((line) => line.trim())
  return lines.filter((line) => line !== "")
}

/** What a command that takes no time prints; undefined where it does not run or fails. It stands in an empty folder. */
export function ask(context: BackendContext, command: string, words: readonly string[]): string | undefined {
  const cwd = mkdtempSync(join(tmpdir(), "tuneloop-ask-"))
  try {
    const { status, stdout } = spawnSync(command, words, { cwd, env: installerEnvironment(context), encoding: "utf8" })
    return status === 0 ? stdout.trim() : undefined
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
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
  const mine = `${lock}-${process.pid}`
  // One that a killed process of this number left may be a lock under its second name.
  rmSync(mine, { force: true })
  writeFileSync(mine, `${process.pid} ${startedTicks(process.pid) ?? ""}`)
  try {
    for (let waits = 0; !takes(lock, mine); waits++) {
      if (waits === 0) progress("another process is making the trainer environment; waiting for it")
      signal.throwIfAborted()
      await sleep(1000)
    }
  } finally {
    rmSync(mine, { force: true })
  }
  return work().finally(() => rmSync(lock, { force: true }))
}

/** A link appears with its holder in it. Two that take over at once make two environments: the later one counts. */
function takes(lock: string, mine: string): boolean {
  try {
    linkSync(mine, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  const [pid, ticks] = readIfThere(lock)?.split(" ") ?? []
  if (pid === undefined || isAlive(Number(pid), ticks ? Number(ticks) : null)) return false
  rmSync(lock, { force: true })
  return takes(lock, mine)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}
