import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { BatchServer } from "../models/batch-server.ts"
import { runTuneloop } from "./checkout.ts"
import { copyFixture, fixtureRuns } from "./fixture.ts"
import golden from "./golden-ids.json" with { type: "json" }
import { ledgerRows } from "./ledger-dump.ts"
import { startServer } from "./scenario.ts"
import { completeBatch } from "./scenario-asking.ts"

const checkout = resolve(import.meta.dirname, "..", "..")
let workspace: string
beforeEach(() => {
  workspace = realpathSync(mkdtempSync(join(tmpdir(), "tuneloop-continued-")))
  copyFixture(workspace)
})

const tuneloop = (words: readonly string[], environment: Record<string, string> = {}) =>
  runTuneloop(checkout, workspace, words, environment)
const ledger = () => ledgerRows(join(workspace, ".tuneloop", "ledger.db"))
const eventsOf = (run: string, type: string) =>
  (ledger()["run_events"] ?? []).filter((event) => event["run"] === run && event["type"] === type)
const submissionsOf = (run: string) =>
  eventsOf(run, "submitting").map(({ body }) => JSON.parse(String(body)) as { submissionKey: string; attempt: number })

async function json(...words: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await tuneloop([...words, "--json"])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}

describe("a workspace of an earlier commit", { timeout: 120_000 }, () => {
  it("has nothing to build, to train or to evaluate again, and its test set is not opened again", async () => {
    expect(await json("build", "mood")).toMatchObject({ state: "unchanged", version: golden.version })
    expect(await json("train", "finished")).toMatchObject({
      outcome: "unchanged",
      run: fixtureRuns.finished,
      state: "succeeded",
    })
    const { code, stdout, stderr } = await tuneloop(["evaluate", "finished"])
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(new RegExp(`^unchanged: ${golden.evaluation}`))
    expect(ledger()["holdout_openings"]).toMatchObject([{ evaluation: golden.evaluation, holdout: golden.holdout }])
    expect(submissionsOf(fixtureRuns.finished)).toEqual([{ submissionKey: golden.submissions.finished, attempt: 1 }])
  })

  it("lists and shows its runs, and its ledger is sound", async () => {
    const { runs } = await json("runs", "ls")
    expect(runs).toMatchObject([
      { run: fixtureRuns.unseen, state: "succeeded", step: 72 },
      { run: fixtureRuns.killed, state: "failed", step: 18 },
      { run: fixtureRuns.finished, state: "succeeded", step: 18 },
    ])
    expect(await json("runs", "show", "unseen")).toMatchObject({ run: fixtureRuns.unseen, state: "succeeded" })
    expect((await tuneloop(["ledger", "verify"])).code).toBe(0)
  })

  it("takes in a run that ended when nobody looked, and does not train it again", async () => {
    expect(eventsOf(fixtureRuns.unseen, "state-changed")).toHaveLength(1)
    expect(await json("train", "unseen")).toMatchObject({
      outcome: "unchanged",
      run: fixtureRuns.unseen,
      state: "succeeded",
    })
    expect(submissionsOf(fixtureRuns.unseen)).toEqual([{ submissionKey: golden.submissions.unseen, attempt: 1 }])
    expect(ledger()["runs"]).toHaveLength(3)
  })

  it(
    "submits a run whose trainer was killed as the second " + "attempt of the same run, beside its checkpoint",
    async () => {
      const python = join(workspace, "no-trainer")
      writeFileSync(python, '#!/bin/sh\n[ "$3" = train.py ] || exit 0\ncp "$4" "$4.sent"\nexit 1\n')
      chmodSync(python, 0o755)
      const { code } = await tuneloop(["train", "killed"], { TUNELOOP_PYTHON: python })
      expect(code).not.toBe(0)
      expect(submissionsOf(fixtureRuns.killed)).toEqual([
        { submissionKey: golden.submissions.killed, attempt: 1 },
        { submissionKey: golden.submissions.killedAgain, attempt: 2 },
      ])
      const folder = join(workspace, "jobs", "runs", fixtureRuns.killed)
      const sent: unknown = JSON.parse(readFileSync(join(folder, "trainer-request.json.sent"), "utf8"))
      expect(sent).toMatchObject({ run: fixtureRuns.killed, submissionKey: golden.submissions.killedAgain })
      expect(existsSync(join(folder, "checkpoints", "checkpoint-18", "complete.json"))).toBe(true)
      expect(ledger()["runs"]).toHaveLength(3)
    },
  )
})

describe("models that an earlier commit asked", { timeout: 120_000 }, () => {
  let server: BatchServer
  beforeEach(async () => {
    const started = await startServer("batch")
    if (!(started instanceof BatchServer)) throw new Error("not a server of batches")
    server = started
    const known = JSON.parse(readFileSync(join(workspace, "provider.json"), "utf8")) as typeof server.batches
    server.batches.push(...known)
    // The port may be taken by another recording for a while.
  }, 180_000)
  afterEach(() => server?.close())

  it("are not asked again for what they answered", async () => {
    expect(await json("expand", "mood", "--strategy", "self-instruct")).toMatchObject({
      strategies: [{ state: "unchanged", batch: golden.growth }],
    })
    // Without the file of candidates the same ones are grown from the answers in the ledger.
    const file = join(workspace, "datasets", "mood", "candidates", `${golden.growth}.jsonl`)
    const candidates = () => readFileSync(file, "utf8").match(/"id":"cand_[0-9a-f]{16}"/g)
    const before = candidates()
    rmSync(file)
    expect(await json("expand", "mood", "--strategy", "self-instruct")).toMatchObject({
      strategies: [{ state: "grown", requests: 4, answeredBefore: 4 }],
    })
    expect(candidates()).toEqual(before)
    expect(server.calls).toEqual([])
  })

  it("keep the batch in flight: it is polled and taken in, and none is created", async () => {
    const words = ["expand", "mood", "--strategy", "paraphrase", "--batch"]
    const left = await tuneloop(words)
    expect([left.code, left.stderr]).toEqual([3, expect.stringContaining("batch_0 is in_progress")])
    completeBatch(server)
    const { strategies } = await json(...words)
    expect(strategies).toMatchObject([{ state: "grown", requests: 6 }])
    expect(await json(...words)).toMatchObject({ strategies: [{ state: "unchanged" }] })
    expect(server.calls.filter((call) => call.startsWith("POST"))).toEqual([])
    expect(server.batches).toHaveLength(1)
    expect([...server.answered.values()]).toEqual([1, 1, 1, 1, 1, 1])
    expect(ledger()["batches"]).toMatchObject([{ state: "completed", submission_key: golden.batch }])
  })
})
