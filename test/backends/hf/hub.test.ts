import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createHash } from "node:crypto"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { packageRoot } from "../../../src/cli/version.ts"
import { JobMayExistError, ProviderError } from "../../../src/core/errors.ts"
import type { SentEvent } from "../../../src/core/training/run.ts"
import { type HubCase, hubCase, hubModel } from "./hub-case.ts"

let subject: HubCase
beforeEach(async () => {
  subject = await hubCase()
})
afterEach(() => subject.close())

const submit = (submissionKey: string, { resume = false, options = {} } = {}) =>
  subject.openWith(options).submit(subject.plan, subject.files, { submissionKey, resume })
const datasets = () => [...subject.server.store.repositories.values()].filter(({ kind }) => kind === "dataset")
const poll = async (cursor?: string) => {
  const job = await submit("sha256:1")
  return subject.open().poll(job, subject.files, cursor)
}

describe("a job", () => {
  it("gets its inputs by digest, in a private repository of its own, and more time than it needs", async () => {
    await submit("sha256:1")
    const { asked } = subject.server.newest
    const repository = subject.server.repositoryOf(subject.server.newest)
    expect(asked).toMatchObject({
      ...{ dockerImage: "ghcr.io/astral-sh/uv:python3.12-bookworm", flavor: "a10g-small", timeoutSeconds: 3600 },
      volumes: [{ type: "dataset", source: repository, mountPath: "/tuneloop/inputs", readOnly: true }],
    })
    expect(subject.server.store.repositories.get(repository)?.isPrivate).toBe(true)
    const text = (name: string) => subject.server.store.text(repository, name) ?? ""
    const digestOf = (name: string) => createHash("sha256").update(text(name)).digest("hex")
    expect(asked.command.at(-1)).toBe(digestOf("manifest.json"))
    const { files } = JSON.parse(text("manifest.json")) as { files: Record<string, string> }
    expect(files).toEqual(Object.fromEntries(Object.keys(files).map((name) => [name, digestOf(name)])))
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining(["train.jsonl", "trainer/train.py", "trainer/hub_job.py"]),
    )
    expect(text("train.jsonl")).toBe(readFileSync(subject.files.train, "utf8"))
  })

  it("has the token as its secret, and nobody else sees it", async () => {
    writeFileSync(subject.files.train, `${JSON.stringify({ messages: "m".repeat(30_000) })}\n`)
    const job = await submit("sha256:1")
    subject.server.succeed()
    const snapshot = await subject.open().poll(job, subject.files)
    await subject.open().fetch?.(job, subject.files)
    const { asked } = subject.server.newest
    const { key, store } = subject.server
    expect(asked.secrets).toEqual({ HF_TOKEN: key })
    const seen = [{ ...asked, secrets: undefined }, snapshot, job, subject.server.calls]
    const stored = [...store.repositories.values()].flatMap(({ files }) => [...files.values()].map(String))
    expect(JSON.stringify([seen, stored])).not.toContain(key)
    // The rows were too large to go with the commit, and lie in a store of another address.
    expect(store.text(subject.server.repositoryOf(subject.server.newest), "train.jsonl")).toHaveLength(30_016)
    expect(store.leaked).toEqual([])
  })

  it("is refused, and nothing is sent, with less time than it is estimated to need", async () => {
    const short = { timeoutSeconds: 500 }
    const refusals = await subject.openWith(short).refusals?.(subject.plan)
    expect(refusals?.join()).toMatch(/timeoutSeconds is 500; the training is estimated at 60\d s/)
    await expect(submit("sha256:1", { options: short })).rejects.toMatchObject({ mayHaveCost: false })
    expect(datasets()).toEqual([])
    expect(await subject.openWith({ timeoutSeconds: 900 }).refusals?.(subject.plan)).toEqual([])
  })

  it("is estimated by the weights that the hub counts", async () => {
    const secondsOf = async () =>
      (await subject.open().estimate({ ...subject.plan, files: { train: large, validation: large } })).figures.find(
        ({ name }) => name === "time",
      )?.value
    const large = { rows: 1, bytes: 40_000_000, digest: "sha256:0" }
    const byName = (await secondsOf()) ?? 0
    subject.server.store.weights.set(hubModel, 1_350_000_000)
    expect(((await secondsOf()) ?? 0) - 600).toBeCloseTo((byName - 600) * 10, -2)
  })

  it("is refused for a base model that the hub does not have", async () => {
    const refusals = await subject.open().refusals?.({ ...subject.plan, baseModel: "HuggingFaceTB/SmolLM3-Instruct" })
    expect(refusals).toEqual(["the hub has no model HuggingFaceTB/SmolLM3-Instruct for this token"])
  })

  it("is refused for a base model of this machine", async () => {
    for (const baseModel of ["/models/tiny", "./tiny", "~/tiny", "tiny.gguf"])
      expect(await subject.open().refusals?.({ ...subject.plan, baseModel })).toHaveLength(1)
    expect(await subject.open().refusals?.({ ...subject.plan, baseModel: "package:a/b.gguf" })).toEqual([])
  })

  it("goes on from the checkpoints that the last attempt left, and from none where there are none", async () => {
    await submit("sha256:1")
    const first = subject.server.repositoryOf(subject.server.newest)
    subject.server.end(subject.server.newest, "ERROR")
    await submit("sha256:2", { resume: true })
    expect(subject.server.newest.asked.volumes).toHaveLength(1)
    subject.server.end(subject.server.newest, "ERROR")
    subject.server.store.put("dataset", first, { "checkpoints/checkpoint-4/complete.json": '{"step": 4}' })
    await submit("sha256:3", { resume: true })
    const { asked } = subject.server.newest
    expect(asked.volumes?.[1]).toMatchObject({ source: first, mountPath: "/tuneloop/earlier" })
    expect(asked.command.at(-1)).toBe("/tuneloop/earlier")
  })
})

