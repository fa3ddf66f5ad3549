import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { WandbServer } from "./server.ts"
import { tuneloop } from "../../command-line.ts"
import { trainableWorkspace } from "../../stages/training/workspace.ts"

let server: WandbServer
let folder: string
beforeEach(async () => {
  server = await WandbServer.start()
  const options = { baseUrl: server.url, artifactsUrl: server.origin, inferenceUrl: server.url, pollSeconds: 0.01 }
  folder = await trainableWorkspace({ baseModel: server.baseModel, backend: { name: "wandb", options } })
  writeFileSync(
    join(folder, "prices.yaml"),
    "models:\n  - { match: '*', host: 127.0.0.1, inputUsd: 0, outputUsd: 1, asOf: 2026-11-30, source: this test }\n",
  )
})
afterEach(() => server.close())

const printed = async (...words: string[]) => {
  const { code, stdout, stderr } = await tuneloop(folder, [...words, "--json"], { WANDB_API_KEY: server.key }).outcome
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

it("a model of W&B's Serverless SFT is trained, comes home, and is evaluated where it is served", async () => {
  const { stdout } = await tuneloop(folder, ["train", "mood", "--dry-run"], { WANDB_API_KEY: server.key }).outcome
  expect(stdout).toContain("unverified, as of 2026-")
  await printed("train", "mood", "--yes")
  server.step()
  server.succeed()
  expect(await printed("runs", "sync")).toMatchObject({ runs: [{ state: "succeeded" }] })
  const { run, model } = await printed("runs", "fetch", "latest")
  expect(model.id).toMatch(/^wandb-artifact:\/\/\/team\/tuneloop\/mood-[0-9a-f]{12}:step1$/)
  expect(existsSync(join(folder, "jobs", "runs", run, "adapter", "adapter_config.json"))).toBe(true)
  const evaluated = await printed("evaluate", "latest", "--against", "few-shot", "--yes")
  expect(evaluated.contenders.map(({ name }: { name: string }) => name)).toEqual(["tuned", "few-shot"])
  expect(new Set(server.asked)).toEqual(new Set([model.id, server.baseModel]))
  expect(await printed("runs", "purge", "latest", "--yes")).toMatchObject({ purged: [{ file: "train.jsonl" }] })
  expect(server.store.artifacts.filter(({ state, type }) => type === "dataset" && state === "COMMITTED")).toEqual([])
})

it("a job cannot be stopped, and that is said", async () => {
  await printed("train", "mood", "--yes")
  server.step()
  const { code, stderr } = await tuneloop(folder, ["runs", "cancel", "latest"], { WANDB_API_KEY: server.key }).outcome
  expect([code, stderr]).toEqual([1, expect.stringContaining("W&B has no call to cancel a job")])
})
