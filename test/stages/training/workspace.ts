import { cpSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { packageRoot } from "../../../src/cli/version.ts"
import type { BackendContext, FineTuneBackend } from "../../../src/core/contracts/backend.ts"
import type { Json } from "../../../src/core/canonical.ts"
import { labelsOf } from "../../../src/core/task/task.ts"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { build } from "../../../src/stages/building/build.ts"
import type { PaidTraining, StageContext } from "../../../src/stages/context.ts"
import { SqliteLedger } from "../../../src/store/ledger/sqlite-ledger.ts"
import { makeFolder } from "../../../src/store/files/files.ts"
import { Workspace } from "../../../src/store/workspace.ts"

const specification = `schemaVersion: 1
task: mood
description: The mood of a message.
kind: label
input: {body: {description: The message}}
output: {labels: {good: a good mood, bad: a bad mood, other: no mood}, outOfScope: other}
prompt: {system: "Name the mood.", user: "{{body}}"}
`

let built: Promise<string> | undefined

/** A workspace with a built version and a job, in a folder of its own. */
export async function trainableWorkspace(job: Readonly<Record<string, Json>> = {}): Promise<string> {
  built ??= builtWorkspace()
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-train-"))
  cpSync(await built, folder, { recursive: true })
  const settings = { schemaVersion: 1, job: "mood", task: "mood", baseModel: "gpt-4.1-mini-2025-04-14", ...job }
  writeFileSync(join(folder, "jobs", "mood.yaml"), `${JSON.stringify(settings)}\n`)
  return folder
}

async function builtWorkspace(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-train-"))
  for (const name of ["specs", "jobs"]) makeFolder(join(folder, name))
  writeFileSync(join(folder, "specs", "mood.yaml"), specification)
  const context = stageContext(folder)
  const task = context.workspace.readTask("mood")
  const labels = labelsOf(task)
  const rows = Array.from({ length: 24 }, (_, n) => ({
    input: { body: [`w${n}x`, `q${n * 7}y`, `z${n * 13}v`, `k${n * 29}t`].join(" ") },
    output: labels[n % labels.length],
    ...(n < 16 ? { split: "train" } : {}),
  }))
  writeFileSync(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  await importSeeds(context, task, [join(folder, "rows.jsonl")], { skipInvalid: false })
  await build(context, task, [])
  return folder
}

interface Circumstances {
  readonly now?: () => Date
  readonly signal?: AbortSignal
  readonly sleep?: (milliseconds: number) => Promise<void>
  readonly consent?: (act: PaidTraining) => Promise<void>
  readonly said?: string[]
}

/** What a stage is given in the workspace, with the real ledger. Whoever is asked for money agrees. */
export function stageContext(folder: string, circumstances: Circumstances = {}): StageContext {
  const { now = () => new Date(), said = [] } = circumstances
  const workspace = Workspace.open(folder)
  let opened: SqliteLedger | undefined
  const ledger = () => (opened ??= SqliteLedger.open(workspace.ledgerFile, now))
  return {
    workspace,
    ledger,
    readLedger: ledger,
    now,
    monotonicMs: () => performance.now(),
    sleep:
      circumstances.sleep ?? ((milliseconds) => new Promise((done) => setTimeout(done, Math.min(milliseconds, 20)))),
    signal: circumstances.signal ?? new AbortController().signal,
    toolVersion: "0.0.0",
    consent: circumstances.consent ?? (() => Promise.resolve()),
    report: {
      note: (message) => void said.push(message),
      warn: (message) => void said.push(message),
      progress: (message) => void said.push(message),
    },
  }
}

/** What a backend is given in a test. */
export function backendContext(environment: Readonly<Record<string, string>>, now = () => new Date()): BackendContext {
  return {
    environment,
    packageRoot,
    allowedHosts: ["127.0.0.1"],
    fetch,
    now,
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
    progress: () => undefined,
  }
}

/** A backend of which each part can be told what to do: it trains nothing and counts its jobs. */
export function scriptedBackend(parts: Partial<FineTuneBackend> = {}): FineTuneBackend & { readonly jobs: string[] } {
  const jobs: string[] = []
  return {
    name: "scripted",
    kind: "runner",
    capabilities: () => ({ objectives: ["sft"], methods: ["lora"], asOf: "2026-11-30", source: "this test" }),
    check: async () => [],
    estimate: async () => ({ figures: [] }),
    submit: async (_plan, files, { submissionKey }) => {
      jobs.push(submissionKey)
      makeFolder(files.adapter)
      return { backend: "scripted", id: String(jobs.length), submissionKey }
    },
    find: async () => undefined,
    poll: async () => ({ state: "succeeded", events: [], cursor: "1" }),
    cancel: async () => undefined,
    ...parts,
    jobs,
  }
}