describe("the price", () => {
  it("is the service's own, for the whole of the job's time", async () => {
    const { figures } = await subject.openWith({ timeoutSeconds: 7200 }).estimate(subject.plan)
    const cost = figures.find(({ unit }) => unit === "USD")
    // 120 minutes at $0.016667, rounded up.
    expect(cost).toMatchObject({ value: 2.0001, source: "provider" })
  })

  it("is that of the facts, with their date, while the service does not answer", async () => {
    subject.server.hasHardware = false
    const { figures } = await subject.openWith({ flavor: "h200" }).estimate(subject.plan)
    const cost = figures.find(({ unit }) => unit === "USD")
    expect(cost).toMatchObject({ value: 5, source: "rule of thumb" })
    expect(cost?.detail).toMatch(/as of \d{4}-\d\d-\d\d/)
  })

  it("of hardware that is not there is none: those that are there are named", async () => {
    await expect(subject.openWith({ flavor: "a10g-smal" }).estimate(subject.plan)).rejects.toThrow(
      'there is no hardware "a10g-smal" at Hugging Face Jobs; allowed: cpu-basic, a10g-small; did you mean',
    )
  })

  it.each(["CANCELED", "ERROR", "COMPLETED"])("of a job that ended as %s is told once", async (stage) => {
    await submit("sha256:1")
    subject.server.begin()
    subject.server.end(subject.server.newest, stage)
    const first = await poll()
    const cost = first.events.find(({ type }) => type === "cost")
    // A minute and some clock on $1 an hour.
    expect(cost).toMatchObject({ usd: expect.closeTo(0.01667, 3), source: "computed" })
    expect((await poll(first.cursor)).events).toEqual([])
  })

  it("of a job that never ran is nothing", async () => {
    await submit("sha256:1")
    subject.server.end(subject.server.newest, "CANCELED")
    expect((await poll()).events).toEqual([])
  })
})

