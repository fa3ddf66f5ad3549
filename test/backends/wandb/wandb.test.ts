import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import wandb from "../../../src/backends/wandb.ts"
import { JobMayExistError } from "../../../src/core/errors.ts"
import { makeFolder } from "../../../src/store/files/files.ts"
import { runFiles } from "../../../src/store/rows/run-files.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { backendContext } from "../../stages/training/workspace.ts"
import { type HostedCase, hostedContract } from "../hosted-contract.ts"
import { hostedPlan } from "../hosted-plan.ts"
import { WandbServer } from "./server.ts"

hostedContract("wandb", async () => (await place()).subject)

async function place() {
  const server = await WandbServer.start()
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-wandb-"))
  const files = runFiles(Workspace.open(folder), "run-1")
  makeFolder(join(files.folder, "rendered"))
  writeFileSync(files.train, ["a", "b", "c"].map(rowOf).join(""))
  writeFileSync(files.validation, rowOf("v"))
  const { url: baseUrl, origin: artifactsUrl } = server
  const options = wandb.options.parse({ baseUrl, artifactsUrl, inferenceUrl: baseUrl })
  const open = (signal = new AbortController().signal, more: object = {}) =>
    wandb.create({ ...backendContext({ WANDB_API_KEY: server.key }), signal, ...more }, options)
  const plan = hostedPlan(server.baseModel)
  const train = { ...plan.files.train, rows: 3 }
  const subject: HostedCase = {
    ...{ open, server },
    openIn: (circumstances) => open(undefined, circumstances),
    calls: { create: /^POST \S+\/sft-training-jobs$/, look: /^GET \S+\/training-jobs\/[^/?]+$/ },
    plan: { ...plan, files: { ...plan.files, train } },
    files,
    cannotCancel: true,
    filesPerJob: 1,
    listsNoJobs: true,
    begun: () => server.jobs.length,
    let: async (what) => {
      if (what === "step") server.step()
      else if (what === "succeed") server.succeed()
      else server.fail(server.newest, "out of memory")
    },
    becomeStrange: async () => {
      server.newest.status = "reticulating_splines"
    },
    setReachable: async (isReachable) => {
      server.isReachable = isReachable
    },
    close: async () => server.close(),
  }
  return { server, files, plan: subject.plan, open, subject }
}

function rowOf(text: string): string {
  const messages = [
    { role: "user", content: text },
    { role: "assistant", content: text.toUpperCase() },
  ]
  return `${JSON.stringify({ messages })}\n`
}

/** Works with the place and closes it. */
async function at(work: (where: Awaited<ReturnType<typeof place>>) => Promise<void>): Promise<void> {
  const where = await place()
  try {
    await work(where)
  } finally {
    where.server.close()
  }
}

const submitted = { submissionKey: "sha256:key", resume: false }

