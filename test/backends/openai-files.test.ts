import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import openAiCompatible from "../../src/backends/openai-compatible.ts"
import { OpenAiJobs } from "../../src/backends/hosted/openai-jobs.ts"
import { profiles } from "../../src/backends/hosted/profiles.ts"
import { requestOf } from "../../src/backends/hosted/openai-submit.ts"
import { HostedWire } from "../../src/backends/hosted/wire.ts"
import { packageRoot } from "../../src/cli/version.ts"
import { makeFolder } from "../../src/store/files/files.ts"
import { runFiles } from "../../src/store/rows/run-files.ts"
import { Workspace } from "../../src/store/workspace.ts"
import { backendContext } from "../stages/training/workspace.ts"
import { hostedPlan } from "./hosted-plan.ts"
import { OpenAiServer } from "./openai-server.ts"

let server: OpenAiServer
let folder: string
beforeEach(async () => {
  server = await OpenAiServer.start()
  folder = mkdtempSync(join(tmpdir(), "tuneloop-files-"))
})
afterEach(() => server.close())

function place(options: object = {}) {
  const files = runFiles(Workspace.open(folder), "run-1")
  makeFolder(join(files.folder, "rendered"))
  for (const file of [files.train, files.validation]) writeFileSync(file, '{"messages": []}\n')
  const given = openAiCompatible.options.parse({ profile: "custom", baseUrl: server.url, settleSeconds: 0, ...options })
  const slept: number[] = []
  const backend = openAiCompatible.create(
    { ...backendContext({ OPENAI_API_KEY: server.key }), sleep: async (ms) => void slept.push(ms) },
    given,
  )
  const plan = hostedPlan(server.models[0] ?? "")
  const submit = () => backend.submit(plan, files, { submissionKey: "key-1", resume: false })
  return { files, backend, slept, submit }
}

