import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import openai from "../../../src/models/openai.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import type { PlannedPrompt } from "../../../src/core/contracts/strategy.ts"
import type { PlannedRequest } from "../../../src/stages/asking/request.ts"
import { growingRequests } from "../../../src/stages/growing/asking-terms.ts"
import type { StageContext } from "../../../src/stages/context.ts"
import { SqliteLedger } from "../../../src/store/ledger/sqlite-ledger.ts"
import { Workspace } from "../../../src/store/workspace.ts"

export interface AskingBench {
  readonly folder: string
  readonly context: StageContext
  readonly task: TaskSpecification
  readonly model: () => ReturnType<typeof openai.create>
  /** What was said to a person. */
  readonly said: string[]
  readonly abort: AbortController
  requests(count: number, from?: number): PlannedRequest[]
}

/** A workspace with one task, whose model is the server, in this process: the stage without the command line. */
export function askingBench(
  baseUrl: string,
  given: {
    readonly expand?: object
    readonly files?: Readonly<Record<string, string>>
    readonly folder?: string
    readonly words?: (index: number) => string
    readonly maxTokens?: number
    /** How many times faster time goes. */
    readonly haste?: number
  } = {},
): AskingBench {
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), "tuneloop-asking-"))
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(given.files ?? {})) writeFileSync(join(folder, name), text)
  const workspace = Workspace.open(folder)
  const ledger = SqliteLedger.open(workspace.ledgerFile, () => new Date())
  const said: string[] = []
  const { haste = 1 } = given
  const abort = new AbortController()
  const context: StageContext = {
    workspace,
    ledger: () => ledger,
    readLedger: () => ledger,
    now: () => new Date(),
    monotonicMs: () => performance.now() * haste,
    sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds / haste)),
    signal: abort.signal,
    toolVersion: "test",
    consent: () => Promise.reject(new Error("nobody is to be asked here")),
    report: { note: (line) => said.push(line), warn: (line) => said.push(line), progress: () => undefined },
  }
  const task = taskSchema.parse({
    task: "t",
    kind: "text",
    description: "Say something.",
    input: { body: {} },
    expand: { model: { model: "m", baseUrl, maxTokens: given.maxTokens ?? 100 }, ...given.expand },
  })
  const model = () =>
    openai.create({ OPENAI_API_KEY: "none" }, { baseUrl, fetch: globalThis.fetch, readText: () => "" })
  const requests = (count: number, from = 0) => {
    const prompts = Array.from({ length: count }, (_, index): PlannedPrompt => {
      const content = given.words?.(from + index) ?? `Question ${from + index}?`
      return { messages: [{ role: "user", content }], parents: [], seed: from + index, wanted: 1 }
    })
    return growingRequests(context, task, prompts, { model, environmentModel: "m" })
  }
  return { folder, context, task, model, said, abort, requests }
}
