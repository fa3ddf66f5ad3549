import { appendFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { SqliteLedger } from "../../../src/store/ledger/sqlite-ledger.ts"
import { cleanOf, json, linesOf, sampleWorkspace, tuneloop } from "../../command-line.ts"
import { EmbeddingsServer } from "../../models/embeddings-server.ts"

const task = "ticket-triage"
let server: EmbeddingsServer
beforeEach(async () => {
  server = await EmbeddingsServer.start()
})
afterEach(() => server.close())

const gold: readonly [string, string, string][] = [
  ["My parcel has not come yet, where can it be?", "delivery", "train"],
  ["where can it be? the package hasn't arrived STILL, has my", "delivery", "train"],
  ["The lamp flickers and smells burnt after an hour", "fault", "train"],
  ["I was charged twice for one rice cooker", "payment", "train"],
  ["How do I close the account that I made last year", "account", "test"],
  ["year last, made I, that account: the close I do how", "account", "train"],
]

async function workspaceWith(semantic: string): Promise<string> {
  const workspace = sampleWorkspace()
  writeFileSync(
    join(workspace, "gold.jsonl"),
    gold.map(([body, output, split]) => `${JSON.stringify({ input: { body }, output, split })}\n`).join(""),
  )
  await json(workspace, "seed", "import", task, join(workspace, "gold.jsonl"))
  appendFileSync(
    join(workspace, "specs", `${task}.yaml`),
    `\nbuild:\n  semantic: { model: tiny, baseUrl: "${server.url}", ${semantic} }\n`,
  )
  return workspace
}

interface Built extends Record<string, unknown> {
  readonly version: string
  readonly kept: number
  readonly dropped: Record<string, number>
  readonly leaks: { readonly checks: string[]; readonly found: number }
  readonly semantic: {
    readonly duplicates: { row: string; witness: string }[]
    readonly nearHeldOut: { row: string; witness: string }[]
  }
}

describe("duplicates in other words", () => {
  it("are told and never dropped unasked, and no text is asked for twice", { timeout: 60_000 }, async () => {
    const workspace = await workspaceWith("threshold: 0.9")
    server.faults.push(500)
    const built = await json<Built>(workspace, "build", task)
    expect(built.semantic.duplicates).toHaveLength(1)
    expect(built.semantic.nearHeldOut).toHaveLength(1)
    expect(built).toMatchObject({
      kept: 5,
      dropped: {},
      ...cleanOf(built),
      leaks: { checks: ["lineage", "exact", "near", "ngram", "embedding"], found: 0 },
    })
    expect(server.texts.toSorted()).toEqual(gold.map(([body]) => body).toSorted())
    const asked = server.requests
    // A row that is new is asked for alone.
    writeFileSync(
      join(workspace, "more.jsonl"),
      `${JSON.stringify({ input: { body: "Do you sell spare glass for the jug" }, output: "product", split: "train" })}\n`,
    )
    await json(workspace, "seed", "import", task, join(workspace, "more.jsonl"))
    await json<Built>(workspace, "build", task)
    expect(server.requests).toBe(asked + 1)
    expect(server.texts.at(-1)).toBe("Do you sell spare glass for the jug")
    expect((await tuneloop(workspace, ["ledger", "verify"]).outcome).code).toBe(0)
    const text = await tuneloop(workspace, ["build", task]).outcome
    expect(text.stdout).toContain("by meaning, 1 train row near held-out ones, told, not dropped (build.semantic.drop)")
    expect(server.requests).toBe(asked + 1)
  })

  it("are asked for again only where no answer had come when the command was killed", { timeout: 60_000 }, async () => {
    const workspace = await workspaceWith("threshold: 0.9")
    const bodies = Array.from(
      { length: 150 },
      (_, n) => `message ${n} of ${(n * 7919).toString(36)} about ${(n * 104_729).toString(36)}`,
    )
    writeFileSync(
      join(workspace, "many.jsonl"),
      bodies.map((body) => `${JSON.stringify({ input: { body }, output: "product" })}\n`).join(""),
    )
    await json(workspace, "seed", "import", task, join(workspace, "many.jsonl"))
    server.answersAtMost = 1
    const killed = tuneloop(workspace, ["build", task])
    while (server.requests < 3) await new Promise((done) => setTimeout(done, 20))
    const recorded = async () => {
      const ledger = SqliteLedger.read(join(workspace, ".tuneloop", "ledger.db"), () => new Date())
      const { answered } = await ledger.requests.totals(task)
      await ledger.close()
      return answered
    }
    while ((await recorded()) < 64) await new Promise((done) => setTimeout(done, 20))
    killed.child.kill("SIGKILL")
    await killed.outcome
    server.answersAtMost = Infinity
    const before = server.texts.length
    await json(workspace, "build", task)
    expect(before).toBe(156)
    expect(server.texts.length - before).toBe(156 - 64)
    expect(new Set(server.texts).size).toBe(156)
    expect((await tuneloop(workspace, ["ledger", "verify"]).outcome).code).toBe(0)
  })

  it("leave with their witnesses when the specification says so", { timeout: 60_000 }, async () => {
    const workspace = await workspaceWith("threshold: 0.9, drop: true, dimensions: 128")
    const built = await json<Built>(workspace, "build", task)
    expect(built).toMatchObject({ kept: 3, dropped: { "semantic-duplicate": 1, "leak-embedding": 1 } })
    const dropped = linesOf<{ witness: string; similarity: number }>(
      join(workspace, "datasets", task, "versions", built.version, "dropped.jsonl"),
    )
    for (const { witness, similarity } of dropped) {
      expect(witness).toMatch(/^ex_/)
      expect(similarity).toBeGreaterThanOrEqual(0.9)
    }
    expect(await json(workspace, "build", task)).toMatchObject({ state: "unchanged", version: built.version })
  })

  it("are not looked for where the data may not go or costs too much, or the server answers too little; " +
    "nothing is frozen then", {
    timeout: 60_000,
  }, async () => {
    const workspace = await workspaceWith("threshold: 0.9")
    server.faults.push("short")
    const short = await tuneloop(workspace, ["build", task]).outcome
    expect(short.code).toBe(1)
    expect(short.stderr).toContain("usable vectors for 6 texts")
    writeFileSync(join(workspace, "tuneloop.yaml"), "allowedHosts: [example.com]\n")
    const forbidden = await tuneloop(workspace, ["build", task]).outcome
    expect(forbidden.code).toBe(4)
    expect(forbidden.stderr).toContain("may not be sent to 127.0.0.1")
    const asked = server.requests
    writeFileSync(join(workspace, "tuneloop.yaml"), "budgets:\n  requestsUsd: 0.001\n")
    writeFileSync(
      join(workspace, "prices.yaml"),
      `models:\n  - { match: tiny, inputUsd: 5, outputUsd: 0, asOf: 2026-11-24, source: "this test" }\n`,
    )
    const dear = await tuneloop(workspace, ["build", task]).outcome
    expect(dear.code, dear.stderr).not.toBe(0)
    expect(dear.stderr).toContain("budgets.requestsUsd")
    expect(server.requests).toBe(asked)
    expect((await json<{ versions: unknown[] }>(workspace, "dataset", "ls", task)).versions).toEqual([])
  })
})
