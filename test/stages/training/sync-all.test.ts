import { rmSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { syncAll } from "../../../src/stages/training/sync-all.ts"
import { OpenAiServer } from "../../backends/openai-server.ts"
import { failureOf, hostedCommand, writeHostedJob } from "./hosted-command.ts"
import { trainableWorkspace } from "./workspace.ts"

let server: OpenAiServer
let other: OpenAiServer
let folder: string
beforeEach(async () => {
  server = await OpenAiServer.start()
  other = await OpenAiServer.start()
  folder = await trainableWorkspace()
  writeHostedJob(folder, "mood", server)
  writeHostedJob(folder, "second", server, { seed: 2 })
  writeHostedJob(folder, "elsewhere", other, { seed: 3 })
})
afterEach(() => {
  server.close()
  other.close()
})

const command = () => hostedCommand(folder, server)
const trainAll = async (...jobs: string[]) => {
  const runs: string[] = []
  for (const job of jobs) runs.push((await command().trainThere(job)).run.run)
  return runs
}
const sync = () => {
  const one = command()
  return { ...one, looked: syncAll(one.context, one.open) }
}
const tries = 3

describe("one look at all runs", () => {
  it("brings what came since the last, once, and leaves alone what is over", async () => {
    const [mood, second] = await trainAll("mood", "second", "elsewhere")
    server.step(server.jobs[0])
    server.succeed(server.jobs[1])
    expect(await sync().looked).toMatchObject([
      { run: mood, before: "queued", state: "running", outcome: "current" },
      { run: second, before: "queued", state: "succeeded", outcome: "current", costUsd: 0.006 },
      { before: "queued", state: "queued", outcome: "current", newEvents: 0 },
    ])
    expect(await sync().looked).toMatchObject([
      { run: mood, before: "running", state: "running", newEvents: 0 },
      { before: "queued", state: "queued", newEvents: 0 },
    ])
    const events = await command()
      .context.ledger()
      .runs.events(mood ?? "")
    expect(events.flatMap((event) => (event.type === "metric-logged" ? [event.step] : []))).toEqual([1])
  })

  it("names the provider that cannot be reached, leaves its runs as they were, and looks at the others", async () => {
    await trainAll("mood", "second", "elsewhere")
    server.step(server.jobs[0])
    await sync().looked
    server.isReachable = false
    other.step()
    const { looked, slept } = sync()
    expect(await looked).toMatchObject([
      { state: "running", outcome: "unreachable", reason: expect.stringContaining("did not answer") },
      { state: "queued", outcome: "unreachable" },
      { state: "running", outcome: "current" },
    ])
    // It waits between the tries of one question, and asks no second one.
    expect(slept).toHaveLength(tries - 1)
    server.isReachable = true
    expect((await sync().looked).map(({ state, newEvents }) => [state, newEvents])).toEqual([
      ["running", 0],
      ["queued", 0],
      ["running", 0],
    ])
  })

  it("waits as long as a provider says, and asks it nothing more where that does not help", async () => {
    await trainAll("mood", "second", "elsewhere")
    const busy = { status: 429, headers: { "retry-after": "9" } }
    server.faults.push({ call: /ftjob-1$/, when: "before", answer: busy })
    const patient = sync()
    expect((await patient.looked).map(({ outcome }) => outcome)).toEqual(["current", "current", "current"])
    expect(patient.slept).toEqual([9000])
    for (let time = 0; time < tries; time++) server.faults.push({ call: /ftjob-1$/, when: "before", answer: busy })
    const calls = server.calls.length
    expect((await sync().looked).map(({ outcome }) => outcome)).toEqual(["unreachable", "unreachable", "current"])
    expect(server.calls).toHaveLength(calls + tries)
  })

  it("goes on with a provider of which one job is gone, and with runs whose folder is", async () => {
    const [, second = ""] = await trainAll("mood", "second", "elsewhere")
    server.jobs.splice(0, 1)
    rmSync(join(folder, "jobs", "runs", second, "plan.json"))
    other.step()
    expect(await sync().looked).toMatchObject([
      { state: "queued", outcome: "failed", reason: expect.stringContaining("404") },
      { state: "queued", outcome: "failed", reason: expect.stringContaining("has no plan") },
      { state: "running", outcome: "current" },
    ])
  })

  it("finds the job of a submission that nobody heard of, and says where there is none", async () => {
    server.faults.push({ call: /^POST \S+\/jobs$/, when: "after", answer: "cut" })
    await failureOf(command().trainThere("mood"))
    server.faults.push({ call: /^POST \S+\/jobs$/, when: "before", answer: "cut" })
    await failureOf(command().trainThere("second"))
    const looked = await sync().looked
    expect(looked).toMatchObject([
      { before: "uncertain", state: "queued", outcome: "current" },
      { before: "uncertain", state: "uncertain", outcome: "none" },
    ])
  })
})

it("the cost of a second attempt is known although the first one had a cost as well", async () => {
  const [run = ""] = await trainAll("mood")
  server.newest.trained_tokens = 400
  server.end(server.newest, "failed", "the moderation said no")
  await sync().looked
  expect((await command().trainThere("mood")).run).toMatchObject({ run, attempt: 2 })
  server.succeed()
  expect(await sync().looked).toMatchObject([{ run, state: "succeeded", costUsd: 0.008 }])
})