describe("files at a service", () => {
  it("are ready before the job is asked for", async () => {
    server.store.patience = 3
    server.store.unreadyWord = "processing"
    const { submit, slept } = place()
    await submit()
    expect(slept.length).toBeGreaterThanOrEqual(2)
    const created = server.calls.indexOf("POST /v1/fine_tuning/jobs")
    expect(server.calls.slice(0, created).filter((call) => /^GET \/v1\/files\//.test(call)).length).toBeGreaterThan(3)
  })

  it("that are refused stop the submit with the service's reason, and no job is asked for", async () => {
    server.store.refusal = "line 1 has no messages"
    await expect(place().submit()).rejects.toThrow(/refused: line 1 has no messages/)
    expect(server.jobs).toHaveLength(0)
  })

  it("that were uploaded before a crash are not uploaded again", async () => {
    server.faults.push({ call: /^POST .*jobs$/, when: "before", answer: { status: 429 } })
    server.faults.push({ call: /^POST .*jobs$/, when: "before", answer: { status: 429 } })
    server.faults.push({ call: /^POST .*jobs$/, when: "before", answer: { status: 429 } })
    await expect(place().submit()).rejects.toThrow(/429/)
    await place().submit()
    expect(server.calls.filter((call) => call === "POST /v1/files")).toHaveLength(2)
    expect(server.jobs).toHaveLength(1)
  })

  it("go up in parts where they are large, and arrive whole", async () => {
    const wire = new HostedWire(backendContext({ KEY: server.key }), {
      name: "custom",
      baseUrl: server.url,
      apiKeyEnv: "KEY",
      messageOf: () => undefined,
    })
    const { custom } = profiles({ packageRoot })
    if (custom === undefined) throw new Error("there is no profile custom")
    const profile = { ...custom, uploadInPartsAbove: 1000 }
    const jobs = new OpenAiJobs(wire, { backend: "b", profile, extra: {}, settleMs: 0, pollAfterMs: 1 })
    const file = join(folder, "large.jsonl")
    writeFileSync(file, "x")
    truncateSync(file, 64 * 1024 * 1024 + 17)
    const { id } = await jobs.upload(file)
    expect(server.calls.filter((call) => call.endsWith("/parts"))).toHaveLength(2)
    expect(server.store.files.get(id)?.content.equals(readFileSync(file))).toBe(true)
  })

  it("that a job made are brought once, of the size that is stated; a name cannot leave the folder", async () => {
    const { submit, backend, files } = place()
    const job = await submit()
    server.newest.result_files.push(server.store.keep("../../metrics.csv", Buffer.from("step,loss\n1,2\n")))
    server.newest.checkpoints.push({
      id: "ck-1",
      step_number: 10,
      fine_tuned_model_checkpoint: "ft:x:ckpt-step-10",
      metrics: { full_valid_loss: 0.5 },
      result_files: [server.store.keep("adapter.safetensors", Buffer.from("weights"))],
    })
    server.succeed()
    const artifacts = (await backend.fetch?.(job, files)) ?? []
    expect(artifacts.map(({ path, bytes }) => [path, bytes])).toEqual([
      [join(files.folder, "results", "metrics.csv"), 14],
      [join(files.checkpoints, "step-10", "adapter.safetensors"), 7],
    ])
    expect(await backend.fetch?.(job, files)).toEqual(artifacts)
    expect(server.calls.filter((call) => call.endsWith("/content"))).toHaveLength(2)
    const { events } = await backend.poll(job, files)
    expect(events).toContainEqual({ type: "checkpoint-saved", step: 10, model: "ft:x:ckpt-step-10", evalLoss: 0.5 })
  })

  it("that break off on the way are an error, and nothing half is left", async () => {
    const { submit, backend, files } = place()
    const job = await submit()
    const id = server.store.keep("metrics.csv", Buffer.from("step,loss\n1,2\n"))
    server.newest.result_files.push(id)
    for (let time = 0; time < 3; time++)
      server.faults.push({ call: /content$/, when: "before", answer: { status: 200, body: "step," } })
    await expect(backend.fetch?.(job, files)).rejects.toThrow(/5 bytes; the service states 14/)
    expect(await backend.fetch?.(job, files)).toHaveLength(1)
  })
})

it("a model that is not there, or has been shut down, is refused by the service before anything is sent", async () => {
  const { backend } = place({ profile: "openai" })
  expect(await backend.refusals?.(hostedPlan("gpt-4.1-mini-2025-04-14"))).toEqual([])
  expect(await backend.refusals?.(hostedPlan("gpt-9"))).toEqual(["it has no model gpt-9"])
  server.shutdown = "2026-10-23"
  expect(await backend.refusals?.(hostedPlan("gpt-4.1-mini-2025-04-14"))).toEqual([
    "gpt-4.1-mini-2025-04-14 was shut down on 2026-10-23",
  ])
  expect(await place().backend.refusals?.(hostedPlan("anything"))).toEqual([])
})

describe("what is asked for", () => {
  const known = profiles({ packageRoot })
  const supervised = hostedPlan("base", { learningRateMultiplier: 0.5, learningRate: 3e-5 })
  const requestAt = (name: string, { extra = {}, plan = supervised } = {}) => {
    const profile = known[name]
    if (profile === undefined) throw new Error(`there is no profile ${name}`)
    const wire = {} as HostedWire
    const jobs = new OpenAiJobs(wire, { backend: "b", profile, extra, settleMs: 0, pollAfterMs: 1 })
    return requestOf(jobs, plan, "key-1")
  }

  it.each(["openai", "azure", "custom"])("stands in method at %s, with a multiplier of the rate", (name) => {
    expect(requestAt(name)).toMatchObject({
      method: {
        type: "supervised",
        supervised: { hyperparameters: { n_epochs: 3, batch_size: 8, learning_rate_multiplier: 0.5 } },
      },
    })
  })

  it.each(["nebius", "crusoe"])("stands at the top at %s, where the field of the multiplier takes the rate", (name) => {
    const request = requestAt(name)
    expect(request).toMatchObject({ hyperparameters: { n_epochs: 3, batch_size: 8, learning_rate_multiplier: 3e-5 } })
    expect(request).not.toHaveProperty("method")
    expect(request).not.toHaveProperty("metadata")
  })

  it.each(["openai", "azure", "custom"])("is a dpo job at %s, with its beta only where the job has one", (name) => {
    const methodAt = (settings: object) => requestAt(name, { plan: hostedPlan("base", settings, "dpo") })["method"]
    expect(methodAt({ beta: 0.2 })).toEqual({
      type: "dpo",
      dpo: { hyperparameters: { n_epochs: 3, batch_size: 8, beta: 0.2 } },
    })
    expect(methodAt({})).toEqual({ type: "dpo", dpo: { hyperparameters: { n_epochs: 3, batch_size: 8 } } })
  })

  it("of a service is only what its facts say that it has", () => {
    const objectivesAt = (profile: string) => {
      const options = openAiCompatible.options.parse({ profile, baseUrl: server.url })
      const backend = openAiCompatible.create(backendContext({}), options)
      return [backend.capabilities().objectives.join(), backend.rows?.preferences !== undefined]
    }
    for (const profile of ["openai", "azure", "custom"]) expect(objectivesAt(profile)).toEqual(["sft,dpo", true])
    for (const profile of ["nebius", "crusoe"]) expect(objectivesAt(profile)).toEqual(["sft", false])
  })

  it("has the fields that the job adds", () => {
    expect(requestAt("azure", { extra: { trainingType: "globalStandard" } })).toMatchObject({
      trainingType: "globalStandard",
    })
  })
})
