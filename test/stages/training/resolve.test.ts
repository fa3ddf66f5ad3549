import { attemptCosts } from "../../../src/core/training/spending.ts"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { cancelLateJobs } from "../../../src/stages/training/cancel.ts"
import { resolveSubmission } from "../../../src/stages/training/resolve.ts"
import { summaryOf } from "../../../src/stages/training/sync.ts"
import { syncAll } from "../../../src/stages/training/sync-all.ts"
import { readPlan, runFiles } from "../../../src/store/rows/run-files.ts"
import { OpenAiServer } from "../../backends/openai-server.ts"
import { outcomeOf } from "../../command-line.ts"
import { failureOf, hostedCommand, writeHostedJob } from "./hosted-command.ts"
import { trainableWorkspace } from "./workspace.ts"

let server: OpenAiServer
let folder: string
beforeEach(async () => {
  server = await OpenAiServer.start()
  folder = await trainableWorkspace()
  writeHostedJob(folder, "mood", server)
})
afterEach(() => server.close())

const command = () => hostedCommand(folder, server)
const create = /^POST \S+\/jobs$/

/** The run of a submission whose job was made, and which the service's list does not show. */
async function uncertainRun(): Promise<string> {
  server.listLagMs = Number.POSITIVE_INFINITY
  server.faults.push({ call: create, when: "after", answer: "cut" })
  writeHostedJob(folder, "mood", server, { backend: lagging() })
  const failure = await failureOf(command().trainThere())
  expect(failure).toMatchObject({ code: "run-uncertain" })
  expect(failure?.hint).toContain("tuneloop runs resolve")
  const [run] = await command().context.ledger().runs.list()
  return run?.run ?? ""
}

/** A place whose list may lag by an hour. */
const lagging = () => ({
  name: "openai-compatible",
  options: { profile: "custom", baseUrl: server.url, settleSeconds: 3600 },
})

/** A service that keeps no key of ours, and whose list is said to be complete at once. */
const keyless = () => ({
  name: "openai-compatible",
  options: { profile: "nebius", baseUrl: server.url, apiKeyEnv: "OPENAI_API_KEY", settleSeconds: 0 },
})

async function resolve(run: string, created?: string) {
  const { context, open } = command()
  const plan = readPlan(runFiles(context.workspace, run))
  if (plan === undefined) throw new Error("there is no plan")
  return resolveSubmission(context, run, { plan, backend: await open(plan.backend) }, { by: "amara", created })
}

/** What became of the word on another machine. */
async function there(run: string, created?: string): Promise<string> {
  const settings = JSON.stringify({ folder, key: server.key, run, ...(created === undefined ? {} : { created }) })
  const child = spawn(process.execPath, [join(import.meta.dirname, "resolve-there.ts"), settings])
  return (await outcomeOf(child)).stdout
}

const sync = () => {
  const one = command()
  return { ...one, looked: syncAll(one.context, one.open) }
}

