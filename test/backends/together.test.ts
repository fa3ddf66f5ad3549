import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { zstdCompressSync } from "node:zlib"
import { create as pack } from "tar"
import { describe, expect, it } from "vitest"
import together from "../../src/backends/together.ts"
import { chosenCheckpoint } from "../../src/core/training/checkpoints.ts"
import { reduceRun } from "../../src/core/training/run.ts"
import { makeFolder } from "../../src/store/files/files.ts"
import { runFiles } from "../../src/store/rows/run-files.ts"
import { Workspace } from "../../src/store/workspace.ts"
import { backendContext } from "../stages/training/workspace.ts"
import { type HostedCase, hostedContract } from "./hosted-contract.ts"
import { hostedPlan } from "./hosted-plan.ts"
import { TogetherServer } from "./together-server.ts"

hostedContract("together", async () => (await place()).subject)

async function place() {
  const server = await TogetherServer.start()
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-together-"))
  const files = runFiles(Workspace.open(folder), "run-1")
  makeFolder(join(files.folder, "rendered"))
  for (const file of [files.train, files.validation]) writeFileSync(file, '{"messages": []}\n')
  server.archive = packedAdapter(join(folder, "made"))
  const options = together.options.parse({ baseUrl: server.url, settleSeconds: 0 })
  const openIn: HostedCase["openIn"] = (circumstances) =>
    together.create({ ...backendContext({ TOGETHER_API_KEY: server.key }), ...circumstances }, options)
  const open = (signal = new AbortController().signal) => openIn({ signal })
  const plan = hostedPlan(server.model)
  const subject: HostedCase = {
    ...{ open, openIn, server },
    calls: { create: /^POST \S+\/fine-tunes$/, look: /^GET \S+\/fine-tunes\/ft-\d+$/, list: /^GET \S+\/fine-tunes$/ },
    plan,
    files,
    begun: () => server.jobs.length,
    let: async (what) => {
      if (what === "step") server.step()
      else if (what === "succeed") server.succeed()
      else server.end(server.newest, "error", "out of memory")
    },
    submitUnheard: async (submissionKey) => {
      server.faults.push({ call: /^POST \S+\/fine-tunes$/, when: "after", answer: "cut" })
      await open()
        .submit(plan, files, { submissionKey, resume: false })
        .catch(() => undefined)
    },
    becomeStrange: async () => {
      server.newest.status = "reticulating_splines"
    },
    setReachable: async (isReachable) => {
      server.isReachable = isReachable
    },
    close: async () => server.close(),
  }
  return { server, files, plan, open, subject }
}

