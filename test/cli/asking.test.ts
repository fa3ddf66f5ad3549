import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { importSeeds, json, sampleWorkspace, snapshot, tuneloop } from "../command-line.ts"
import { BatchServer } from "../models/batch-server.ts"

const grow = ["expand", "ticket-triage", "--strategy", "self-instruct"]

/** The sample task with a model at the address, and its price. */
async function workspaceWith(model: string): Promise<string> {
  const folder = sampleWorkspace()
  const file = join(folder, "specs", "ticket-triage.yaml")
  const text = readFileSync(file, "utf8")
  const changed = text.replace(
    "  strategies:\n",
    `  model: ${model}\n  strategies:\n    self-instruct: { count: 10, perRequest: 5 }\n`,
  )
  expect(changed).not.toBe(text)
  writeFileSync(file, changed)
  writeFileSync(
    join(folder, "prices.yaml"),
    `models:\n  - { match: "*", host: 127.0.0.1, inputUsd: 100, outputUsd: 1000, batchShare: 0.5, asOf: ` +
      `2026-11-24, source: this test }\n`,
  )
  await importSeeds(folder)
  return folder
}

it(
  "a batch is left with exit code 3 and the next command, taken in later, costed, recorded, and grown again " +
    "from the recording without a server",
  async () => {
    const server = await BatchServer.start()
    server.answer = (seed) =>
      [1, 2]
        .map((index) => JSON.stringify({ input: `${index} where is parcel number ${seed}`, output: "delivery" }))
        .join("\n")
    const workspace = await workspaceWith(`{ model: test-model, baseUrl: "${server.url}" }`)
    const planned = await json<{
      strategies: { plan: { inputTokens: number; outputTokens: number; costUsd: number } }[]
    }>(workspace, ...grow, "--dry-run")
    const plan = planned.strategies[0]?.plan
    expect(plan?.costUsd).toBeCloseTo(((plan?.inputTokens ?? 0) * 100 + (plan?.outputTokens ?? 0) * 1000) / 1e6, 10)
    const left = await tuneloop(workspace, [...grow, "--batch", "--json"]).outcome
    expect([left.code, left.stdout]).toEqual([3, ""])
    expect(JSON.parse(left.stderr)).toMatchObject({
      error: { code: "person-needed", hint: expect.stringContaining("tuneloop expand ticket-triage") },
    })
    server.end(0, "completed")
    const grown = await json<{ strategies: object[] }>(workspace, ...grow, "--batch")
    expect(grown.strategies).toMatchObject([
      {
        state: "grown",
        requests: 2,
        answeredBefore: 0,
        costUsd: expect.closeTo((2 * (11 * 100 + 7 * 1000)) / 2e6, 10),
      },
    ])
    const { costs } = await json<{ costs: object[] }>(workspace, "ledger", "costs", "ticket-triage")
    expect(costs).toMatchObject([
      { strategy: "self-instruct", attempts: 2, inputTokens: 22, outputTokens: 14, accepted: 0, usdPerAccepted: null },
    ])

    const recording = join(workspace, "recording.jsonl")
    writeFileSync(recording, (await tuneloop(workspace, ["ledger", "recording", "ticket-triage"]).outcome).stdout)
    server.close()
    const replayed = await workspaceWith("{ provider: replay, model: test-model }")
    const { code, stderr } = await tuneloop(replayed, grow, { TUNELOOP_RECORDING: recording }).outcome
    expect(code, stderr).toBe(0)
    const inputs = (folder: string) =>
      Object.keys(snapshot(join(folder, "datasets", "ticket-triage", "candidates"))).map((name) =>
        readFileSync(join(folder, "datasets", "ticket-triage", "candidates", name), "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => (JSON.parse(line) as { input: unknown }).input),
      )
    expect(inputs(replayed)).toEqual(inputs(workspace))
    expect(inputs(replayed)[0]).toHaveLength(4)
  },
)

it(
  "a ceiling on a price that nobody knows is refused with what to write, and a ceiling that is no number " +
    "with its form",
  async () => {
    const workspace = await workspaceWith('{ model: mystery-model, baseUrl: "https://api.openai.com/v1" }')
    const { code, stderr } = await tuneloop(workspace, [...grow, "--budget-usd", "5"], { OPENAI_API_KEY: "none" })
      .outcome
    expect(code).toBe(2)
    expect(stderr).toMatch(/what mystery-model costs at api\.openai\.com.*--budget-usd/)
    expect(stderr).toContain("prices.yaml")
    const wrong = await tuneloop(workspace, [...grow, "--budget-usd", "five"]).outcome
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("must be a number of US dollars")])
  },
)
