import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { FineTuneBackend } from "../../../src/core/contracts/backend.ts"
import { CredentialError, JobMayExistError, ProviderError, UsageError } from "../../../src/core/errors.ts"
import { cancelRun } from "../../../src/stages/training/cancel.ts"
import { modelOf } from "../../../src/stages/training/run-model.ts"
import { syncRun } from "../../../src/stages/training/sync.ts"
import { train } from "../../../src/stages/training/train.ts"
import { waitForRun } from "../../../src/stages/training/wait.ts"
import { makeFolder } from "../../../src/store/files/files.ts"
import { runFiles } from "../../../src/store/rows/run-files.ts"
import { scriptedBackend, stageContext, trainableWorkspace } from "./workspace.ts"

type Circumstances = Parameters<typeof stageContext>[1]

/** Trains the job of the workspace as a command of its own would. */
async function trainIn(folder: string, backend: FineTuneBackend, circumstances: Circumstances = {}) {
  const context = stageContext(folder, circumstances)
  return train(context, context.workspace.readJob("mood"), context.workspace.readTask("mood"), backend)
}

const hosted = { kind: "hosted", backend: "scripted", id: "ft:1" } as const
const runsIn = (folder: string) => readdirSync(join(folder, "jobs", "runs"))
const mayExist = () => new JobMayExistError("the connection was cut", { provider: "scripted" })

describe("a run that succeeded", () => {
  it.each<[string, Partial<FineTuneBackend>]>([
    [
      "with a hosted model, which nothing here shows",
      {
        kind: "hosted",
        submit: async (_plan, _files, { submissionKey }) => ({ backend: "scripted", id: "1", submissionKey }),
        poll: async () => ({ state: "succeeded", events: [{ type: "model-ready", model: hosted }], cursor: "1" }),
      },
    ],
    ["with an adapter and no event, as before models were recorded", {}],
  ])("%s is unchanged", async (_name, parts) => {
    const folder = await trainableWorkspace()
    const backend = scriptedBackend(parts)
    expect((await trainIn(folder, backend)).run.state).toBe("succeeded")
    const deaf = scriptedBackend({ kind: backend.kind, submit: () => Promise.reject(new Error("paid twice")) })
    expect((await trainIn(folder, deaf)).state).toBe("unchanged")
    expect(runsIn(folder)).toHaveLength(1)
  })

  it("fetches what is not there any more from a backend that still has it, and trains nothing", async () => {
    const folder = await trainableWorkspace()
    const fetched: string[] = []
    const backend = scriptedBackend({
      fetch: async (_job, files) => {
        makeFolder(files.adapter)
        fetched.push(files.run)
        return [{ path: files.adapter, digest: "sha256:1", bytes: 9 }]
      },
    })
    const { run } = await trainIn(folder, backend)
    expect(run.artifacts).toEqual([{ path: `jobs/runs/${run.run}/adapter`, digest: "sha256:1", bytes: 9 }])
    rmSync(join(folder, "jobs", "runs", run.run, "adapter"), { recursive: true })
    const again = await trainIn(folder, backend)
    expect([again.state, backend.jobs.length, fetched.length]).toEqual(["unchanged", 1, 2])
    expect(again.run.artifacts).toHaveLength(1)
  })

  it("and lost its only adapter is trained again on a runner, and never on a hosted backend", async () => {
    const folder = await trainableWorkspace()
    const backend = scriptedBackend()
    const { run } = await trainIn(folder, backend)
    rmSync(join(folder, "jobs", "runs", run.run, "adapter"), { recursive: true })
    const paid = { ...backend, kind: "hosted" as const }
    await expect(trainIn(folder, paid)).rejects.toMatchObject({ code: "no-model" })
    expect(backend.jobs).toHaveLength(1)
    expect((await trainIn(folder, backend)).state).toBe("started")
    expect(backend.jobs).toHaveLength(2)
  })

  it("has a model that moves with the workspace", async () => {
    const folder = await trainableWorkspace()
    const base = { model: "m", revision: null }
    const backend = scriptedBackend({
      poll: async (_job, files) => ({
        state: "succeeded",
        events: [{ type: "model-ready", model: { kind: "adapter", base, location: files.adapter } }],
        cursor: "1",
      }),
    })
    const { run } = await trainIn(folder, backend)
    expect(run.model).toEqual({ kind: "adapter", base, location: `jobs/runs/${run.run}/adapter` })
    const elsewhere = `${folder}-moved`
    renameSync(folder, elsewhere)
    const context = stageContext(elsewhere)
    expect(modelOf(context, run)).toMatchObject({ location: join(context.workspace.runFolder(run.run), "adapter") })
    expect((await trainIn(elsewhere, scriptedBackend())).state).toBe("unchanged")
  })
})