function packedAdapter(folder: string): Buffer<ArrayBuffer> {
  makeFolder(join(folder, "output"))
  writeFileSync(join(folder, "output", "adapter_config.json"), '{"r": 16}')
  writeFileSync(join(folder, "output", "adapter_model.safetensors"), "weights")
  pack({ sync: true, cwd: folder, file: join(folder, "adapter.tar") }, ["output"])
  return Buffer.from(zstdCompressSync(readFileSync(join(folder, "adapter.tar"))))
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

describe("together", () => {
  it("asks for a job whose files it has looked at, with every setting of the plan", () =>
    at(async ({ server, plan, files, open }) => {
      server.store.patience = 3
      await open().submit(plan, files, submitted)
      expect(server.newest.request).toMatchObject({
        ...{
          model: server.model,
          n_epochs: 3,
          batch_size: 8,
          learning_rate: 2e-4,
          max_seq_length: 1024,
          random_seed: 1,
        },
        ...{ lr_scheduler: { lr_scheduler_type: "linear" }, n_evals: 3 },
        training_type: { type: "Lora", lora_r: 16, lora_alpha: 32, lora_trainable_modules: "all-linear" },
      })
      expect(server.newest.suffix).toMatch(/^mood-[0-9a-f]{12}$/)
    }))

  it("creates no job where a file is refused, or where the account may not spend so much", () =>
    at(async ({ server, plan, files, open }) => {
      server.store.refusal = "line 1: no messages"
      await expect(open().submit(plan, files, submitted)).rejects.toThrow(/refused: "line 1: no messages"/)
      server.store.refusal = undefined
      server.limitUsd = 0
      await expect(open().submit(plan, files, submitted)).rejects.toThrow(/estimates \$0\.00017 .* limit is \$0/)
      expect(server.jobs).toHaveLength(0)
    }))

  it("asks for a dpo job with the beta of the plan, and for none on rows that are no preferences", () =>
    at(async ({ server, files, open }) => {
      const dpo = (settings: object) => {
        const plan = hostedPlan(server.model, settings, "dpo")
        return { ...plan, files: { ...plan.files, validation: { ...plan.files.validation, rows: 0 } } }
      }
      await expect(open().submit(dpo({}), files, submitted)).rejects.toThrow(/has no preferences/)
      const answered = (content: string) => [{ role: "assistant", content }]
      const [preferred_output, non_preferred_output] = [answered("good"), answered("bad")]
      const input = { messages: [{ role: "user", content: "well" }] }
      writeFileSync(files.train, `${JSON.stringify({ input, preferred_output, non_preferred_output })}\n`)
      const methodOf = async (settings: object, submissionKey: string) => {
        await open().submit(dpo(settings), files, { submissionKey, resume: false })
        expect(server.newest.request).not.toHaveProperty("n_evals")
        expect(server.newest.validation_file).toBeNull()
        return server.newest.request["training_method"]
      }
      expect(await methodOf({ beta: 0.2 }, "key-2")).toEqual({ method: "dpo", dpo_beta: 0.2 })
      expect(await methodOf({}, "key-3")).toEqual({ method: "dpo" })
    }))

  it("says beforehand what is beyond the model's limits, as the service states them", () =>
    at(async ({ server, open }) => {
      const beyond = (given: object) => open().refusals?.({ ...hostedPlan(server.model, given) })
      expect(await beyond({})).toEqual([])
      expect(await beyond({ epochs: 30, batchSize: 4, scheduler: "constant" })).toEqual([
        "hyperparameters.scheduler is constant; allowed: linear, cosine",
        "hyperparameters.epochs is 30; at most 20",
        "hyperparameters.batchSize is 4; at least 8",
      ])
      expect(await open().refusals?.(hostedPlan(server.model, { maxLength: 8000 }))).toEqual([])
      expect(await open().refusals?.(hostedPlan(server.model, { maxLength: 8000 }, "dpo"))).toEqual([
        "hyperparameters.maxLength is 8000; at most 4096",
      ])
      expect(await open().refusals?.(hostedPlan(server.model, { batchSize: 32 }))).toEqual([])
      expect(await open().refusals?.(hostedPlan(server.model, { batchSize: 32 }, "dpo"))).toEqual([
        "hyperparameters.batchSize is 32; at most 16",
      ])
      expect(await open().refusals?.(hostedPlan("meta-llama/unknown"))).toEqual([
        "meta-llama/unknown cannot be fine-tuned there",
      ])
    }))

  it("reports what an ended job cost by the service's own figure, steps of a cancelled one included, once", () =>
    at(async ({ server, plan, files, open }) => {
      const job = await open().submit(plan, files, submitted)
      server.step()
      server.step()
      await open().cancel(job, files)
      const first = await open().poll(job, files)
      expect(first.state).toBe("cancelled")
      expect(first.events).toContainEqual({ type: "cost", usd: 0.1, source: "provider", detail: "200 tokens" })
      const second = await open().poll(job, files, first.cursor)
      expect(second.events).toEqual([])
    }))

  it("reads events whose words come in capitals", () =>
    at(async ({ server, plan, files, open }) => {
      server.hasCapitals = true
      const job = await open().submit(plan, files, submitted)
      server.step()
      expect((await open().poll(job, files)).events).toContainEqual(
        expect.objectContaining({ type: "started", totalSteps: 100 }),
      )
      server.end(server.newest, "error", "out of memory")
      expect(await open().poll(job, files)).toMatchObject({ state: "failed", message: "out of memory" })
    }))

  it("asks for a checkpoint with each loss, and brings the one that is chosen", () =>
    at(async ({ server, plan, files, open }) => {
      const chosen = { ...plan, checkpoint: "lowest-validation-loss" } as const
      const job = await open().submit(chosen, files, submitted)
      expect(server.newest.request).toMatchObject({ n_evals: 3, n_checkpoints: 3 })
      const epochs = { ...plan.hyperparameters, epochs: 11 }
      expect(await open().refusals?.({ ...chosen, hyperparameters: epochs })).toEqual([
        "the number of checkpoints, one an epoch, is 11; at most 10",
      ])
      for (const loss of [0.4, 0.6]) {
        server.step()
        server.save(loss, server.archive)
      }
      server.succeed()
      const { events } = await open().poll(job, files)
      const run = reduceRun(
        "r",
        events.map((event, sequence) => ({ ...event, run: "r", sequence, at: "" })),
      )
      const best = chosenCheckpoint(run, "lowest-validation-loss")
      expect(best).toMatchObject({ step: 1, evalLoss: 0.4 })
      const artifacts = (await open().fetch?.(job, files, best)) ?? []
      expect(artifacts[0]?.path).toBe(join(files.checkpoints, "step-1", "adapter_config.json"))
      expect(server.calls.at(-1)).toContain("checkpoint=adapter&checkpoint_step=1")
      expect((await open().fetch?.(job, files))?.[0]?.path).toBe(join(files.adapter, "adapter_config.json"))
    }))

  it("lists the jobs of others, newest first, each with its rows, objective and settings", () =>
    at(async ({ server, plan, files, open }) => {
      await open().submit(plan, files, submitted)
      server.clock += 86_400_000
      const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json" }
      const [training_file] = server.store.kept.keys()
      const body = { model: server.model, training_file, suffix: "theirs", training_method: { method: "sft" } }
      await fetch(`${server.url}/fine-tunes`, { method: "POST", headers, body: JSON.stringify(body) })
      const listed = await Array.fromAsync(open().history?.() ?? [])
      expect(listed.map(({ id, objective }) => [id, objective])).toEqual([
        ["ft-2", "sft"],
        ["ft-1", "sft"],
      ])
      const [theirs] = await Array.fromAsync(open().history?.("ft-2") ?? [])
      expect(theirs).toMatchObject({ baseModel: server.model, files: { train: training_file } })
      if (theirs === undefined) throw new Error("there is no such job")
      const sent = readFileSync(files.train, "utf8")
      rmSync(files.train)
      const [rows] = (await open().fetchRows?.(theirs, files)) ?? []
      expect([rows?.path, readFileSync(files.train, "utf8")]).toEqual([files.train, sent])
      server.store.kept.clear()
      rmSync(files.train)
      expect(await open().fetchRows?.(theirs, files)).toEqual([])
    }))

  it("says how far the wave of a cosine goes, without which it would be refused", () =>
    at(async ({ server, files, open }) => {
      await open().submit(hostedPlan(server.model, { scheduler: "cosine" }), files, submitted)
      expect(server.newest.request["lr_scheduler"]).toEqual({
        lr_scheduler_type: "cosine",
        lr_scheduler_args: { min_lr_ratio: 0, num_cycles: 0.5 },
      })
    }))

  it("brings the adapter home, unpacked, once; an archive that broke off leaves nothing", () =>
    at(async ({ server, plan, files, open }) => {
      const job = await open().submit(plan, files, submitted)
      server.succeed()
      const whole = server.archive
      server.archive = whole.subarray(0, whole.length - 20)
      await expect(open().fetch?.(job, files)).rejects.toThrow(/cannot be read/)
      expect(readdirSync(files.folder).filter((name) => name.startsWith("adapter"))).toEqual([])
      server.archive = whole
      const artifacts = (await open().fetch?.(job, files)) ?? []
      expect(artifacts.map(({ path }) => path)).toEqual([
        join(files.adapter, "adapter_config.json"),
        join(files.adapter, "adapter_model.safetensors"),
      ])
      expect(readFileSync(join(files.adapter, "adapter_model.safetensors"), "utf8")).toBe("weights")
      const calls = server.calls.length
      expect(await open().fetch?.(job, files)).toEqual(artifacts)
      expect(server.calls.length).toBe(calls)
    }))
})