describe("creating", () => {
  const create = /^POST \/api\/jobs\/tester$/

  it("waits as the service asks while it is busy", async () => {
    const waits: number[] = []
    const sleep = async (milliseconds: number) => void waits.push(milliseconds)
    const busy = { status: 429, headers: { "retry-after": "7" } }
    for (let time = 0; time < 2; time++) subject.server.faults.push({ call: create, when: "before", answer: busy })
    const files = subject.files
    await subject.openWith({}, { sleep }).submit(subject.plan, files, { submissionKey: "sha256:1", resume: false })
    expect(waits).toEqual([7000, 7000])
    expect(subject.server.jobs).toHaveLength(1)
  })

  it.each([
    ["an error after the work", { status: 500 }],
    ["half an answer", { status: 200, body: '{"id": "6' }],
    ["a cut connection", "cut"],
  ] as const)("may have made a job where the answer is %s, and the job is found", async (_name, answer) => {
    subject.server.faults.push({ call: create, when: "after", answer })
    await expect(submit("sha256:1")).rejects.toBeInstanceOf(JobMayExistError)
    // The job is not on the first page of a list that has all others too.
    subject.server.knowsLabels = false
    for (const key of ["sha256:2", "sha256:3", "sha256:4"]) await submit(key)
    expect(await submit("sha256:1")).toMatchObject({ id: subject.server.jobs[0]?.id })
    expect(subject.server.jobs).toHaveLength(4)
  })

  it("says that no job was made where the service refuses", async () => {
    await expect(submit("sha256:1", { options: { flavor: "cpu-xl" } })).rejects.toMatchObject({ mayHaveCost: false })
  })

  it("finds no job, and does not say that there is none, while the list may lag", async () => {
    subject.server.listLagMs = 60_000
    subject.server.faults.push({ call: create, when: "after", answer: "cut" })
    await expect(submit("sha256:1")).rejects.toBeInstanceOf(JobMayExistError)
    const asked = subject.openWith({ settleSeconds: 60 }).find("sha256:1", subject.files)
    await expect(asked).rejects.toMatchObject({ isRetryable: true })
  })
})

describe("the log", () => {
  it("of a job that never pauses does not keep a look, nor a cancel, until its end", { timeout: 20_000 }, async () => {
    const backend = subject.open()
    const job = await backend.submit(subject.plan, subject.files, { submissionKey: "key-1", resume: false })
    subject.server.step()
    const talk = setInterval(() => subject.server.say(subject.server.newest, "a word"), 20)
    try {
      expect((await backend.poll(job, subject.files)).state).toBe("running")
      expect((await backend.logs?.(job, subject.files))?.text).toContain("a word")
    } finally {
      clearInterval(talk)
    }
  })

  it("is read on where its connection broke off, without repeats", async () => {
    const job = await submit("sha256:1")
    const patient = subject.openWith({ quietSeconds: 0.5 })
    for (let step = 0; step < 3; step++) subject.server.step()
    subject.server.logCuts.push(3, 7, 8)
    const log = await patient.logs?.(job, subject.files)
    const lines = log?.text.split("\n").slice(0, -1)
    expect(lines?.[0]).toMatch(/^===== Job started/)
    expect(lines?.slice(1)).toEqual([1, 2, 3].flatMap((step) => ["loss is falling", `step ${step}`]))
    subject.server.step()
    subject.server.logCuts.push(2, 12)
    const more = await patient.logs?.(job, subject.files, log?.cursor)
    expect(more?.text).toBe("loss is falling\nstep 4\n")
  })

  it("that lost an event holds back those after it until the job has left all of them", async () => {
    const job = await submit("sha256:1")
    for (let step = 0; step < 3; step++) subject.server.step()
    const lost = subject.server.newest.log.findIndex(({ data }) => data.startsWith("tuneloop-event 3 "))
    const [line] = subject.server.newest.log.splice(lost, 1)
    const stepsOf = (events: readonly SentEvent[]) =>
      events.flatMap((event) => (event.type === "metric-logged" ? [event.step] : []))
    const first = await subject.open().poll(job, subject.files)
    expect(stepsOf(first.events)).toEqual([1])
    subject.server.newest.log.splice(lost, 0, ...(line === undefined ? [] : [line]))
    subject.server.succeed()
    const second = await subject.open().poll(job, subject.files, first.cursor)
    expect(stepsOf(second.events)).toEqual([2, 3])
  })

  it("that cannot be read hides no state", async () => {
    await submit("sha256:1")
    subject.server.step()
    subject.server.logCuts.push(0, 0, 0, 0)
    expect(await poll()).toMatchObject({ state: "running", providerStatus: "RUNNING", events: [] })
  })
})

