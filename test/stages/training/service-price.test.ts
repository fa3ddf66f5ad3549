import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import together from "../../../src/backends/together.ts"
import { runCost } from "../../../src/core/training/spending.ts"
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

/** The command once more, with these settings of its job. */
function command(settings: object) {
  const job = { schemaVersion: 1, job: "mood", task: "mood", baseModel: server.model, ...settings }
  writeFileSync(join(folder, "jobs", "mood.yaml"), JSON.stringify(job))
  const context = stageContext(folder)
  const options = together.options.parse({ baseUrl: server.url, settleSeconds: 0 })
  const backend = together.create(backendContext({ TOGETHER_API_KEY: server.key }), options)
  const { workspace } = context
  return { context, train: () => train(context, workspace.readJob("mood"), workspace.readTask("mood"), backend) }
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
