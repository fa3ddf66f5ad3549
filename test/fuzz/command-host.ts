import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"

/** How a command line ended; `code` is undefined where it did not within the time, or took its process with it. */
export interface Ended {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

const patienceMs = 30_000

/** Runs command lines one by one in one process, which is started anew after one that hangs or breaks it. */
export class CommandHost {
  #child: ChildProcess | undefined

  async run(words: readonly string[]): Promise<Ended> {
    this.#child ??= start()
    const child = this.#child
    let stderr = ""
    const hear = (chunk: Buffer) => {
      stderr += chunk.toString()
    }
    child.stderr?.on("data", hear)
    const ended = await new Promise<Ended>((resolve) => {
      const lost = (why: string) => {
        this.stop()
        resolve({ code: undefined, stdout: "", stderr: `${why}\n${stderr}` })
      }
      const timer = setTimeout(() => lost(`did not end within ${patienceMs / 1000} s`), patienceMs)
      child.once("exit", (code, signal) => {
        clearTimeout(timer)
        lost(`its process ended with ${code ?? signal}`)
      })
      child.once("message", (message) => {
        clearTimeout(timer)
        child.removeAllListeners("exit")
        resolve(message as Ended)
      })
      child.send(words)
    })
    child.stderr?.off("data", hear)
    return ended
  }

  stop(): void {
    this.#child?.removeAllListeners("exit")
    this.#child?.kill("SIGKILL")
    this.#child = undefined
  }
}

/** A process without any setting of this machine, and in which nothing can start Python. */
function start(): ChildProcess {
  const { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE } = process.env
  return fork(join(import.meta.dirname, "command-process.ts"), {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: ["--max-old-space-size=1024"],
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, NO_COLOR: "1", CI: "1", TUNELOOP_PYTHON: "/nonexistent/python" },
  })
}
