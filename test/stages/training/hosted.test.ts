import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Fault } from "../../backends/wire-server.ts"
import { OpenAiServer } from "../../backends/openai-server.ts"
import type { RunEvent } from "../../../src/core/training/run.ts"
import { cancelRun } from "../../../src/stages/training/cancel.ts"
import { syncRun } from "../../../src/stages/training/sync.ts"
import { waitForRun } from "../../../src/stages/training/wait.ts"
import { failureOf, hostedCommand, type HostedCircumstances } from "./hosted-command.ts"
import { trainableWorkspace } from "./workspace.ts"

let server: OpenAiServer
let folder: string
beforeEach(async () => {
  server = await OpenAiServer.start()
  folder = await trainableWorkspace()
})
afterEach(() => server.close())

/** How often a question is asked before it is given up. */
const tries = 3
const breakFor = (times: number, fault: Fault) => server.faults.push(...Array.from({ length: times }, () => fault))

const create = /^POST \S+\/jobs$/

/** The command once more. */
const command = (circumstances: HostedCircumstances = {}) => hostedCommand(folder, server, circumstances)

function theRun(): string {
  const runs = readdirSync(join(folder, "jobs", "runs"))
  expect(runs).toHaveLength(1)
  return runs[0] ?? ""
}

/** Every byte that the workspace keeps, the ledger included. */
function everythingKept(): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, "latin1"))
    .join("\n")
}

describe("a training at a hosted service", () => {
  it("is asked for once, followed at the service's pace, and ends with its model", async () => {
    const { train, context, backend, asked, slept } = command()
    const { run, state } = await train()
    expect(state).toBe("started")
    expect(asked).toMatchObject([
      { backend: "openai-compatible", estimate: { figures: [{ unit: "rows" }, { unit: "tokens" }, { unit: "USD" }] } },
    ])
    const [job] = server.jobs
    const rendered = readFileSync(join(folder, "jobs", "runs", theRun(), "rendered", "train.jsonl"), "utf8")
    expect(server.files.get(job?.training_file ?? "")).toBe(rendered)

    const states: string[] = []
    const ended = await waitForRun(context, run.run, backend, ({ state: now }) => {
      states.push(now)
      if (states.length < 6) server.advance()
      else if (states.length === 6) server.succeed()
    })
    expect(new Set(slept)).toEqual(new Set([20_000]))
    expect(states).toEqual(["queued", "queued", "running", "running", "running", "running", "succeeded"])
    expect(ended).toMatchObject({ state: "succeeded", step: 3, model: { kind: "hosted", id: job?.fine_tuned_model } })
    // The 1,200 tokens that the service counted, at $5 a million.
    expect(ended.costUsd).toBeCloseTo(0.006)
    // From the start to the end by the service's clock: 3 steps, each a minute and 10 seconds.
    expect(ended.trainedMs).toBe(3 * 70_000)
    const pin = JSON.parse(readFileSync(join(folder, "jobs", "runs", theRun(), "base.json"), "utf8"))
    expect(pin).toMatchObject({ pin: "gpt-4.1-mini-2025-04-14", source: "openai-compatible" })

    const later = command()
    expect((await later.train()).state).toBe("unchanged")
    expect([later.asked, server.jobs.length]).toEqual([[], 1])
  })

  it("has each event once and in order, however often and by however many it is polled", async () => {
    const { run } = await command().train()
    for (let round = 0; round < 5; round++) {
      server.step()
      await Promise.all([command(), command()].map(({ context, backend }) => syncRun(context, run.run, backend)))
    }
    server.succeed()
    await Promise.all([command(), command()].map(({ context, backend }) => syncRun(context, run.run, backend)))
    const events: RunEvent[] = await command().context.ledger().runs.events(run.run)
    const steps = events.flatMap((event) => (event.type === "metric-logged" ? [event.step] : []))
    expect(steps).toEqual([1, 2, 3, 4, 5])
    expect(events.filter(({ type }) => type === "model-ready")).toHaveLength(1)
    expect(events.filter((event) => event.type === "state-changed" && event.state === "succeeded")).toHaveLength(1)
  })

  it("does not end by a word that nobody knows, nor by a success without a model", async () => {
    const { context, backend, train } = command()
    const { run } = await train()
    server.step()
    server.newest.status = "reticulating_splines"
    expect(await syncRun(context, run.run, backend)).toMatchObject({
      state: "running",
      providerStatus: "reticulating_splines",
    })
    server.newest.status = "succeeded"
    expect(await syncRun(context, run.run, backend)).toMatchObject({ state: "running", providerStatus: "succeeded" })
    expect((await command().train()).state).toBe("reattached")
    server.succeed()
    expect(await syncRun(context, run.run, backend)).toMatchObject({ state: "succeeded" })
    expect(server.jobs).toHaveLength(1)
  })

  it("can be cancelled twice", async () => {
    const { context, backend, train } = command()
    const { run } = await train()
    expect((await cancelRun(context, run.run, backend)).state).toBe("cancelled")
    expect((await cancelRun(context, run.run, backend)).state).toBe("cancelled")
    expect(server.calls.filter((call) => call.endsWith("/cancel"))).toHaveLength(1)
  })

  it("waits as long as the service says when it is told to come later", async () => {
    server.faults.push({ call: create, when: "before", answer: { status: 429, headers: { "retry-after": "7" } } })
    const { train, slept } = command()
    expect((await train()).run.state).toBe("queued")
    expect(slept).toEqual([7000])
    expect(server.jobs).toHaveLength(1)
  })

  it("that is refused has failed, and is another attempt the next time", async () => {
    const body = JSON.stringify({ error: { message: "training_not_available" } })
    server.faults.push({ call: create, when: "before", answer: { status: 403, body } })
    expect((await failureOf(command().train()))?.message).toContain("training_not_available")
    const { context, backend } = command()
    expect(await syncRun(context, theRun(), backend)).toMatchObject({ state: "failed", attempt: 1 })
    expect((await command().train()).run).toMatchObject({ state: "queued", attempt: 2 })
    expect(server.jobs).toHaveLength(1)
  })
})