describe("a submit that fails", () => {
  it.each([
    ["a refusal", new ProviderError("no such model", { provider: "x", mayHaveCost: false }), "failed"],
    ["a missing key", new CredentialError("no key", "Set it."), "failed"],
    ["a job that may exist", mayExist(), "uncertain"],
    ["an error of a provider that may have done it", new ProviderError("500", { provider: "x" }), "uncertain"],
    ["an error that nobody knows", new TypeError("x is undefined"), "uncertain"],
    ["an abort", new DOMException("aborted", "AbortError"), "uncertain"],
    ["what is no error", "gone", "uncertain"],
  ])("with %s", async (_name, error, state) => {
    const folder = await trainableWorkspace()
    let isBroken = true
    const keys: string[] = []
    const backend = scriptedBackend({
      submit: async (_plan, files, { submissionKey }) => {
        keys.push(submissionKey)
        if (isBroken) throw error
        makeFolder(files.adapter)
        return { backend: "scripted", id: "1", submissionKey }
      },
    })
    await expect(trainIn(folder, backend)).rejects.toBeDefined()
    const [run = ""] = runsIn(folder)
    const summary = await syncRun(stageContext(folder), run, backend)
    expect(summary.state).toBe(state)
    expect(summary.message).toBeTruthy()
    if (state === "uncertain") expect(summary.hint).toContain("tuneloop train mood")
    // `find` says that there is no job: the same submission goes on under its key. A failed one is a new attempt.
    isBroken = false
    expect((await trainIn(folder, backend)).run).toMatchObject({
      state: "succeeded",
      attempt: state === "failed" ? 2 : 1,
    })
    expect(new Set(keys).size).toBe(state === "failed" ? 2 : 1)
    expect(runsIn(folder)).toHaveLength(1)
  })

  it("and created a job after all goes on with that job", async () => {
    const folder = await trainableWorkspace()
    const made: string[] = []
    const backend = scriptedBackend({
      kind: "hosted",
      submit: async (_plan, _files, { submissionKey }) => {
        made.push(submissionKey)
        throw mayExist()
      },
      find: async (submissionKey) =>
        made.includes(submissionKey) ? { backend: "scripted", id: "7", submissionKey } : undefined,
      poll: async () => ({ state: "running", events: [], cursor: "" }),
    })
    await expect(trainIn(folder, backend)).rejects.toMatchObject({ code: "run-uncertain" })
    const again = await trainIn(folder, backend)
    expect(again).toMatchObject({ state: "reattached", run: { state: "running", job: { id: "7" } } })
    expect(made).toHaveLength(1)
  })

  it("stays uncertain while nobody can say, submits nothing, and cannot be cancelled", async () => {
    const folder = await trainableWorkspace()
    let submits = 0
    const backend = scriptedBackend({
      submit: async () => {
        submits++
        throw mayExist()
      },
      find: () =>
        Promise.reject(new ProviderError("unreachable sk-secret0123456789", { provider: "x", hint: "Wait." })),
    })
    for (let time = 0; time < 3; time++)
      await expect(trainIn(folder, backend)).rejects.toMatchObject({ code: "run-uncertain" })
    expect(submits).toBe(1)
    const [run = ""] = runsIn(folder)
    const context = stageContext(folder)
    const summary = await syncRun(context, run, backend)
    expect(summary).toMatchObject({ state: "uncertain", message: "unreachable [secret]" })
    expect(summary.hint).toMatch(/^Wait\. .*tuneloop train mood/)
    await expect(cancelRun(context, run, backend)).rejects.toMatchObject({ code: "run-uncertain" })
    // Said once, however often it was asked.
    const events = await context.ledger().runs.events(run)
    expect(events.filter(({ type }) => type === "state-changed")).toHaveLength(2)
  })

  it("is asked about no faster than the backend wants, for as long as it cannot say", async () => {
    const folder = await trainableWorkspace()
    const answers = [{ retryAfterMs: 30_000 }, {}]
    const backend = scriptedBackend({
      submit: () => Promise.reject(mayExist()),
      find: async (submissionKey) => {
        const answer = answers.shift()
        if (answer !== undefined) throw new ProviderError("not listed yet", { provider: "x", ...answer })
        return { backend: "scripted", id: "1", submissionKey }
      },
    })
    await expect(trainIn(folder, backend)).rejects.toBeDefined()
    const [run = ""] = runsIn(folder)
    const slept: number[] = []
    const context = stageContext(folder, { sleep: async (milliseconds) => void slept.push(milliseconds) })
    expect((await waitForRun(context, run, backend, () => undefined)).state).toBe("succeeded")
    expect(slept).toEqual([30_000, 10_000])
  })

  it("is not waited for when there is certainly no job", async () => {
    const folder = await trainableWorkspace()
    const backend = scriptedBackend({ submit: () => Promise.reject(mayExist()) })
    await expect(trainIn(folder, backend)).rejects.toBeDefined()
    const [run = ""] = runsIn(folder)
    const context = stageContext(folder)
    expect((await waitForRun(context, run, backend, () => undefined)).state).toBe("uncertain")
    expect((await cancelRun(context, run, backend)).state).toBe("cancelled")
  })
})

