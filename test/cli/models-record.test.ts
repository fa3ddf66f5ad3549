import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { linesOf, json, tuneloop } from "../command-line.ts"
import { ChatServer } from "../models/chat-server.ts"
import { stageContext, trainableWorkspace } from "../stages/training/workspace.ts"
import { Versions } from "../../src/store/rows/versions.ts"
import { Workspace } from "../../src/store/workspace.ts"

let server: ChatServer
let folder: string
beforeEach(async () => {
  server = await ChatServer.start()
  server.answer = () => "good"
  folder = await trainableWorkspace()
})
afterEach(() => server.close())

const words = (...more: string[]) => [
  ...["models", "record", "old-model", "--task", "mood", "--as", "old"],
  ...["--base-url", server.url, ...more],
]
const place = (name = "old") => join(folder, "datasets", "mood", "recorded", `${name}.jsonl`)
const lines = (name = "old") => linesOf<Record<string, unknown>>(place(name))

function heldOut() {
  const versions = new Versions(Workspace.open(folder), "mood")
  const latest = versions.latest()
  if (latest === undefined) throw new Error("nothing is built")
  const { holdout } = versions.manifest(latest)
  const [validation, test] = [
    versions.questions(holdout, "validation.jsonl"),
    versions.questions(holdout, "test.jsonl"),
  ]
  return { holdout, validation, test, all: [...validation, ...test] }
}

const bodies = () => server.asked.map(({ body }) => body)

function price(): void {
  const fact = `inputUsd: 0, outputUsd: 1000, asOf: 2026-11-30, source: this test`
  writeFileSync(join(folder, "prices.yaml"), `models:\n  - { match: old-model, ${fact} }\n`)
}