describe("the end", () => {
  it("is a success where the machine went after it had left everything, whatever became of the machine", async () => {
    await submit("sha256:1")
    subject.server.step()
    subject.server.leave(subject.server.newest, { status: "succeeded" })
    subject.server.end(subject.server.newest, "ERROR", "evicted")
    expect(await poll()).toMatchObject({ state: "succeeded", providerStatus: "ERROR" })
  })

  it("is the trainer's word where it left one, and a failure where it left none", async () => {
    const job = await submit("sha256:1")
    subject.server.step()
    subject.server.leave(subject.server.newest, { status: "failed", message: "rows are too long", hint: "Cut them." })
    subject.server.end(subject.server.newest, "ERROR")
    const told = { state: "failed", message: "rows are too long", hint: "Cut them." }
    expect(await subject.open().poll(job, subject.files)).toMatchObject(told)
    await submit("sha256:2")
    subject.server.end(subject.server.newest, "COMPLETED")
    const silent = await subject.open().poll(await submit("sha256:2"), subject.files)
    expect(silent).toMatchObject({ state: "failed", message: "the job completed and left no end of its training" })
  })

  it("stays a success after all of it was purged", async () => {
    const job = await submit("sha256:1")
    subject.server.succeed()
    const first = await subject.open().poll(job, subject.files)
    for (const { remoteId } of (await subject.open().uploads?.(subject.files)) ?? [])
      await subject.open().purge?.(remoteId)
    expect(datasets()).toEqual([])
    const second = await subject.open().poll(job, subject.files, first.cursor)
    expect(second).toMatchObject({ state: "succeeded", events: [] })
  })

  it("of a job that was deleted there is a cancellation", async () => {
    await submit("sha256:1")
    subject.server.end(subject.server.newest, "DELETED")
    expect(await poll()).toMatchObject({ state: "cancelled", providerStatus: "DELETED" })
  })
})

describe("what a job made", () => {
  it("is brought whole or not at all: an adapter with another digest is not taken for it", async () => {
    const job = await submit("sha256:1")
    subject.server.succeed()
    const repository = subject.server.repositoryOf(subject.server.newest)
    const path = "out/adapter/adapter_model.safetensors"
    const weights = subject.server.store.text(repository, path) ?? ""
    subject.server.store.put("dataset", repository, { [path]: "other weights" })
    const fetch = () => subject.open().fetch?.(job, subject.files)
    await expect(fetch()).rejects.toMatchObject({ isRetryable: true, message: expect.stringContaining("digest") })
    expect(existsSync(subject.files.adapter)).toBe(false)
    subject.server.store.put("dataset", repository, { [path]: weights, "out/adapter/../../adapter.escaped": "away" })
    await fetch()
    expect(readdirSync(subject.files.adapter).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"])
    expect(readFileSync(join(subject.files.folder, "hub", "trainer.log"), "utf8")).toBe("the trainer's words\n")
    // A name that leads out of the folder is no file of the adapter.
    expect(readdirSync(subject.files.folder).filter((name) => name.includes("escaped"))).toEqual([])
  })
})

describe("hosts", () => {
  it("that the workspace does not allow get nothing", async () => {
    const backend = subject.openWith({}, { allowedHosts: ["huggingface.co"] })
    await expect(
      backend.submit(subject.plan, subject.files, { submissionKey: "sha256:1", resume: false }),
    ).rejects.toThrow(/may not be sent to 127\.0\.0\.1/)
    expect(subject.server.calls).toEqual([])
  })

  it("where the hub sends a reader are reached without the token, and only where they are allowed", async () => {
    const job = await submit("sha256:1")
    subject.server.succeed()
    const elsewhere = { status: 302, headers: { location: "http://files.example.org/x" }, body: "" }
    subject.server.faults.push({ call: /resolve\/main\/out\/exit\.json/, when: "before", answer: elsewhere })
    const refused = subject.open().poll(job, subject.files)
    await expect(refused).rejects.toMatchObject({
      hint: expect.stringContaining("Add files.example.org to allowedHosts"),
    })
    await expect(refused).rejects.toBeInstanceOf(ProviderError)
  })
})

it("the facts name what a job may ask for: flavors of the service, each once", () => {
  const facts = readFileSync(join(packageRoot, "facts", "hugging-face-jobs.yaml"), "utf8")
  const names = [...facts.matchAll(/name: ([\w-]+),/g)].map(([, name]) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(expect.arrayContaining(["cpu-basic", "t4-small", "a100-large", "h200x8"]))
})