it("two commands at once start one job", async () => {
  const folder = await trainableWorkspace()
  let isSubmitting = 0
  let mostAtOnce = 0
  const jobs: string[] = []
  const backend = scriptedBackend({
    kind: "hosted",
    submit: async (_plan, files, { submissionKey }) => {
      mostAtOnce = Math.max(mostAtOnce, ++isSubmitting)
      await new Promise((done) => setTimeout(done, 100))
      isSubmitting--
      makeFolder(files.adapter)
      jobs.push(submissionKey)
      return { backend: "scripted", id: String(jobs.length), submissionKey }
    },
    poll: async () => ({ state: "running", events: [], cursor: "" }),
  })
  const said: string[] = []
  const results = await Promise.all([0, 1, 2].map(() => trainIn(folder, backend, { said })))
  expect(results.map(({ state }) => state).sort()).toEqual(["reattached", "reattached", "started"])
  expect([jobs.length, mostAtOnce, runsIn(folder).length]).toEqual([1, 1, 1])
  expect(said.join("\n")).toContain("waiting for it")
})

describe("whoever pays", () => {
  const usd = (value: number) => async () => ({
    figures: [{ name: "cost", value, unit: "USD", source: "provider" as const }],
  })

  it.each<[string, Partial<FineTuneBackend>, boolean]>([
    ["of a hosted backend", { kind: "hosted" }, true],
    ["of a runner that costs money", { estimate: usd(3) }, true],
    ["of a runner that costs nothing", { estimate: usd(0) }, false],
  ])("%s is asked or not", async (_name, parts, isAsked) => {
    const folder = await trainableWorkspace()
    const asked: string[] = []
    const backend = scriptedBackend(parts)
    const consent = async ({ firstRow, planDigest }: { firstRow: string; planDigest: string }) => {
      expect(existsSync(join(folder, "jobs", "runs"))).toBe(false)
      expect(JSON.parse(firstRow)).toHaveProperty("messages")
      asked.push(planDigest)
    }
    const { planned } = await trainIn(folder, backend, { consent })
    expect(asked).toEqual(isAsked ? [planned.digest] : [])
    // Neither for a run that is there already.
    expect((await trainIn(folder, backend, { consent })).state).toBe("unchanged")
    expect(asked).toHaveLength(isAsked ? 1 : 0)
  })

  it("and says no has started nothing", async () => {
    const folder = await trainableWorkspace()
    const backend = scriptedBackend({ kind: "hosted" })
    const consent = () => Promise.reject(new UsageError("not started"))
    await expect(trainIn(folder, backend, { consent })).rejects.toThrow("not started")
    expect(backend.jobs).toEqual([])
    expect(existsSync(join(folder, "jobs", "runs"))).toBe(false)
  })
})

