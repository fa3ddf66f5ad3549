import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { expect, it } from "vitest"
import { runTuneloop } from "../characterisation/checkout.ts"
import { copyFixture, fixtureRuns } from "../characterisation/fixture.ts"
import { python } from "./tuneloop.ts"

const checkout = resolve(import.meta.dirname, "..", "..")

it("a run that an earlier version left mid-training goes on from its checkpoint", async () => {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), "tuneloop-earlier-")))
  copyFixture(workspace)
  const environment = { TUNELOOP_PYTHON: await python(), HF_HUB_OFFLINE: "1" }
  const trained = await runTuneloop(checkout, workspace, ["train", "killed", "--wait", "--json"], environment)
  expect(trained.code, trained.stderr).toBe(0)
  expect(JSON.parse(trained.stdout)).toMatchObject({ run: fixtureRuns.killed, state: "succeeded" })
  const events = readFileSync(join(workspace, "jobs", "runs", fixtureRuns.killed, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; step?: number })
  expect(events.find(({ type }) => type === "resumed")).toMatchObject({ step: 18 })
  rmSync(workspace, { recursive: true })
})
