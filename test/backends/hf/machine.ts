import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import type { HubServer } from "./server.ts"
import type { ServedJob } from "./served.ts"

/** The server has no store for Xet, which Python's client would use where its library is installed. */
export const withoutXet = { HF_HUB_DISABLE_XET: "1" }

/**
 * Runs the command of each job in a process, as the service's machines do: volumes are folders, secrets and variables
 * are the environment and nothing else is, what it prints is the job's log. A folder plays the machine's disk, and
 * takes the place of `/` in the names of mounts.
 */
export class Machine {
  readonly #server: HubServer
  readonly #python: string
  readonly #folder: string
  readonly #running = new Map<ServedJob, ChildProcess>()

  constructor(server: HubServer, python: string, folder: string) {
    this.#server = server
    this.#python = python
    this.#folder = folder
    server.onJob = (job) => this.#take(job)
    server.onCancel = (job) => void this.#running.get(job)?.kill("SIGTERM")
  }

  /** Resolves when no job runs. */
  async rest(): Promise<void> {
    while (this.#running.size > 0) await new Promise((done) => setTimeout(done, 50))
  }

  close(): void {
    for (const child of this.#running.values()) child.kill("SIGKILL")
  }

  #take(job: ServedJob): void {
    const disk = join(this.#folder, job.id)
    const { command, environment, secrets, volumes = [] } = job.asked
    for (const { source, mountPath } of volumes)
      for (const [path, { content }] of this.#server.store.repositories.get(source)?.files ?? []) {
        const file = join(disk, mountPath, path)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, content)
      }
    mkdirSync(join(disk, "tmp"), { recursive: true })
    const own = { PATH: process.env["PATH"] ?? "", HOME: disk, TMPDIR: join(disk, "tmp"), JOB_ID: job.id }
    const [program = "", ...words] = command.map((word) =>
      volumes.reduce((text, { mountPath }) => onDisk(text, mountPath, disk), word),
    )
    const child = spawn(program === "python3" ? this.#python : program, words, {
      cwd: disk,
      env: { ...own, ...withoutXet, TUNELOOP_PYTHON: this.#python, ...environment, ...secrets },
      stdio: ["ignore", "pipe", "pipe"],
    })
    this.#running.set(job, child)
    this.#server.begin(job)
    job.log.splice(0)
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => this.#server.say(job, line))
    child.on("close", (code) => {
      this.#running.delete(job)
      if (job.stage === "RUNNING")
        this.#server.end(job, code === 0 ? "COMPLETED" : "ERROR", code === 0 ? null : `Exit code ${code}`)
    })
  }
}

function onDisk(text: string, mount: string, disk: string): string {
  return text === mount || text.startsWith(`${mount}/`) ? join(disk, text) : text
}