describe("wandb", () => {
  it("trains as often on each row as there are epochs, in an order of its own each, with a rate for each batch", () =>
    at(async ({ server, plan, files, open }) => {
      const hyperparameters = { ...plan.hyperparameters, batchSize: 2, warmupRatio: 0.25, learningRate: 1 }
      await open().submit({ ...plan, hyperparameters }, files, submitted)
      const texts = server.newest.rows.map((row) => (row as { messages: { content: string }[] }).messages[0]?.content)
      expect(texts).toHaveLength(9)
      for (const epoch of [0, 3, 6]) expect(texts.slice(epoch, epoch + 3).toSorted()).toEqual(["a", "b", "c"])
      expect(server.newest.request.config).toEqual({
        ...{ batch_size: 2, assistant_turns: "last" },
        learning_rate: [1, 1, 0.75, 0.5, 0.25].map((rate) => expect.closeTo(rate)),
      })
      expect(readdirSync(join(files.folder, "rendered")).sort()).toEqual(["train.jsonl", "validation.jsonl"])
    }))

  it("sends no weights of turns, and the key to no store", () =>
    at(async ({ server, open, plan, files }) => {
      const turn = (role: "user" | "assistant", content: string) => ({ role, content })
      const messages = [turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d")]
      expect(open().rows?.row({ id: "1", messages, tools: [] })).toEqual({ messages })
      await open().submit(plan, files, submitted)
      // The store refuses whoever brings a key along.
      expect(server.calls.filter((call) => call.startsWith("PUT /store/"))).toHaveLength(2)
    }))

  it("sends rows to no store that the workspace does not allow", () =>
    at(async ({ server, plan, files, open }) => {
      const address = server.origin.replace("127.0.0.1", "localhost")
      Object.defineProperty(server, "origin", { get: () => address })
      await expect(open().submit(plan, files, submitted)).rejects.toThrow(/may not be sent to localhost/)
      expect(server.calls.some((call) => call.startsWith("PUT"))).toBe(false)
    }))

  it("goes on with an upload that broke off, without a second artifact", () =>
    at(async ({ server, plan, files, open }) => {
      server.faults.push({ call: /^PUT /, when: "before", answer: { status: 400 } })
      await expect(open().submit(plan, files, submitted)).rejects.toThrow(/HTTP 400/)
      await open().submit(plan, files, submitted)
      expect(server.store.artifacts.filter(({ type }) => type === "dataset")).toHaveLength(1)
      expect(server.jobs).toHaveLength(1)
    }))

  it("never asks twice for a job whose answer was lost: what it made shows it, or a person", () =>
    at(async ({ server, plan, files, open }) => {
      server.faults.push({ call: /^POST \S+\/sft-training-jobs$/, when: "after", answer: "cut" })
      await expect(open().submit(plan, files, submitted)).rejects.toBeInstanceOf(JobMayExistError)
      await expect(open().find(submitted.submissionKey, files)).rejects.toMatchObject({
        message: expect.stringContaining("no list of jobs"),
        hint: expect.stringContaining("https://wandb.ai/team/tuneloop/runs/"),
      })
      await expect(open().submit(plan, files, submitted)).rejects.toBeInstanceOf(JobMayExistError)
      const word = await open().confirm?.(server.newest.id, plan, files, submitted.submissionKey)
      expect(word).toEqual(await open().find(submitted.submissionKey, files))
      expect(server.jobs).toHaveLength(1)
    }))

  it("takes a job that nobody could name by the checkpoint that it left", () =>
    at(async ({ server, plan, files, open }) => {
      server.faults.push({ call: /^POST \S+\/sft-training-jobs$/, when: "after", answer: "cut" })
      await open()
        .submit(plan, files, submitted)
        .catch(() => undefined)
      server.step()
      server.succeed()
      const job = await open().submit(plan, files, submitted)
      expect(await open().poll(job, files)).toMatchObject({
        state: "succeeded",
        events: [{ type: "checkpoint-saved" }, { type: "model-ready" }],
      })
      expect(server.jobs).toHaveLength(1)
    }))

  it("says which model answers, and what each checkpoint is called", () =>
    at(async ({ server, plan, files, open }) => {
      const job = await open().submit(plan, files, submitted)
      server.step()
      server.save(1, { "val/loss": 0.5 })
      server.save(2, { "val/loss": 0.7 })
      server.succeed()
      const { events } = await open().poll(job, files)
      const { name } = server.newest.model
      const id = (step: number) => `wandb-artifact:///team/tuneloop/${name}:step${step}`
      expect(events).toEqual([
        { type: "started", totalSteps: 2, details: {} },
        { type: "metric-logged", step: 1, values: { loss: 2, num_tokens: 100, learningRate: 1e-4 } },
        { type: "checkpoint-saved", step: 1, model: id(1), evalLoss: 0.5 },
        { type: "checkpoint-saved", step: 2, model: id(2), evalLoss: 0.7 },
        { type: "model-ready", model: { kind: "hosted", backend: "wandb", id: id(2) } },
      ])
      const hosted = { kind: "hosted", backend: "wandb", id: id(2) } as const
      expect(open().chat?.(hosted)).toEqual({ baseUrl: server.url, apiKeyEnv: "WANDB_API_KEY", model: id(2) })
    }))

  it("states what a job cost by the price file, once", () =>
    at(async ({ server, plan, files, open }) => {
      const trainingPrices = [{ match: "*", usdPerMillionTokens: 2, asOf: "2026-11-30", source: "a test" }]
      const priced = open(undefined, { trainingPrices })
      const job = await priced.submit(plan, files, submitted)
      server.step()
      const first = await priced.poll(job, files)
      server.step()
      server.fail(server.newest, "out of memory")
      const second = await priced.poll(job, files, first.cursor)
      expect(second).toMatchObject({ state: "failed", message: "out of memory" })
      expect(second.events.at(-1)).toMatchObject({ type: "cost", usd: 0.0004, source: "computed" })
      expect((await priced.poll(job, files, second.cursor)).events).toEqual([])
    }))

  it("brings the adapter home, each file as its digest says, or nothing", () =>
    at(async ({ server, plan, files, open }) => {
      const job = await open().submit(plan, files, submitted)
      server.succeed()
      const adapter = server.store.artifacts.find(({ type }) => type === "lora")
      const weights = adapter?.files.get("adapter_model.safetensors") ?? ""
      server.store.contents.set(weights, Buffer.from("thgiews"))
      await expect(open().fetch?.(job, files)).rejects.toThrow(/came with the digest .*; the service states/)
      expect(readdirSync(files.folder).filter((name) => name.startsWith("adapter"))).toEqual([])
      server.store.contents.set(weights, Buffer.from("weights"))
      const artifacts = (await open().fetch?.(job, files)) ?? []
      expect(artifacts.map(({ path }) => path)).toEqual([
        join(files.adapter, "adapter_config.json"),
        join(files.adapter, "adapter_model.safetensors"),
      ])
      expect(readFileSync(join(files.adapter, "adapter_model.safetensors"), "utf8")).toBe("weights")
    }))

  it("writes no file outside the folder, whatever a manifest names", () =>
    at(async ({ server, plan, files, open }) => {
      const job = await open().submit(plan, files, submitted)
      server.adapter = { "../../escaped": "x" }
      server.succeed()
      await expect(open().fetch?.(job, files)).rejects.toThrow(/outside the artifact/)
    }))

  it("says beforehand which models it trains, and what is too large to go up", () =>
    at(async ({ server, plan, open }) => {
      expect(await open().refusals?.(plan)).toEqual([])
      expect(await open().refusals?.({ ...plan, baseModel: "another" })).toEqual([
        `it cannot train another; it trains ${server.baseModel}, Qwen/Qwen3-30B-A3B-Instruct-2507`,
      ])
      const train = { ...plan.files.train, bytes: 1e9 }
      expect(await open().refusals?.({ ...plan, files: { ...plan.files, train } })).toEqual([
        "the rows of 3 epochs have 3000000000 bytes; at most 2147483648 go up at once",
      ])
    }))

  it("says of hosts and of what nobody has tried what there is to say", () =>
    at(async ({ open }) => {
      const checks = await open(undefined, { allowedHosts: ["wandb.ai"] }).check()
      expect(checks.find(({ name }) => name === "hosts")).toMatchObject({ status: "warning" })
      expect(open().notes?.some((note) => note.startsWith("unverified, as of "))).toBe(true)
    }))
})
