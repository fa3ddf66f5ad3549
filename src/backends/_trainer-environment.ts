import { spawn, spawnSync } from "node:child_process"
import { hash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import type { BackendContext, Check } from "../core/contracts/backend.ts"
import { ProviderError, ToolkitError } from "../core/errors.ts"
import { isAlive } from "./_processes.ts"

/** Room for torch's CUDA build and all the rest (5.7 GB measured), and for what is unpacked on the way. */
const neededBytes = 7.5e9
const sizeNote = "about 2.5 GB to download, 6 GB on disk"

/** What can be asked for on top of the trainer itself. */
export type Extra = "sample-model" | "serve" | "test"

/**
 * The Python that runs the trainer, with everything it needs: `TUNELOOP_PYTHON` as it is, or an environment made once
 * in the user's cache folder under the digest of the pinned requirements, so that every workspace shares it. Made by
 * `uv` where there is one, by venv and pip otherwise. A half-made environment is made again. Starts no process when all
 * is there.
 */
export async function trainerPython(context: BackendContext, extras: readonly Extra[] = []): Promise<string> {
  const own = context.environment["TUNELOOP_PYTHON"]
  if (own) {
    if (!existsSync(own) && spawnSync(own, ["--version"]).status !== 0)
      throw new ToolkitError(`TUNELOOP_PYTHON names ${own}, which cannot be run`, {
        code: "no-python",
        exitCode: 2,
        hint: "Name the python of an environment that has trainer/requirements.txt, or unset it.",
      })
    return own
  }
  const folder = environmentFolder(context)
  const python = pythonIn(folder)
  const missing = (["base", ...extras] as const).filter((part) => !existsSync(marker(folder, part)))
  if (missing.length === 0) return python
  mkdirSync(folder, { recursive: true })
  await withLock(context, folder, async () => {
    for (const part of missing) {
      if (existsSync(marker(folder, part))) continue
      await install(context, folder, part)
      writeFileSync(marker(folder, part), `${JSON.stringify({ requirements: requirementsFile(part) })}\n`)
    }
  })
  return python
}

/** The Python of `trainerPython` where it is there already; undefined otherwise. Makes and installs nothing. */
export function madeTrainerPython(context: BackendContext, extras: readonly Extra[] = []): string | undefined {
  const own = context.environment["TUNELOOP_PYTHON"]
  if (own) return spawnSync(own, ["--version"]).status === 0 ? own : undefined
  const folder = environmentFolder(context)
  return (["base", ...extras] as const).every((part) => existsSync(marker(folder, part))) ? pythonIn(folder) : undefined
}

/** What `doctor` says of Python and the environment. */
export function environmentChecks(context: BackendContext): Check[] {
  const own = context.environment["TUNELOOP_PYTHON"]
  if (own)
    return [
      {
        name: "trainer environment",
        status: spawnSync(own, ["--version"]).status === 0 ? "ok" : "failed",
        detail: `TUNELOOP_PYTHON: ${own}`,
        hint: "Name a python that can be run.",
      },
    ]
  const python = findPython(context)
  const folder = environmentFolder(context)
  const free = freeBytes(folder)
  const isMade = existsSync(marker(folder, "base"))
  return [
    python
      ? { name: "python", status: "ok", detail: `${python.version} (${python.command})` }
      : {
          name: "python",
          status: "missing",
          detail: "no Python 3.11 or newer on the PATH",
          hint: "Install Python, or set TUNELOOP_PYTHON.",
        },
    isMade
      ? { name: "trainer environment", status: "ok", detail: folder }
      : {
          name: "trainer environment",
          status: "missing",
          detail: `will be made in ${folder} on the first training (${sizeNote})`,
        },
    {
      name: "disk",
      status: free > (isMade ? 1e9 : neededBytes) ? "ok" : "failed",
      detail: `${gigabytes(free)} free for the trainer environment and runs`,
      hint: "Free some disk space, or set TUNELOOP_CACHE to a folder with more.",
    },
  ]
}

function environmentFolder(context: BackendContext): string {
  return join(
    cacheFolder(context),
    `trainer-${hash("sha256", readFileSync(join(context.packageRoot, "trainer", "requirements.txt")), "hex").slice(0, 12)}`,
  )
}

function cacheFolder({ environment }: BackendContext): string {
  const home = environment["HOME"] ?? environment["USERPROFILE"] ?? "."
  if (environment["TUNELOOP_CACHE"]) return environment["TUNELOOP_CACHE"]
  if (environment["XDG_CACHE_HOME"]) return join(environment["XDG_CACHE_HOME"], "tuneloop")
  if (process.platform === "darwin") return join(home, "Library", "Caches", "tuneloop")
  if (process.platform === "win32") return join(environment["LOCALAPPDATA"] ?? home, "tuneloop")
  return join(home, ".cache", "tuneloop")
}

function marker(folder: string, part: "base" | Extra): string {
  return join(folder, `complete-${part}.json`)
}

function requirementsFile(part: "base" | Extra): string {
  return part === "base" ? "requirements.txt" : `requirements-${part}.txt`
}

function pythonIn(folder: string): string {
  return process.platform === "win32"
    ? join(folder, "venv", "Scripts", "python.exe")
    : join(folder, "venv", "bin", "python")
}

async function install(context: BackendContext, folder: string, part: "base" | Extra): Promise<void> {
  const requirements = join(context.packageRoot, "trainer", requirementsFile(part))
  const python = findPython(context)
  if (!python)
    throw new ToolkitError("no Python 3.11 or newer on the PATH", {
      code: "no-python",
      hint: "Install Python 3.11 or newer, or set TUNELOOP_PYTHON to an environment that has trainer/requirements.txt.",
    })
  if (part === "base") {
    const free = freeBytes(folder)
    if (free < neededBytes)
      throw new ToolkitError(
        `the trainer environment needs ${gigabytes(neededBytes)} and ${folder} has ${gigabytes(free)} free`,
        {
          code: "no-space",
          hint: "Free some disk space, or set TUNELOOP_CACHE to a folder with more.",
        },
      )
    context.progress(`making the trainer environment, once, in ${folder} (${sizeNote})`)
    rmSync(join(folder, "venv"), { recursive: true, force: true })
  } else context.progress(`adding ${requirementsFile(part)} to the trainer environment`)
  const options = part === "sample-model" ? ["--no-deps"] : []
  const uv = await findUv(context, folder, python.command)
  if (uv !== undefined) {
    const environment = {
      ...context.environment,
      ...uvIndex(context, python.command),
      VIRTUAL_ENV: join(folder, "venv"),
      UV_HTTP_RETRIES: "1",
    }
    try {
      if (!existsSync(pythonIn(folder)))
        await runStep(context, uv, ["venv", "--quiet", "--python", python.command, join(folder, "venv")], environment)
      await runStep(
        context,
        uv,
        ["pip", "install", "--python", pythonIn(folder), ...options, "-r", requirements],
        environment,
      )
      return
    } catch (error) {
      if (context.signal.aborted) throw error
      // uv does not read pip's configuration: behind a private index pip may get through where uv does not.
      context.progress("uv did not get through; trying pip")
      if (part === "base") rmSync(join(folder, "venv"), { recursive: true, force: true })
    }
  }
  if (!existsSync(pythonIn(folder)))
    await runStep(context, python.command, ["-m", "venv", join(folder, "venv")], context.environment)
  await runStep(
    context,
    pythonIn(folder),
    [
      "-m",
      "pip",
      "install",
      "--retries",
      "1",
      "--disable-pip-version-check",
      "--progress-bar",
      "off",
      ...options,
      "-r",
      requirements,
    ],
    context.environment,
  )
}

/**
 * uv from the PATH, or from the package index into a small environment beside; undefined where neither is to be had.
 */
async function findUv(context: BackendContext, folder: string, python: string): Promise<string | undefined> {
  const found = onPath(context, process.platform === "win32" ? "uv.exe" : "uv")
  if (found !== undefined) return found
  const home = join(folder, "uv")
  const uv = process.platform === "win32" ? join(home, "Scripts", "uv.exe") : join(home, "bin", "uv")
  if (existsSync(uv)) return uv
  try {
    await runStep(context, python, ["-m", "venv", home], context.environment)
    await runStep(
      context,
      join(uv, "..", process.platform === "win32" ? "python.exe" : "python"),
      ["-m", "pip", "install", "--quiet", "--retries", "0", "--disable-pip-version-check", "uv"],
      context.environment,
    )
    return existsSync(uv) ? uv : undefined
  } catch (error) {
    if (context.signal.aborted) throw error
    rmSync(home, { recursive: true, force: true })
    return undefined
  }
}

/** The index that pip is configured with, for uv, which does not read pip's configuration. */
function uvIndex(context: BackendContext, python: string): Record<string, string> {
  const environment = context.environment as NodeJS.ProcessEnv
  const index =
    environment["PIP_INDEX_URL"] ??
    (
      spawnSync(python, ["-m", "pip", "config", "get", "global.index-url"], { env: environment, encoding: "utf8" })
        .stdout ?? ""
    ).trim()
  return index && !environment["UV_DEFAULT_INDEX"] ? { UV_DEFAULT_INDEX: index } : {}
}

function findPython(context: BackendContext): { command: string; version: string } | undefined {
  for (const command of ["python3", "python3.13", "python3.12", "python3.11", "python"]) {
    const { status, stdout } = spawnSync(command, ["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"], {
      env: context.environment as NodeJS.ProcessEnv,
      encoding: "utf8",
    })
    const [major, minor] = (stdout ?? "").split(".").map(Number)
    if (status === 0 && major === 3 && (minor ?? 0) >= 11) return { command, version: stdout.trim() }
  }
  return undefined
}

function onPath({ environment }: BackendContext, name: string): string | undefined {
  return (environment["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))
}

/** Runs a command with its last line as progress; a failure carries the end of what it said. */
async function runStep(
  context: BackendContext,
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const child = spawn(command, args, {
    env: environment as NodeJS.ProcessEnv,
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
  if (code !== 0) {
    const lines = said.trim().split("\n")
    const telling = lines.filter((line) => /error|failed|could not|no matching|caused by/i.test(line)).slice(0, 4)
    throw new ProviderError(
      `the trainer environment could not be made: ${(telling.length > 0 ? telling : lines.slice(-3)).map((line) => line.trim()).join(" / ")}`,
      {
        provider: "local",
        hint: "Check the network and the package index (PIP_INDEX_URL), or set TUNELOOP_PYTHON to an environment that has trainer/requirements.txt; then run the command again.",
      },
    )
  }
}

/** One process at a time makes the environment; the lock of a dead process is taken over. */
async function withLock(context: BackendContext, folder: string, work: () => Promise<void>): Promise<void> {
  const lock = join(folder, "lock.json")
  for (let told = false; ; ) {
    try {
      writeFileSync(lock, JSON.stringify({ pid: process.pid }), { flag: "wx" })
      break
    } catch {
      if (!isAlive(lockHolder(lock), null)) {
        rmSync(lock, { force: true })
        continue
      }
      if (!told) context.progress("another process is making the trainer environment; waiting for it")
      told = true
      context.signal.throwIfAborted()
      await context.sleep(1000)
    }
  }
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function lockHolder(lock: string): number {
  try {
    return (JSON.parse(readFileSync(lock, "utf8")) as { pid: number }).pid
  } catch {
    return -1
  }
}

function freeBytes(folder: string): number {
  let existing = folder
  while (!existsSync(existing)) existing = join(existing, "..")
  const { bavail, bsize } = statfsSync(existing)
  return bavail * bsize
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
