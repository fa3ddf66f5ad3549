import { execFileSync, spawn } from "node:child_process"
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isAlive, signalGroup } from "../../src/backends/_processes.ts"
import { packageRoot } from "../../src/cli/version.ts"
import type {
  BackendContext,
  FineTuneBackend,
  GenerationRequest,
  RunFiles,
  TrainingPlan,
} from "../../src/core/contracts/backend.ts"
import { parseJson } from "../../src/core/json-text.ts"
import { jobSchema } from "../../src/core/training/job.ts"
import type { BackendCase } from "./contract.ts"

/** Where a runner's files are, and how to open it: all that a process of its own needs to know. */
export interface RunnerPlace {
  readonly workspace: string
  /** A module whose function `open(context, place)` makes the backend. */
  readonly module: string
  /** Where a file of this machine lies on the runner. */
  readonly root: string
}

export interface Opener {
  open(context: BackendContext, place: RunnerPlace): FineTuneBackend
}

/** A runner with a stand-in for the trainer's scripts, which obeys. */
export async function runnerCase(
  module: string,
  options: { readonly root?: string; readonly workspace?: string } = {},
): Promise<
  BackendCase & {
    readonly workspace: string
    readonly generation: GenerationRequest
    isWorking(): boolean
  }
> {
  const workspace = options.workspace ?? mkdtempSync(join(tmpdir(), "tuneloop-runner-"))
  const place: RunnerPlace = { workspace, module, root: options.root ?? "" }
  const files = runFiles(workspace)
  makeFiles(workspace, files)
  const opener = (await import(module)) as Opener
  const remote = (local: string) => `${place.root}${local}`
  const generation = generationRequest(workspace)
  const states = [join(files.folder, "trainer"), generation.folder].map(remote)
  return {
    workspace,
    isWorking: () => states.some(isWorking),
    plan,
    files,
    generation,
    open: (signal) => opener.open(contextOf(workspace, signal), place),
    async begun() {
      const state = states.find((folder) => existsSync(join(folder, "process.json")))
      if (state === undefined) return 0
      // A process that found nothing to do ends without a note.
      await until(() => begun(state).includes(processOf(state)?.pid ?? 0) || !isWorking(state))
      return begun(state).length
    },
    async let(what) {
      await until(() => states.some(isWorking))
      appendFileSync(join(states.find(isWorking) ?? "", "control"), `${what}\n`)
    },
    async submitUnheard(submissionKey) {
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, "submit-and-die.ts"), JSON.stringify({ place, submissionKey })],
        { stdio: "inherit" },
      )
      const died = new Promise<void>((resolve) => child.on("exit", () => resolve()))
      await until(() => child.exitCode !== null || processOf(states[0] ?? "")?.submissionKey === submissionKey)
      child.kill("SIGKILL")
      await died
    },
    async close() {
      for (const state of states) if (isWorking(state)) signalGroup(processOf(state)?.pid ?? 0, "SIGKILL")
      rmSync(workspace, { recursive: true, force: true })
    },
  }
}

export const plan: TrainingPlan = {
  schemaVersion: 1,
  job: "mood",
  task: "mood",
  dataset: "ds_1",
  holdout: "hold_1",
  prompt: "pr_1",
  baseModel: "/models/tiny",
  revision: null,
  backend: { name: "local", options: {} },
  ...pick(jobSchema.parse({ job: "mood", task: "mood", baseModel: "/models/tiny" })),
  files: {
    train: { rows: 1, bytes: 10, digest: "sha256:1" },
    validation: { rows: 1, bytes: 10, digest: "sha256:2" },
  },
}

/** The interpreter itself: what stands on the PATH may be a script that looks for it each time. */
export const python = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim()

/** A context on this machine: `cut` is the signal of Ctrl-C. */
export function contextOf(workspace: string, signal = new AbortController().signal): BackendContext {
  return {
    environment: { ...process.env, TUNELOOP_PYTHON: python, OPENAI_API_KEY: "a key for models" },
    packageRoot: workspace,
    allowedHosts: [],
    fetch: () => Promise.reject(new Error("a runner asks no server")),
    now: () => new Date(),
    sleep: (milliseconds) =>
      new Promise((done) => {
        setTimeout(done, signal.aborted ? 0 : Math.min(milliseconds, 20))
      }),
    signal,
    progress: () => undefined,
  }
}

function pick({ objective, method, hyperparameters, seed }: ReturnType<typeof jobSchema.parse>) {
  return { objective, method, hyperparameters, seed }
}

export function runFiles(workspace: string): RunFiles {
  const folder = join(workspace, "jobs", "runs", "mood-1")
  return {
    run: "mood-1",
    folder,
    train: join(folder, "rendered", "train.jsonl"),
    validation: join(folder, "rendered", "validation.jsonl"),
    adapter: join(folder, "adapter"),
    checkpoints: join(folder, "checkpoints"),
  }
}

/** The trainer's own scripts with the stand-ins over them, and the rows. */
function makeFiles(workspace: string, files: RunFiles): void {
  cpSync(join(packageRoot, "trainer"), join(workspace, "trainer"), {
    recursive: true,
    filter: (path) => !/\/(tests|__pycache__)$/.test(path),
  })
  cpSync(join(import.meta.dirname, "stand-in-trainer"), join(workspace, "trainer"), { recursive: true })
  mkdirSync(join(files.folder, "rendered"), { recursive: true })
  for (const file of [files.train, files.validation, join(workspace, "rows.jsonl")])
    writeFileSync(file, '{"id":"a","messages":[]}\n{"id":"b","messages":[]}\n')
}

function generationRequest(workspace: string): GenerationRequest {
  return {
    base: { model: "/models/tiny", revision: null },
    jobs: [
      {
        name: "zero-shot",
        model: { kind: "base", model: "/models/tiny", revision: null },
        rows: join(workspace, "rows.jsonl"),
        predictions: join(workspace, "predictions", "zero-shot.jsonl"),
        maxNewTokens: 3,
        latency: false,
      },
    ],
    batchSize: 1,
    latencyRows: 0,
    seed: 1,
    folder: join(workspace, "predictions", "work"),
  }
}

function processOf(state: string): { pid: number; startedTicks: number; submissionKey: string | null } | undefined {
  const file = join(state, "process.json")
  return existsSync(file) ? (parseJson(readFileSync(file, "utf8")) as ReturnType<typeof processOf>) : undefined
}

function isWorking(state: string): boolean {
  const known = processOf(state)
  return known !== undefined && isAlive(known.pid, known.startedTicks)
}

function begun(state: string): number[] {
  const file = join(state, "begun")
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1).map(Number) : []
}

/** Waits for what another process does. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("waited a minute in vain")
    await new Promise((done) => setTimeout(done, 5))
  }
}