describe("models record", () => {
  it("keeps the answers to the holdout, asked as the task's model is, and opens nothing", async () => {
    const { holdout, validation, test, all } = heldOut()
    const recorded = await json(folder, ...words())
    expect(recorded).toMatchObject({
      state: "recorded",
      added: all.length,
      cut: 0,
      file: "datasets/mood/recorded/old.jsonl",
      holdout,
      rows: { validation: validation.length, test: test.length, inputs: 0 },
      model: "old-model",
      maxTokens: 32,
    })
    expect(lines().map(({ id }) => id)).toEqual(all.map(({ id }) => id))
    expect(lines()[0]).toEqual({
      id: all[0]?.id,
      inputDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      output: "good",
      finish: "stop",
      inputTokens: 11,
      outputTokens: 7,
      model: "old-model",
      baseUrl: server.url,
      prompt: recorded["prompt"],
      maxTokens: 32,
      at: expect.any(String),
    })
    expect(server.asked).toHaveLength(all.length)
    for (const body of bodies())
      expect(JSON.parse(body)).toMatchObject({
        model: "old-model",
        temperature: 0,
        max_tokens: 32,
        messages: [{ role: "system", content: "Name the mood." }, { role: "user" }],
      })
    const context = stageContext(folder)
    expect(await context.ledger().openings.of(holdout)).toEqual([])
    const again = await json(folder, ...words())
    expect(again).toMatchObject({ state: "unchanged", added: 0 })
    expect(server.asked).toHaveLength(all.length)
  })

  it("shows no held-out row to anybody, also where the server quotes it", async () => {
    const texts = heldOut().all.map(({ input }) => String(input["body"]))
    const done = await tuneloop(folder, words()).outcome
    expect(done.code, done.stderr).toBe(0)
    server.onAsked = ({ body }) => {
      const quoted = (JSON.parse(body) as { messages: { content: string }[] }).messages.at(-1)?.content
      server.faults.push({ kind: "status", status: 400, message: `cannot answer "${quoted}"` })
    }
    const quoting = await tuneloop(folder, words().with(2, "quoting-model").with(6, "quoted")).outcome
    expect(quoting.code).toBe(1)
    expect(quoting.stderr).toContain("its words repeat the row and are left out")
    const ledger = await tuneloop(folder, ["ledger", "recording", "mood"]).outcome
    const said = [done, quoting, ledger].map(({ stdout, stderr }) => stdout + stderr).join("\n")
    for (const text of texts) expect(said).not.toContain(text)
  })

  it("takes a refusal for an answer, which keeps no other row from being asked", async () => {
    const body = JSON.stringify({ error: { message: "filtered", code: "content_filter" } })
    server.faults.push({ kind: "status", status: 400, body })
    let isFiltered = true
    server.finish = () => (isFiltered ? "content_filter" : "stop")
    server.answer = () => (isFiltered ? null : "good")
    server.onAsked = () => {
      isFiltered = server.asked.length === 2
    }
    const { all } = heldOut()
    expect(await json(folder, ...words("--concurrency", "1"))).toMatchObject({ added: all.length })
    const said = lines().map(({ output, finish }) => [output, finish])
    expect(said.slice(0, 3)).toEqual([
      ["", "content_filter"],
      ["", "content_filter"],
      ["good", "stop"],
    ])
  })

  it("goes on after a kill, and asks nothing again that was answered", async () => {
    const { child, outcome } = tuneloop(folder, words("--concurrency", "1"))
    server.onAsked = () => {
      // One at a time: those before are in the ledger.
      if (server.asked.length === 4) child.kill("SIGKILL")
    }
    expect((await outcome).code).toBeNull()
    server.onAsked = () => undefined
    const answered = bodies().slice(0, 3)
    server.asked.length = 0
    const { code, stderr } = await tuneloop(folder, words()).outcome
    expect(code, stderr).toBe(0)
    const { all } = heldOut()
    for (const body of answered) expect(bodies()).not.toContain(body)
    expect(server.asked).toHaveLength(all.length - 3)
    expect(lines().map(({ id }) => id)).toEqual(all.map(({ id }) => id))
  })

  it("asks before it spends, stops below its budget, keeps what was answered, and buys only the rest", async () => {
    price()
    const unasked = await tuneloop(folder, words()).outcome
    expect([unasked.code, server.asked.length]).toEqual([2, 0])
    expect(unasked.stderr).toMatch(/is asked \d+ questions.*for at most \$/)
    // 32 tokens at worst and 7 in fact, at a tenth of a cent each.
    const short = await tuneloop(folder, words("--yes", "--concurrency", "1", "--budget-usd", "0.05")).outcome
    expect([short.code, short.stderr]).toEqual([4, expect.stringContaining("--budget-usd")])
    const kept = lines().length
    expect(kept).toBe(server.asked.length)
    expect(kept).toBeGreaterThan(0)
    const rest = await tuneloop(folder, words("--yes", "--budget-usd", "5")).outcome
    expect(rest.code, rest.stderr).toBe(0)
    expect(lines()).toHaveLength(heldOut().all.length)
    expect(new Set(bodies()).size).toBe(server.asked.length)
  })

  it("takes no other model, prompt or length under the same name", async () => {
    await json(folder, ...words())
    const before = readFileSync(place(), "utf8")
    const other = await tuneloop(folder, words().with(2, "new-model")).outcome
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('model was "old-model" and is "new-model"')])
    expect(other.stderr).toContain("--as old-2")
    const longer = await tuneloop(folder, words("--max-new-tokens", "64")).outcome
    expect(longer.stderr).toContain("maxTokens was 32 and is 64")
    const specification = join(folder, "specs", "mood.yaml")
    writeFileSync(specification, readFileSync(specification, "utf8").replace("Name the mood.", "Which mood?"))
    const prompt = await tuneloop(folder, words()).outcome
    expect([prompt.code, prompt.stderr]).toEqual([2, expect.stringContaining("prompt was")])
    await json(folder, ...words().with(6, "new"))
    expect(readFileSync(place(), "utf8")).toBe(before)
    expect(existsSync(place("new"))).toBe(true)
  })

  it("asks a file of inputs as well, and says what was cut", async () => {
    const inputs = join(folder, "more.jsonl")
    writeFileSync(inputs, [1, 2].map((n) => `${JSON.stringify({ input: { body: `unseen ${n}` } })}\n`).join(""))
    server.finish = () => "length"
    const recorded = await json(folder, ...words("--inputs", inputs))
    const { all } = heldOut()
    expect(recorded).toMatchObject({ added: all.length + 2, cut: all.length + 2, rows: { inputs: 2 } })
    expect(lines().slice(-2)).toMatchObject([
      { id: expect.stringMatching(/^input_/), finish: "length" },
      { id: expect.stringMatching(/^input_/) },
    ])
  })

  it("gives a key to its own server only, and asks none that is not allowed", async () => {
    const remote = ["--base-url", "https://models.example/v1"]
    const stray = await tuneloop(folder, [...words(), ...remote], { OPENAI_API_KEY: "key-of-openai" }).outcome
    expect([stray.code, stray.stderr]).toEqual([2, expect.stringContaining("--api-key-env NAME")])
    const named = [...words(), ...remote, "--api-key-env", "OTHER_KEY"]
    expect((await tuneloop(folder, named).outcome).stderr).toContain("OTHER_KEY is not set")
    const forbidden = await tuneloop(folder, named, { OTHER_KEY: "key-of-models" }).outcome
    expect([forbidden.code, forbidden.stderr]).toEqual([4, expect.stringContaining("models.example; allowed:")])
    await tuneloop(folder, words(), { OPENAI_API_KEY: "key-of-openai" }).outcome
    expect(server.asked.some(({ authorization }) => authorization?.includes("key-of-openai"))).toBe(false)
    const keyed = words("--api-key-env", "OTHER_KEY").with(6, "keyed").with(2, "other-model")
    await tuneloop(folder, keyed, { OTHER_KEY: "key-of-models" }).outcome
    expect(server.asked.at(-1)?.authorization).toBe("Bearer key-of-models")
    const inHeader = words("--api-key-env", "OTHER_KEY", "--key-header", "api-key").with(6, "headed")
    await tuneloop(folder, inHeader.with(2, "third-model"), { OTHER_KEY: "key-of-models" }).outcome
    expect(server.asked.at(-1)).toMatchObject({ authorization: undefined, apiKey: "key-of-models" })
  })

  it("loses an answer with its row in an erasure, and does not bring it back", async () => {
    await json(folder, ...words())
    const [first] = heldOut().all
    const id = first?.id.replace("ex_", "seed_") ?? ""
    const { code, stderr } = await tuneloop(folder, [
      "dataset",
      "erase",
      "mood",
      id,
      "--yes",
      "--accept-remaining",
      "x",
    ]).outcome
    expect(code, stderr).toBe(0)
    expect(readFileSync(place(), "utf8")).not.toContain(first?.id)
  })
})
