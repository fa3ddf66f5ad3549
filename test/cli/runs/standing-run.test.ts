import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { resolveFinishedRun, resolveRun } from "../../../src/cli/resolve-run.ts"
import type { Host } from "../../../src/cli/host.ts"
import { trainingStanding } from "../../../src/cli/standing-run.ts"
import type { RunEventBody } from "../../../src/core/training/run.ts"
import { freeReportFile } from "../../../src/store/rows/run-files.ts"
import { stageContext } from "../../stages/training/workspace.ts"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tuneloop-standing-"))
})

const job = { backend: "quick", id: "1", submissionKey: "k" }
const model = { kind: "hosted", backend: "quick", id: "m" } as const
const endings: Readonly<Record<string, readonly RunEventBody[]>> = {
  succeeded: [
    { type: "submitted", job },
    { type: "model-ready", model },
    { type: "state-changed", state: "succeeded" },
  ],
  running: [
    { type: "submitted", job },
    { type: "state-changed", state: "running" },
  ],
  cancelled: [
    { type: "submitted", job },
    { type: "state-changed", state: "cancelled" },
  ],
  failed: [
    { type: "submitted", job },
    { type: "state-changed", state: "failed" },
  ],
}

/** Runs by how they ended, the oldest first, each with the verdict on it where there is one. */
async function standing(...runs: readonly [state: string, verdict?: string][]) {
  let second = 0
  const context = stageContext(folder, { now: () => new Date(Date.UTC(2026, 10, 24, 12, 0, second++)) })
  for (const [number, [state, verdict]] of runs.entries()) {
    const run = `run-${number}`
    await context.ledger().runs.create({ run, job: "mood", task: "mood", plan: `sha256:${number}` })
    await context.ledger().runs.appendEvents(run, endings[state] ?? [])
    if (verdict === undefined) continue
    const evaluations = join(context.workspace.runFolder(run), "evaluations")
    mkdirSync(evaluations, { recursive: true })
    const at = `2026-11-24T13:00:0${number}Z`
    const result = { evaluation: `eval_${number}`, run, task: "mood", at, verdict, report: `${run}/report.html` }
    writeFileSync(join(evaluations, `eval_${number}.json`), JSON.stringify(result))
  }
  return context
}

describe("where the trainings of a task stand", () => {
  it.each<[string, [string, string?][], object]>([
    ["nothing was trained", [], { run: null, verdict: null, promoted: null }],
    [
      "a newer run was cancelled",
      [["succeeded", "promote"], ["cancelled"]],
      { run: { id: "run-0", state: "succeeded" }, verdict: { run: "run-0", verdict: "promote" }, promoted: null },
    ],
    [
      "a newer run is at work",
      [["succeeded", "promote"], ["running"]],
      { run: { id: "run-1", state: "running" }, verdict: { run: "run-0", verdict: "promote" }, promoted: null },
    ],
    [
      "a newer run was rejected",
      [["succeeded", "promote"], ["cancelled"], ["succeeded", "reject"]],
      { run: { id: "run-2" }, verdict: { run: "run-2", verdict: "reject" }, promoted: "run-0" },
    ],
    [
      "a newer run failed",
      [["succeeded", "undecided"], ["failed"]],
      { run: { id: "run-1", state: "failed" }, verdict: { run: "run-0", verdict: "undecided" }, promoted: null },
    ],
    ["all were cancelled", [["cancelled"], ["cancelled"]], { run: { id: "run-1", state: "cancelled" }, verdict: null }],
  ])("when %s", async (_name, runs, expected) => {
    expect(await trainingStanding(await standing(...runs), "mood")).toMatchObject(expected)
  })
})

it.each<[string, [string, string?][], string]>([
  ["one that is at work", [["succeeded"], ["running"]], "run-0"],
  ["one that was cancelled", [["succeeded"], ["succeeded"], ["cancelled"]], "run-1"],
  ["one that failed", [["succeeded"], ["failed"]], "run-0"],
  ["none that finished", [["running"], ["failed"]], "run-1"],
])("evaluate latest is the newest run that finished, past %s", async (_name, runs, expected) => {
  const context = await standing(...runs)
  const host = { context: () => context } as unknown as Host
  expect(await resolveFinishedRun(host, "latest")).toBe(expected)
  expect(await resolveRun(host, "latest")).toBe(`run-${runs.length - 1}`)
  expect(await resolveFinishedRun(host, "run-0")).toBe("run-0")
})

it("a report never gets a name that is taken", async () => {
  const { workspace } = await standing(["succeeded"])
  mkdirSync(workspace.runFolder("run-0"), { recursive: true })
  const names = ["eval_a", "eval_b", "eval_b", "eval_a"].map((evaluation) => {
    const file = freeReportFile(workspace, "run-0", evaluation)
    writeFileSync(file, evaluation)
    return file.slice(workspace.runFolder("run-0").length + 1)
  })
  expect(names).toEqual(["report.html", "report-eval_b.html", "report-eval_b-2.html", "report-eval_a.html"])
})