describe("of a create of which nobody heard what came", () => {
  it.each<[string, Omit<Fault, "call">]>([
    ["an error after the job was made", { when: "after", answer: { status: 500 } }],
    ["an error before it was made", { when: "before", answer: { status: 503 } }],
    ["a connection cut after it was made", { when: "after", answer: "cut" }],
    ["a connection cut before it was made", { when: "before", answer: "cut" }],
    ["an answer that is garbage", { when: "after", answer: { status: 200, body: '{"id": "ftjob-' } }],
    ["an answer that is no job", { when: "after", answer: { status: 200, body: '{"ok": true}' } }],
  ])("%s makes the run uncertain, and there is one job in the end", async (_name, fault) => {
    server.faults.push({ call: create, ...fault })
    expect(await failureOf(command().train())).toMatchObject({ code: "run-uncertain" })
    const unknown = command()
    // The list does not answer either: nothing is known, and nothing is sent.
    breakFor(tries, { call: /^GET .*jobs\?/, when: "before", answer: { status: 500 } })
    expect(await failureOf(unknown.train())).toMatchObject({ code: "run-uncertain" })
    expect(server.calls.filter((call) => create.test(call))).toHaveLength(1)
    const { run } = await command().train()
    expect(run).toMatchObject({ run: theRun(), state: "queued", attempt: 1, job: { id: "ftjob-1" } })
    expect(server.jobs).toHaveLength(1)
    const [{ metadata } = { metadata: {} }] = server.jobs
    expect(metadata).toEqual({ tuneloop_submission: run.submissionKey })
  })

  it("a list that lags is not taken for an answer", async () => {
    server.listLagMs = Number.POSITIVE_INFINITY
    server.faults.push({ call: create, when: "after", answer: "cut" })
    for (let time = 0; time < 2; time++)
      expect(await failureOf(command({ settleMs: 60_000 }).train())).toMatchObject({ code: "run-uncertain" })
    expect(server.jobs).toHaveLength(1)
    server.listLagMs = 0
    expect((await command().train()).run).toMatchObject({ state: "queued", job: { id: "ftjob-1" } })
    expect(server.jobs).toHaveLength(1)
  })

  it("a cancel waits for the answer, and then cancels the job", async () => {
    server.faults.push({ call: create, when: "after", answer: "cut" })
    await failureOf(command().train())
    server.isReachable = false
    const { context, backend } = command()
    expect(await failureOf(cancelRun(context, theRun(), backend))).toMatchObject({ code: "run-uncertain" })
    server.isReachable = true
    expect((await cancelRun(context, theRun(), backend)).state).toBe("cancelled")
    expect(server.newest.status).toBe("cancelled")
  })
})

it("no secret is in an error, an event, a file or what is printed", async () => {
  const failures: unknown[] = []
  const said: string[] = []
  const attempt = async (key?: string) => {
    const one = command(key === undefined ? {} : { key })
    failures.push(await failureOf(one.train()))
    said.push(...one.said)
  }
  const echo = JSON.stringify({ error: { message: `your key ${server.key} is tired` } })
  await attempt("sk-wrong-0123456789")
  server.faults.push({ call: create, when: "after", answer: { status: 500, body: echo } })
  await attempt()
  breakFor(tries, { call: /^GET .*jobs\?/, when: "before", answer: { status: 500, body: echo } })
  await attempt()
  breakFor(tries, { call: /^GET .*jobs\/ftjob-1$/, when: "before", answer: { status: 500, body: echo } })
  await attempt()
  server.end(server.newest, "failed", `the key ${server.key} ran out`)
  await attempt()
  expect(failures.filter((failure) => failure instanceof Error).length).toBeGreaterThan(2)
  const words = failures.map((failure) => (failure instanceof Error ? `${failure.message} ${failure.stack}` : ""))
  const everything = [...words, JSON.stringify(failures), ...said, everythingKept()].join("\n")
  expect(everything).toContain("is tired")
  for (const secret of [server.key, "sk-wrong-0123456789"]) expect(everything).not.toContain(secret)
})
