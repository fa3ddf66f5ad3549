import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Assignment, Candidate, Seed } from "../../../src/core/rows/example.ts"
import type { Trace } from "../../../src/stages/versions/trace.ts"
import { importSeeds, json, linesOf, rowsOf, sampleWorkspace, tuneloop } from "../../command-line.ts"
import { ChatServer } from "../../models/chat-server.ts"

const task = "ticket-triage"
const workspace = sampleWorkspace()
let server: ChatServer
let candidates: Candidate[]
let version: string
const folder = (...parts: string[]) => join(workspace, "datasets", task, ...parts)
const trace = (...words: string[]) =>
  json<Trace & { version: string; file: string; example: { id: string } }>(workspace, "dataset", "show", ...words)

beforeAll(async () => {
  server = await ChatServer.start()
  const file = join(workspace, "specs", `${task}.yaml`)
  const grown =
    `expand:\n  model: { provider: openai, model: test-model, baseUrl: "${server.url}" }\n  strategies:\n   ` +
    ` self-instruct: { count: 5, perRequest: 5 }\n`
  writeFileSync(file, readFileSync(file, "utf8").replace(/^expand:\n(?: {2}.*\n)+/m, grown))
  await importSeeds(workspace)
  const asked = await tuneloop(workspace, ["expand", task, "--strategy", "self-instruct"]).outcome
  expect(asked.code, asked.stderr).toBe(0)
  const [batch] = readdirSync(folder("candidates")) as [string]
  candidates = linesOf<Candidate>(folder("candidates", batch)).filter(({ checks }) => checks.every(({ ok }) => ok))
  const [first, second] = candidates as [Candidate, Candidate]
  const lines = [
    `${first.id},edit,${first.output === "fault" ? "product" : "fault"},amara,"broken, so a fault"`,
    `${second.id},reject,,amara,spam`,
  ]
  writeFileSync(join(workspace, "batch-1.csv"), `id,decision,corrected_output,reviewer,comment\n${lines.join("\n")}\n`)
  await json(workspace, "review", "import", task, join(workspace, "batch-1.csv"))
  version = (await json<{ version: string }>(workspace, "build", task)).version
})
afterAll(() => server.close())

describe("an example of a version", () => {
  it(
    "is traced back to its seeds, the very prompt, the answer, its checks, the reviewer and the file that " +
      "the decision came from",
    async () => {
      const [candidate] = candidates as [Candidate]
      const id = `ex_${candidate.id.slice(5)}`
      const found = await trace(task, id)
      expect(found).toMatchObject({
        task,
        id,
        version,
        file: "train.jsonl",
        example: { id },
        missing: [],
        requestsElsewhere: [],
      })
      expect(found.rows[0]).toMatchObject({
        id: candidate.id,
        kind: "candidate",
        generation: 0,
        strategy: "self-instruct",
        checks: candidate.checks,
      })
      expect(candidate.parents.length).toBeGreaterThan(0)
      const seeds = rowsOf<Seed>(workspace, "seeds.jsonl")
      expect(found.rows.slice(1).map(({ id: parent, input }) => [parent, input])).toEqual(
        candidate.parents.map((parent) => [parent, seeds.find((seed) => seed.id === parent)?.input]),
      )
      const [request] = found.requests
      // Word for word what the server was sent, and what it answered.
      const sent = server.asked.map(({ body }) => JSON.parse(body) as { messages: unknown })
      expect(sent.map(({ messages }) => messages)).toContainEqual(request?.request?.messages)
      expect(request).toMatchObject({ key: candidate.request, row: candidate.id, isErased: false })
      expect(request?.answer?.text).toContain(JSON.stringify(candidate.input["body"]))
      expect(found.decisions).toMatchObject([
        {
          item: candidate.id,
          verdict: "edit",
          reviewer: "amara",
          reason: "broken, so a fault",
          source: { file: "batch-1.csv", row: 2 },
          isCurrentGuideline: true,
        },
      ])
      expect(found.standing).toMatchObject({ state: "accepted", by: "amara" })
      const { stdout } = await tuneloop(workspace, ["dataset", "show", id]).outcome
      for (const text of [
        version,
        candidate.id,
        ...candidate.parents,
        "amara",
        "batch-1.csv row 2",
        "system: ",
        "answered: ",
        "check schema",
      ])
        expect(stdout).toContain(text)
    },
  )

  it("that was left out says why; candidates, preferences and seeds are traced by their own ids", async () => {
    const [edited, rejected] = candidates as [Candidate, Candidate]
    expect(await trace(rejected.id)).toMatchObject({
      file: "dropped.jsonl",
      example: { reason: "rejected", detail: "spam" },
      standing: { state: "rejected" },
    })
    expect((await trace(`pref_${edited.id.slice(5)}`)).rows[0]?.id).toBe(edited.id)
    const splits = rowsOf<Assignment>(workspace, "splits.jsonl")
    const train = splits.find(({ split }) => split === "train") as Assignment
    expect((await trace(train.id)).rows).toMatchObject([
      { id: train.id, kind: "seed", split: "train", file: `datasets/${task}/seeds.jsonl` },
    ])
  })

  it("that is sealed for the test stays sealed", async () => {
    const sealed = rowsOf<Assignment>(workspace, "splits.jsonl").find(({ split }) => split === "test") as Assignment
    const { input } = rowsOf<Seed>(workspace, "seeds.jsonl").find(({ id }) => id === sealed.id) as Seed
    const found = await trace(task, sealed.id)
    expect(found.rows).toMatchObject([{ id: sealed.id, split: "test" }])
    expect(JSON.stringify(found)).not.toContain(JSON.stringify(input["body"]))
  })

  it.each([[["ex_0123456789abcdef"]], [[task, "cand_0123456789abcdef"]], [["nothing"]]])(
    "%j is told when it is not there",
    async (words) => {
      const { code, stderr } = await tuneloop(workspace, ["dataset", "show", ...words]).outcome
      expect([code, stderr]).toEqual([2, expect.stringContaining(words.at(-1) as string)])
    },
  )
})

it("a version or a holdout is shown by latest and by the beginning of its id, as other commands take it", async () => {
  const show = (...words: string[]) => json(workspace, "dataset", "show", ...words)
  const { holdout } = await show(version)
  for (const words of [["latest"], [task, "latest"], [version.slice(0, 7)], [version.slice(3, 9)]])
    expect(await show(...words), words.join(" ")).toMatchObject({ id: version })
  expect(await show(String(holdout).slice(0, 9))).toMatchObject({ id: holdout })
  const { code, stderr } = await tuneloop(workspace, ["dataset", "show", "ds_0000"]).outcome
  expect([code, stderr]).toEqual([2, expect.stringContaining(version)])
})
