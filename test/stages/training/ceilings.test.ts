import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { syncRun } from "../../../src/stages/training/sync.ts"
import { OpenAiServer } from "../../backends/openai-server.ts"
import { failureOf, hostedCommand, type HostedCircumstances } from "./hosted-command.ts"
import { trainableWorkspace } from "./workspace.ts"

let server: OpenAiServer
let folder: string
beforeEach(async () => {
  server = await OpenAiServer.start()
  folder = await trainableWorkspace()
})
afterEach(() => server.close())

const command = (circumstances: HostedCircumstances = {}) => hostedCommand(folder, server, circumstances)

/** A job file: another seed is another plan. */
function writeJob(job: string, settings: object = {}): void {
  const all = { schemaVersion: 1, job, task: "mood", baseModel: "gpt-4.1-mini-2025-04-14", ...settings }
  writeFileSync(join(folder, "jobs", `${job}.yaml`), JSON.stringify(all))
}

/** The most that all trainings of the workspace may cost. */
function allow(trainingUsd: number): void {
  writeFileSync(join(folder, "tuneloop.yaml"), JSON.stringify({ schemaVersion: 1, budgets: { trainingUsd } }))
}

async function estimateUsd(): Promise<number> {
  const { train, asked } = command()
  await train()
  return asked[0]?.estimate.figures.find(({ unit }) => unit === "USD")?.value ?? 0
}

describe("a ceiling on trainings", () => {
  it("lets nothing be sent that would pass it, with the figures, whoever asks", async () => {
    const usd = await estimateUsd()
    const calls = server.calls.length
    writeJob("other", { seed: 2 })
    allow(usd * 1.8)
    const refused = await failureOf(command().train("other"))
    expect(refused).toMatchObject({ code: "budget", exitCode: 4 })
    expect(refused?.message).toMatch(
      /ceiling of the workspace, \$\S+: it costs about \$\S+, ended trainings cost \$0, open ones about \$\S+$/,
    )
    expect(refused?.hint).toContain("budgets.trainingUsd in tuneloop.yaml")
    expect(server.calls).toHaveLength(calls)
    expect(readdirSync(join(folder, "jobs", "runs"))).toHaveLength(1)

    // The first one ends and costs less than it was thought to: now there is room.
    server.succeed()
    const { context, backend } = command()
    const [run = ""] = readdirSync(join(folder, "jobs", "runs"))
    expect((await syncRun(context, run, backend)).costUsd).toBeLessThan(usd)
    expect((await command().train("other")).state).toBe("started")
    expect(server.jobs).toHaveLength(2)
  })

  it("of a job counts the runs of that job alone, and leaves its plan as it is", async () => {
    const usd = await estimateUsd()
    writeJob("mood", { budgetUsd: usd * 1.5 })
    expect((await command().train()).state).toBe("reattached")
    writeJob("mood", { budgetUsd: usd * 1.5, seed: 2 })
    writeJob("other", { budgetUsd: usd * 1.5, seed: 3 })
    expect((await failureOf(command().train()))?.message).toContain("would pass the ceiling of job mood")
    expect((await command().train("other")).state).toBe("started")
  })

  it("holds for two commands at once that both saw room", async () => {
    const usd = await estimateUsd()
    writeJob("other", { seed: 2 })
    writeJob("third", { seed: 3 })
    allow(usd * 2.5)
    const both = await Promise.allSettled([command().train("other"), command().train("third")])
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"])
    expect(server.jobs).toHaveLength(2)
  })

  it("does not count twice what is submitted again under its key", async () => {
    const usd = await estimateUsd()
    allow(usd * 2.1)
    writeJob("other", { seed: 2 })
    server.faults.push({ call: /^POST \S+\/jobs$/, when: "before", answer: "cut" })
    expect((await failureOf(command().train("other")))?.code).toBe("run-uncertain")
    expect((await command().train("other")).run).toMatchObject({ state: "queued", attempt: 1 })
  })

  it("refuses a training that nobody knows the price of, unless the job says so", async () => {
    allow(100)
    const refused = await failureOf(command({ isPriced: false }).train())
    expect(refused).toMatchObject({ code: "usage" })
    expect(refused?.message).toContain("nobody wrote down what training on gpt-4.1-mini-2025-04-14 costs")
    expect(refused?.hint).toContain("allowUnknownCost: true into jobs/mood.yaml")
    expect(server.calls).toEqual([])
    writeJob("mood", { allowUnknownCost: true })
    expect((await command({ isPriced: false }).train()).state).toBe("started")
  })
})

it("what a training was thought to cost is kept with its run, and what it cost beside it", async () => {
  const usd = await estimateUsd()
  server.succeed()
  const [run = ""] = readdirSync(join(folder, "jobs", "runs"))
  const { context, backend } = command()
  await syncRun(context, run, backend)
  expect(await context.ledger().runs.spending()).toEqual({ endedUsd: 0.006, openUsd: 0, unknown: 0 })
  const events = readFileSync(join(folder, "jobs", "runs", run, "events.jsonl"), "utf8")
  expect(events).toContain(`"estimateUsd":${usd}`)
})