describe("the pin of a base", () => {
  const baseOf = (folder: string, run: string) =>
    JSON.parse(readFileSync(join(folder, "jobs", "runs", run, "base.json"), "utf8")) as { pin: string }

  it("that changed makes a new run, and the old one stays as it is", async () => {
    const folder = await trainableWorkspace()
    const from = (pin: string | undefined) => scriptedBackend({ pin: async () => pin })
    const first = await trainIn(folder, from("weights-1"))
    expect(baseOf(folder, first.run.run)).toMatchObject({
      schemaVersion: 1,
      model: "gpt-4.1-mini-2025-04-14",
      revision: null,
      pin: "weights-1",
      source: "scripted",
    })
    expect((await trainIn(folder, from("weights-1"))).state).toBe("unchanged")
    const said: string[] = []
    const second = await trainIn(folder, from("weights-2"), { said })
    expect(second.state).toBe("started")
    expect(second.planned.digest).toBe(first.planned.digest)
    expect(second.run.run).not.toBe(first.run.run)
    expect(said.join("\n")).toMatch(/has changed since .*weights-1.*weights-2/)
    // Back to the first weights: their run is still there. A pin that cannot be known concludes nothing.
    expect((await trainIn(folder, from("weights-1"))).run.run).toBe(first.run.run)
    expect((await trainIn(folder, from(undefined))).state).toBe("unchanged")
    expect(runsIn(folder)).toHaveLength(2)
  })

  it("is taken at first sight by a run of before pins", async () => {
    const folder = await trainableWorkspace()
    const { run } = await trainIn(folder, scriptedBackend())
    expect(existsSync(join(folder, "jobs", "runs", run.run, "base.json"))).toBe(false)
    const backend = scriptedBackend({ pin: async () => "weights-1" })
    expect((await trainIn(folder, backend)).state).toBe("unchanged")
    expect(baseOf(folder, run.run).pin).toBe("weights-1")
    expect((await trainIn(folder, scriptedBackend({ pin: async () => "weights-2" }))).state).toBe("started")
  })

  it("that only the training brings is taken when it has ended", async () => {
    const folder = await trainableWorkspace()
    let known: string | undefined
    const backend = scriptedBackend({
      pin: async () => known,
      poll: async () => {
        known = "commit-1"
        return { state: "succeeded", events: [], cursor: "1" }
      },
    })
    const { run } = await trainIn(folder, backend)
    expect(baseOf(folder, run.run).pin).toBe("commit-1")
  })
})

describe("waiting for a run", () => {
  it("polls when the backend says, and goes on when it cannot be reached for a while", async () => {
    const folder = await trainableWorkspace()
    const busy = (retryAfterMs?: number) =>
      new ProviderError("busy", { provider: "x", isRetryable: true, ...(retryAfterMs ? { retryAfterMs } : {}) })
    const answers: (Error | "running")[] = ["running", busy(90_000), busy(), "running"]
    const backend = scriptedBackend({
      poll: async () => {
        const answer = answers.shift()
        if (answer instanceof Error) throw answer
        const state = answer ?? "succeeded"
        return {
          state,
          events: [],
          cursor: String(answers.length),
          ...(state === "running" ? { pollAfterMs: 20_000 } : {}),
        }
      },
    })
    const { run } = await trainIn(folder, backend)
    const slept: number[] = []
    const context = stageContext(folder, { sleep: async (milliseconds) => void slept.push(milliseconds) })
    expect((await waitForRun(context, run.run, backend, () => undefined)).state).toBe("succeeded")
    expect(slept).toEqual([90_000, 700, 20_000])
  })

  it("ends with an error that waiting does not help", async () => {
    const folder = await trainableWorkspace()
    let polls = 0
    const backend = scriptedBackend({
      poll: async () => {
        if (polls++ > 0) throw new CredentialError("the key was refused", "Check it.")
        return { state: "running", events: [], cursor: "" }
      },
    })
    const { run } = await trainIn(folder, backend)
    await expect(waitForRun(stageContext(folder), run.run, backend, () => undefined)).rejects.toThrow("refused")
  })
})

it("a backend that does not answer after the submit has the job all the same", async () => {
  const folder = await trainableWorkspace()
  const backend = scriptedBackend({ poll: () => Promise.reject(new ProviderError("503", { provider: "x" })) })
  const said: string[] = []
  expect((await trainIn(folder, backend, { said })).run).toMatchObject({ state: "queued", job: { id: "1" } })
  expect(said.join("\n")).toContain("is submitted")
})

it("the run's time is the sender's, in the ledger and in the file beside it", async () => {
  const folder = await trainableWorkspace()
  const backend = scriptedBackend({
    poll: async () => ({
      state: "succeeded",
      since: "2026-01-01T01:10:00Z",
      events: [{ type: "started", totalSteps: 2, details: { machine: "a GPU" }, sentAt: "2026-01-01T01:00:00Z" }],
      cursor: "1",
    }),
  })
  const { run } = await trainIn(folder, backend)
  expect(run).toMatchObject({ trainedMs: 600_000, details: { machine: "a GPU" }, endedAt: "2026-01-01T01:10:00Z" })
  const events = readFileSync(join(runFiles(stageContext(folder).workspace, run.run).folder, "events.jsonl"), "utf8")
  expect(events).toContain('"sentAt":"2026-01-01T01:10:00Z"')
})
