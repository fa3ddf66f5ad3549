import { appendFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { TogetherServer } from "../../backends/together-server.ts"
import { tuneloop } from "../../command-line.ts"
import { stageContext, scriptedBackend, trainableWorkspace } from "./workspace.ts"
import { planTraining } from "../../../src/stages/training/plan-training.ts"

it("a row that Together would cut is named by job check and train, and nothing is sent", async () => {
  const folder = await trainableWorkspace()
  const server = await TogetherServer.start()
  try {
    const write = (maxLength: number) => {
      const backend = { name: "together", options: { baseUrl: server.url, settleSeconds: 0 } }
      const job = { schemaVersion: 1, job: "mood", task: "mood", baseModel: server.model, backend }
      writeFileSync(join(folder, "jobs", "mood.yaml"), JSON.stringify({ ...job, hyperparameters: { maxLength } }))
    }
    appendFileSync(join(folder, "tuneloop.yaml"), "allowedHosts: [127.0.0.1]\n")
    const outcomeOf = (...words: string[]) => tuneloop(folder, words, { TOGETHER_API_KEY: server.key }).outcome
    write(8)
    for (const words of [
      ["job", "check", "mood"],
      ["train", "mood", "--yes"],
    ]) {
      const { stdout, stderr, code } = await outcomeOf(...words)
      expect(code, stderr).not.toBe(0)
      const said = stdout + stderr
      expect(said).toMatch(/ex_\w+: it has about \d+ tokens, at 4 bytes each; at most 8 are trained on/)
      expect(said).toContain("raise hyperparameters.maxLength in the job, or shorten a row")
    }
    expect(server.calls.filter((call) => call.startsWith("POST"))).toEqual([])
    write(1024)
    expect((await outcomeOf("train", "mood", "--yes")).code).toBe(0)
    expect(server.jobs).toHaveLength(1)
  } finally {
    server.close()
  }
}, 30_000)

it("a row that is too long is named wherever a service follows the length, our own trainer's rows too", async () => {
  const folder = await trainableWorkspace({ hyperparameters: { maxLength: 8 } })
  const context = stageContext(folder)
  const { workspace } = context
  const plan = (settings: readonly string[] | undefined, kind: "hosted" | "runner" = "hosted") => {
    const asOf = { asOf: "2026-11-30", source: "this test", ...(settings === undefined ? {} : { settings }) }
    const capabilities = () => ({ objectives: ["sft"], methods: ["lora"], ...asOf })
    const backend = scriptedBackend({ kind, capabilities })
    return () => planTraining(context, workspace.readJob("mood"), workspace.readTask("mood"), backend)
  }
  expect(plan(undefined)).toThrow(/16 rows would be refused or cut by the service\n {2}ex_/)
  expect(plan(["maxLength"])).toThrow(/at most 8 are trained on/)
  // One that has no such setting cuts nothing there; a trainer at home counts by the model's own tokenizer.
  expect(plan(["epochs"])).not.toThrow()
  expect(plan(undefined, "runner")).not.toThrow()
})
