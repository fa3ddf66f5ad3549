import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import together from "../../../src/backends/together.ts"
import { UsageError } from "../../../src/core/errors.ts"
import { runCost } from "../../../src/core/training/spending.ts"
import type { PaidTraining } from "../../../src/stages/context.ts"
import { summaryOf } from "../../../src/stages/training/sync.ts"
import { train } from "../../../src/stages/training/train.ts"
import { TogetherServer } from "../../backends/together-server.ts"
import { failureOf } from "./hosted-command.ts"
import { backendContext, stageContext, trainableWorkspace } from "./workspace.ts"

let server: TogetherServer
let folder: string
beforeEach(async () => {
  server = await TogetherServer.start()
  folder = await trainableWorkspace()
})
afterEach(() => server.close())

interface Circumstances {
  /** By the price file. */
  readonly usdPerMillionTokens?: number
  /** Whether whoever pays agrees to more than the price file says. */
  readonly agrees?: boolean | "interrupted"
}

/** The command once more, with these settings of its job. */
function command(settings: object, { usdPerMillionTokens, agrees = true }: Circumstances = {}) {
  const job = { schemaVersion: 1, job: "mood", task: "mood", baseModel: server.model, ...settings }
  writeFileSync(join(folder, "jobs", "mood.yaml"), JSON.stringify(job))
  const asked: PaidTraining[] = []
  const consent = async (act: PaidTraining) => {
    asked.push(act)
    if (act.raised !== undefined && agrees === "interrupted") throw new Error("interrupted")
    if (act.raised !== undefined && !agrees) throw new UsageError("not started", "Answer y, or give --yes.")
  }
  const context = stageContext(folder, { consent })
  const price = { match: server.model, asOf: "2026-11-30", source: "this test" }
  const trainingPrices = usdPerMillionTokens === undefined ? [] : [{ ...price, usdPerMillionTokens }]
  const options = together.options.parse({ baseUrl: server.url, settleSeconds: 0 })
  const backend = together.create({ ...backendContext({ TOGETHER_API_KEY: server.key }), trainingPrices }, options)
  const { workspace } = context
  return { context, asked, train: () => train(context, workspace.readJob("mood"), workspace.readTask("mood"), backend) }
}

/** What the server asks for the rows that were uploaded. */
function askedUsd(run: string): number {
  return readFileSync(join(folder, "jobs", "runs", run, "rendered", "train.jsonl")).length / 1e5
}

describe("what a service says that a training will cost", () => {
  it("keeps a job from being created above the ceiling, names what was uploaded, and can be allowed", async () => {
    const refused = await failureOf(command({ budgetUsd: 0.0001, allowUnknownCost: true }).train())
    expect(refused).toMatchObject({ code: "budget", exitCode: 4 })
    expect(refused?.message).toMatch(
      /ceiling of job mood, \$0\.00010: it costs about \$\S+ by together's own estimate.*\$0$/,
    )
    expect(refused?.hint).toMatch(/No job was created\. Uploaded: train\.jsonl \(\S+\).*tuneloop runs purge mood-/)
    expect(server.jobs).toHaveLength(0)
    const { context, train: again } = command({ budgetUsd: 5, allowUnknownCost: true })
    const [run] = await context.ledger().runs.list()
    const events = await context.ledger().runs.events(run?.run ?? "")
    expect(events.filter(({ type }) => type === "uploaded")).not.toHaveLength(0)
    expect(events.at(-2)).toMatchObject({ type: "state-changed", state: "failed" })
    expect((await again()).run.state).toBe("queued")
    expect(server.jobs).toHaveLength(1)
  })

  it("is asked about again where it is more than was agreed to, and nothing is created without a yes", async () => {
    const cheap = { usdPerMillionTokens: 0.000001 }
    const refused = command({}, { ...cheap, agrees: false })
    const failure = await failureOf(refused.train())
    expect(failure).toMatchObject({ code: "usage", message: "not started" })
    expect(failure?.hint).toMatch(/^Answer y, or give --yes\. No job was created\. Uploaded: .*runs purge mood-/)
    expect(refused.asked.map(({ raised }) => raised?.askedUsd)).toEqual([undefined, expect.any(Number)])
    expect(server.jobs).toHaveLength(0)
    const [run] = await refused.context.ledger().runs.list()
    expect((await summaryOf(refused.context, run?.run ?? "")).state).toBe("failed")

    const agreed = command({}, cheap)
    expect((await agreed.train()).run.state).toBe("queued")
    expect(agreed.asked.at(-1)?.raised).toMatchObject({ askedUsd: askedUsd(run?.run ?? "") })
    expect(server.jobs).toHaveLength(1)
  })

  it("leaves no doubt whether there is a job where the question is interrupted", async () => {
    const { context, train: trained } = command({}, { usdPerMillionTokens: 0.000001, agrees: "interrupted" })
    expect((await failureOf(trained()))?.message).toBe("interrupted")
    const [run] = await context.ledger().runs.list()
    expect(await summaryOf(context, run?.run ?? "")).toMatchObject({ state: "failed", message: "interrupted" })
    expect(server.jobs).toHaveLength(0)
  })

  it.each([
    ["is less", 1_000_000],
    ["was not known", undefined],
  ])("is not asked about again where what was agreed to %s", async (_what, usdPerMillionTokens) => {
    const { asked, train: trained } = command({}, usdPerMillionTokens === undefined ? {} : { usdPerMillionTokens })
    await trained()
    expect(asked.map(({ raised }) => raised)).toEqual([undefined])
  })

  it("is the estimate of the run, and counts for the ceilings of the next", async () => {
    const { context, train: first } = command({ budgetUsd: 5, allowUnknownCost: true })
    const { run } = await first()
    const usd = askedUsd(run.run)
    expect(runCost(await context.ledger().runs.events(run.run)).estimateUsd).toBe(usd)
    const next = command({ budgetUsd: usd * 1.5, allowUnknownCost: true, seed: 2 })
    expect((await failureOf(next.train()))?.code).toBe("budget")
    expect(server.jobs).toHaveLength(1)
  })

  it("takes the place of what was reserved by the price file, and is not counted beside it", async () => {
    const { context } = command({})
    const { runs } = context.ledger()
    await runs.create({ run: "r", job: "mood", task: "mood", plan: "sha256:p" })
    await runs.beginSubmission("r", "key", 1, { estimateUsd: 3, ceilings: { jobUsd: 5 } })
    expect(await runs.reviseEstimate("r", "key", 4, { jobUsd: 5 })).toBe("revised")
    expect(await runs.reviseEstimate("r", "key", 6, { jobUsd: 5 })).toMatchObject({
      reached: { scope: "job", spending: { openUsd: 0 } },
    })
    expect((await runs.spending()).openUsd).toBe(4)
  })
})
