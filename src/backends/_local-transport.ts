import { spawn } from "node:child_process"
import { closeSync, cpSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { ProviderError } from "../core/errors.ts"
import { isAlive, signalGroup, startedTicks } from "./_processes.ts"
import type { DetachedCommand, FilePart, ProcessRef, Transport } from "./_transport.ts"

/** This machine: every file is at its place already. */
export const localTransport: Transport = {
  name: "local",
  place: (local) => local,
  put: async (local, remote) => copy(local, remote),
  get: async (remote, local) => copy(remote, local),
  start,
  read: async (path, offset = 0) => readPart(path, offset),
  isAlive: async (process) => isAlive(process.pid, process.startedTicks),
  signal: async ({ pid, startedTicks: began }, signal) => {
    if (isAlive(pid, began)) signalGroup(pid, `SIG${signal}`)
  },
}

function copy(from: string, to: string): void {
  if (from === to) return
  const temporary = `${to}.${process.pid}.part`
  rmSync(temporary, { recursive: true, force: true })
  cpSync(from, temporary, { recursive: true })
  rmSync(to, { recursive: true, force: true })
  renameSync(temporary, to)
}

async function start({ words, environment, folder, log }: DetachedCommand): Promise<ProcessRef> {
  const [command, ...rest] = words
  mkdirSync(folder, { recursive: true })
  mkdirSync(dirname(log), { recursive: true })
  const descriptor = openSync(log, "a")
  try {
    const child = spawn(command, rest, {
      cwd: folder,
      detached: true,
      stdio: ["ignore", descriptor, descriptor],
      env: { ...environment },
    })
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject))
    child.unref()
    const pid = child.pid ?? -1
    return { pid, startedTicks: startedTicks(pid) }
  } catch (error) {
    throw new ProviderError(`${command} cannot be started: ${error instanceof Error ? error.message : String(error)}`, {
      provider: "local",
      cause: error,
    })
  } finally {
    closeSync(descriptor)
  }
}

function readPart(path: string, offset: number): FilePart | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, "r")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    throw error
  }
  try {
    const { size } = fstatSync(descriptor)
    const bytes = Buffer.alloc(Math.max(0, size - offset))
    const length = bytes.length === 0 ? 0 : readSync(descriptor, bytes, 0, bytes.length, offset)
    return { bytes: bytes.subarray(0, length), size }
  } finally {
    closeSync(descriptor)
  }
}