describe("a person's word for a submission that is uncertain", () => {
  it("that there is a job is taken for the job of the run, with who said it, and nothing is submitted", async () => {
    const run = await uncertainRun()
    expect(await resolve(run, "ftjob-1")).toMatchObject({
      state: "resolved",
      summary: { state: "queued", job: { id: "ftjob-1" } },
    })
    expect((await resolve(run, "ftjob-1")).state).toBe("unchanged")
    const events = await command().context.ledger().runs.events(run)
    expect(events.find(({ type }) => type === "resolved")).toMatchObject({ outcome: "created", by: "amara" })
    server.succeed()
    expect(await sync().looked).toMatchObject([{ run, state: "succeeded" }])
    expect(server.jobs).toHaveLength(1)
  })

  it("is not taken where the job is none, another's, or trains something else", async () => {
    const run = await uncertainRun()
    const { newest } = server
    expect((await failureOf(resolve(run, "ftjob-9")))?.message).toBe("openai-compatible has no job ftjob-9")
    const add = (changes: object) => {
      const job = { ...newest, id: `ftjob-${server.jobs.length + 1}`, metadata: {}, events: [], ...changes }
      server.jobs.push(job)
      return job.id
    }
    const refusalOf = async (id: string) => (await failureOf(resolve(run, id)))?.message
    expect(await refusalOf(add({ metadata: { tuneloop_submission: "sha256:another" } }))).toContain(
      "it was created by another submission",
    )
    expect(await refusalOf(add({ model: "gpt-4.1-2025-04-14" }))).toContain("it trains gpt-4.1-2025-04-14, the run")
    expect(await refusalOf(add({ training_file: "file-99" }))).toContain("it trains on file-99, the run uploaded")
    expect((await summaryOf(command().context, run)).state).toBe("uncertain")
    // Without metadata its file tells that it is the one.
    expect((await resolve(run, add({}))).summary).toMatchObject({ state: "queued", job: { id: "ftjob-5" } })

    writeHostedJob(folder, "second", server, { seed: 2, backend: lagging() })
    server.faults.push({ call: create, when: "after", answer: "cut" })
    await failureOf(command().trainThere("second"))
    const [second] = await command().context.ledger().runs.list({ job: "second" })
    expect((await failureOf(resolve(second?.run ?? "", "ftjob-5")))?.message).toBe(`ftjob-5 is the job of ${run}`)
  })

  it("is needed where the service keeps no key, however long its list has been without the job", async () => {
    server.listLagMs = Number.POSITIVE_INFINITY
    server.faults.push({ call: create, when: "after", answer: "cut" })
    writeHostedJob(folder, "mood", server, { backend: keyless() })
    for (let time = 0; time < 3; time++)
      expect(await failureOf(command().trainThere())).toMatchObject({ code: "run-uncertain" })
    expect(server.jobs).toHaveLength(1)
    server.listLagMs = 0
    expect((await command().trainThere()).run).toMatchObject({ state: "queued", job: { id: "ftjob-1" } })
  })

  it("that there is none lets the next train submit another, under another key and with files of its own", async () => {
    const run = await uncertainRun()
    expect((await resolve(run)).summary).toMatchObject({ state: "failed", message: "no job was created, says amara" })
    expect((await resolve(run)).state).toBe("unchanged")
    const { run: again } = await command().trainThere()
    expect(again).toMatchObject({ run, attempt: 2, state: "queued", job: { id: "ftjob-2" } })
    const [first, second] = server.jobs
    expect(first?.training_file).not.toBe(second?.training_file)
    const notes = JSON.parse(readFileSync(join(folder, "jobs", "runs", run, "submission.json"), "utf8"))
    expect(notes).toMatchObject({
      submissionKey: again.submissionKey,
      uploads: { "train.jsonl": { id: second?.training_file } },
      earlier: [{ uploads: { "train.jsonl": { id: first?.training_file } } }],
    })
  })

  it("that there is none is contradicted by a job that turns up: it becomes the run's", async () => {
    const run = await uncertainRun()
    await resolve(run)
    server.listLagMs = 0
    const { looked, said } = sync()
    expect(await looked).toMatchObject([{ run, before: "failed", state: "queued", lateJobs: ["ftjob-1"] }])
    expect(said.join("\n")).toContain("ftjob-1 was created after all, although amara said on")
    expect((await command().trainThere()).state).toBe("reattached")
    expect(server.jobs).toHaveLength(1)
  })

  it("that there is none, and another attempt: the job that turns up is named, counted and can be ended", async () => {
    const run = await uncertainRun()
    await resolve(run)
    await command().trainThere()
    const before = await command().context.ledger().runs.spending()
    server.listLagMs = 0
    const { looked, said } = sync()
    expect(await looked).toMatchObject([{ run, state: "queued", lateJobs: ["ftjob-1"] }])
    expect(said.join("\n")).toContain(`tuneloop runs cancel ${run} --late`)
    const after = await command().context.ledger().runs.spending()
    expect(after.openUsd).toBeCloseTo(2 * before.openUsd)
    expect((await sync().looked).flatMap(({ lateJobs }) => lateJobs)).toEqual([])
    expect(await summaryOf(command().context, run)).toMatchObject({
      job: { id: "ftjob-2" },
      lateJobs: [{ id: "ftjob-1" }],
    })
    const { context, backend } = command()
    expect(await cancelLateJobs(context, run, backend)).toEqual(["ftjob-1"])
    expect(server.jobs.map(({ status }) => status)).toEqual(["cancelled", "validating_files"])
  })

  it("of a job that turned up late and ended, what it cost counts in the place of its estimate, once", async () => {
    const run = await uncertainRun()
    await resolve(run)
    await command().trainThere()
    server.listLagMs = 0
    await sync().looked
    const [late] = server.jobs
    if (late === undefined) throw new Error("there is no job")
    server.succeed(late)
    for (let time = 0; time < 2; time++) await sync().looked
    const { context } = command()
    expect((await summaryOf(context, run)).lateJobs).toMatchObject([{ id: "ftjob-1", endedAs: "succeeded" }])
    const { endedUsd, openUsd } = await context.ledger().runs.spending()
    // 1,200 tokens at $5 a million; the run's own job still counts at its estimate.
    expect(endedUsd).toBeCloseTo(0.006, 9)
    const attempts = attemptCosts(await context.ledger().runs.events(run))
    expect(openUsd).toBeCloseTo(attempts.at(-1)?.estimateUsd ?? 0)
  })

  it("is not asked for where the provider knows, nor of a run that is not uncertain", async () => {
    const run = await uncertainRun()
    server.listLagMs = 0
    expect(await failureOf(resolve(run))).toMatchObject({
      code: "not-uncertain",
      message: `${run} is queued, with the job ftjob-1; only a run that is uncertain can be resolved`,
      hint: `Follow it: tuneloop runs watch ${run}`,
    })
    server.end(server.newest, "failed", "no")
    await sync().looked
    expect(await failureOf(resolve(run, "ftjob-7"))).toMatchObject({
      code: "not-uncertain",
      hint: `See it: tuneloop runs show ${run}`,
    })
    expect(server.jobs).toHaveLength(1)
  })

  it("is taken once of two that contradict each other, from two machines at once", { timeout: 60_000 }, async () => {
    const run = await uncertainRun()
    const lookedAt = /^GET \S+\/jobs\/ftjob-1$/
    // One has seen that the run is uncertain, and that its job is there, when the other says that there is none.
    server.faults.push({ call: lookedAt, when: "after", answer: "held" })
    const arrival = server.arrival(lookedAt)
    const late = there(run, "ftjob-1")
    await arrival
    expect(await there(run)).toBe("resolved")
    server.release()
    expect(await late).toMatch(
      /^not-uncertain: .* is failed, and has no job, as \d+ said; only a run that is uncertain/,
    )
    const events = await command().context.ledger().runs.events(run)
    expect(events.filter(({ type }) => type === "resolved")).toHaveLength(1)
    expect(await summaryOf(command().context, run)).toMatchObject({ state: "failed", job: undefined })
  })

  it("counts while the provider cannot be reached", async () => {
    const run = await uncertainRun()
    server.isReachable = false
    expect((await resolve(run)).summary.state).toBe("failed")
  })
})
