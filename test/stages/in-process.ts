import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { stringify } from "yaml"
import type { Assignment, RealInput, Seed } from "../../src/core/rows/example.ts"
import type { ChatModel, ModelAnswer, ModelRequest } from "../../src/core/contracts/model.ts"
import type { TaskSpecification } from "../../src/core/task/task.ts"
import type { StageContext } from "../../src/stages/context.ts"
import { SqliteLedger } from "../../src/store/ledger/sqlite-ledger.ts"
import { TaskRows } from "../../src/store/rows/task-rows.ts"
import { Workspace } from "../../src/store/workspace.ts"

/** A workspace with one task and its rows, for stages that are called in this process. */
export function workspaceWith(
  task: TaskSpecification,
  {
    seeds,
    inputs = [],
    splits = [],
  }: { seeds: readonly Seed[]; inputs?: readonly RealInput[]; splits?: readonly Assignment[] },
): { context: StageContext; rows: TaskRows; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-stage-"))
  mkdirSync(join(folder, "specs"))
  writeFileSync(join(folder, "specs", `${task.task}.yaml`), stringify(task))
  const workspace = Workspace.open(folder)
  const rows = new TaskRows(workspace, task.task)
  rows.writeSeeds(seeds)
  rows.writeInputs(inputs)
  rows.addAssignments(splits)
  return { context: contextOf(workspace), rows, folder }
}

function contextOf(workspace: Workspace): StageContext {
  const now = () => new Date("2026-11-24T12:00:00Z")
  const ledger = SqliteLedger.open(workspace.ledgerFile, now)
  return {
    workspace,
    ledger: () => ledger,
    readLedger: () => ledger,
    now,
    monotonicMs: () => performance.now(),
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
    toolVersion: "0.0.0",
    consent: () => Promise.reject(new Error("nobody is to be asked here")),
    report: { note: () => undefined, warn: () => undefined, progress: () => undefined },
  }
}

/** Stands in for a vendor's model: keeps what it was asked, and answers by the function. */
export class ScriptedModel implements ChatModel {
  readonly name = "scripted"
  readonly baseUrl = "http://127.0.0.1:1/v1"
  readonly asked: ModelRequest[] = []
  answer: (request: ModelRequest, number: number) => string | Partial<ModelAnswer>

  constructor(answer: (request: ModelRequest, number: number) => string | Partial<ModelAnswer>) {
    this.answer = answer
  }

  ask(request: ModelRequest) {
    this.asked.push(request)
    const answer = this.answer(request, this.asked.length)
    const said = typeof answer === "string" ? { text: answer } : { text: "", ...answer }
    return Promise.resolve({ inputTokens: 1, outputTokens: 1, ...said })
  }
}
