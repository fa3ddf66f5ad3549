import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest"
import { requestOf } from "../../src/backends/hosted/together-submit.ts"
import { hostedPlan } from "../backends/hosted-plan.ts"
import { OpenAiServer } from "../backends/openai-server.ts"
import { TogetherServer } from "../backends/together-server.ts"
import { newJob } from "../backends/together/served.ts"
import type { WireServer } from "../backends/wire-server.ts"
import { type Outcome, outcomeOf } from "../command-line.ts"
import { python, run } from "../slow/tuneloop.ts"

const here = join(import.meta.dirname, "clients")
const mayBeAbsent = process.env["CI"] !== "true"
const folder = mkdtempSync(join(tmpdir(), "tuneloop-clients-"))
const interpreter = join(folder, "venv", process.platform === "win32" ? "Scripts" : "bin", "python")
const train = join(folder, "train.jsonl")
let isUnreachable = false

beforeAll(async () => {
  const messages = [
    { role: "user", content: "How are you?" },
    { role: "assistant", content: "good" },
  ]
  writeFileSync(train, `${JSON.stringify({ messages })}\n`.repeat(3))
  const trainer = await python()
  mustPass(await run(trainer, ["-I", "-m", "venv", join(folder, "venv")]))
  const checked = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", join(here, "requirements.txt")]
  const byUv = await run(trainer, ["-I", "-m", "uv", "pip", "install", "--python", interpreter, ...checked])
  if (byUv.code === 0) return
  // uv is not there, or does not know the index that pip is configured with.
  const byPip = await run(interpreter, ["-I", "-m", "pip", "install", "--quiet", ...checked])
  isUnreachable = mayBeAbsent && byPip.code !== 0 && /after connection broken by/.test(byPip.stderr)
  if (isUnreachable) process.stderr.write("skipped: the package index cannot be reached, so there are no clients\n")
  else mustPass(byPip)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a script of this folder's clients saw of the server. */
function life(test: TestContext, script: string, server: WireServer, model: string): Promise<unknown> {
  return said(test, [script, server.url, model, train], server.key)
}

/** The JSON that a script prints last. */
async function said(test: TestContext, [script, ...words]: [string, ...string[]], key = ""): Promise<unknown> {
  if (isUnreachable) test.skip("the package index cannot be reached")
  const env = { PATH: process.env["PATH"], SERVER_KEY: key, NO_COLOR: "1" }
  const outcome = await outcomeOf(spawn(interpreter, ["-I", join(here, script), ...words], { env }))
  mustPass(outcome)
  return JSON.parse(outcome.stdout.trimEnd().split("\n").at(-1) ?? "")
}

function mustPass({ code, stderr }: Outcome): void {
  if (code !== 0) throw new Error(stderr)
}

/** If a provider's client disagrees with the server of the tests, the backend is tested against a wire nobody has. */
describe("the Python client at the server of the tests", () => {
  it("of OpenAI trains, downloads, asks and cancels", async (test) => {
    const server = await OpenAiServer.start()
    server.store.patience = 2
    server.onCall = (call) => {
      if (!/^POST \S+jobs$/.test(call) || server.jobs.length > 1) return
      for (let step = 0; step < 3; step++) server.step()
      server.newest.result_files.push(server.store.keep("metrics.csv", Buffer.from("step\n1\n"), "fine-tune-results"))
      const metrics = { step: 2, full_valid_loss: 0.5 }
      const checkpoint = { id: "ftckpt-1", step_number: 2, fine_tuned_model_checkpoint: "ft:mood:ckpt-step-2", metrics }
      server.newest.checkpoints.push(checkpoint)
      server.succeed()
    }
    try {
      expect(await life(test, "openai_life.py", server, server.models[0] ?? "")).toEqual({
        file: ["uploaded", "processed", true],
        parts: ["completed", true],
        job: ["validating_files", "succeeded", 2, 7, 1200],
        steps: [3, 2, 1],
        checkpoints: [2],
        result: ["step\n1\n"],
        answer: "good",
        found: [true],
        listed: 2,
        cancelled: ["cancelled", true],
        refused: [true, true],
        deleted: true,
      })
    } finally {
      server.close()
    }
  })

  it("of Together trains, downloads and cancels", async (test) => {
    const server = await TogetherServer.start()
    server.store.patience = 3
    server.archive = Buffer.from("an adapter")
    server.onCall = (call) => {
      if (!/^POST \S+fine-tunes$/.test(call) || server.jobs.length !== 1) return
      for (let step = 0; step < 3; step++) server.step()
      server.succeed()
    }
    try {
      expect(await life(test, "together_life.py", server, server.model)).toEqual({
        file: ["RUNNING", "COMPLETED", true],
        content: true,
        limits: [20, 64],
        estimate: [true, true],
        job: ["pending", "completed", 2, 16, "org/mood-ft-1"],
        dollars: 0.15,
        events: ["job_pending", "job_start", "training_start", "job_complete"],
        metrics: [2, 3],
        adapter: "an adapter",
        listed: ["ft-1", "ft-2"],
        cancelled: ["cancelled", true],
        refused: [true, true],
        files: ["file-1"],
        deleted: true,
      })
    } finally {
      server.close()
    }
  })

  it("of Together deploys, asks and takes down", async (test) => {
    const server = await TogetherServer.start()
    const job = newJob("ft-1", "2026-06-01T00:00:00Z", { model: server.model, suffix: "mood" })
    Object.assign(job, { status: "completed", model_object_id: "ml_1", model_object_revision_id: "rv_1" })
    server.jobs.push(job)
    Object.assign(server.endpoints, { patience: 2, drain: 2 })
    try {
      const words = ["together_endpoints.py", server.url, server.model, "ml_1"] as const
      expect(await said(test, [...words], server.key)).toEqual({
        project: "proj_tests",
        cents: 360,
        supported: true,
        deployment: [
          ...["org/by-hand", "org/by-hand/tuned", "1xnvidia-h100-80gb"],
          ...["DEPLOYMENT_STATE_PROVISIONING", "DEPLOYMENT_STATE_READY"],
        ],
        answers: [true, "good"],
        listed: [["org/by-hand", ["DEPLOYMENT_STATE_READY"]]],
        stopping: ["DEPLOYMENT_STATE_STOPPING", "DEPLOYMENT_STATE_STOPPED", ["dep_1"]],
        refused: [true, true, true, true],
        gone: [true, []],
      })
    } finally {
      server.close()
    }
  })

  it.for([
    ["linear", "sft"],
    ["cosine", "sft"],
    ["linear", "dpo"],
  ] as const)(
    "of Together would send the backend's own request, with a %s rate and %s",
    async ([rate, objective], test) => {
      const plan = hostedPlan("a-model", { scheduler: rate, ...(objective === "dpo" ? { beta: 0.2 } : {}) }, objective)
      const request = { ...requestOf(plan, "sha256:key"), training_file: "file-1", validation_file: "file-2" }
      expect(await said(test, ["together_request.py", JSON.stringify(request)])).toEqual(request)
    },
  )
})
