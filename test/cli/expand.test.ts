import { parse } from "csv-parse/sync"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { importSeeds, json, rowsOf, sample, sampleWorkspace, snapshot, tuneloop } from "../command-line.ts"
import { ChatServer } from "../models/chat-server.ts"

let server: ChatServer
let workspace: string
beforeAll(async () => {
  server = await ChatServer.start()
  workspace = sampleWorkspace()
  edit("  strategies:\n", `  model: { model: test-model, baseUrl: "${server.url}" }\n  strategies:\n`)
  await importSeeds(workspace)
})
afterAll(() => server.close())

it("a dry run prints calls and tokens by strategy and cell, the hours of review and three prompts in full", async () => {
  const { code, stdout, stderr } = await tuneloop(workspace, [
    "expand",
    "ticket-triage",
    "--strategy",
    "hard-negatives",
    "--count",
    "42",
    "--dry-run",
  ]).outcome
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/^hard-negatives +14 +42 +\d+ +\d+ +\$0$/m)
  expect(stdout.match(/^ {2}label=[a-z-]+, against=[a-z-]+ +1 +3 +\d+ +\d+ +\$0$/gm)).toHaveLength(14)
  expect(stdout).toMatch(/For review, if all pass: \d+ decisions left: [\d.]+ hours/)
  expect(stdout.match(/^--- sample prompt \d of hard-negatives$/gm)).toHaveLength(3)
  expect(stdout.match(/^Each looks at first|^All with the output "[a-z-]+"\. Each looks at first/gm)).toHaveLength(3)
  expect(server.asked).toEqual([])
})

it("a preview shows candidates with what was checked, writes none, and the run after it pays for the rest only", async () => {
  const before = snapshot(join(workspace, "datasets"))
  const { stdout } = await tuneloop(workspace, ["expand", "ticket-triage", "--strategy", "persona", "--preview", "5"])
    .outcome
  expect(stdout.match(/^--- persona, /gm)).toHaveLength(5)
  expect(stdout.match(/^=> [a-z-]+$/gm)).toHaveLength(5)
  expect(snapshot(join(workspace, "datasets"))).toEqual(before)
  const asked = server.asked.length
  const whole = await json<{ strategies: { requests: number; answeredBefore: number }[] }>(
    workspace,
    "expand",
    "ticket-triage",
    "--strategy",
    "persona",
    "--count",
    "9",
  )
  expect(whole.strategies).toMatchObject([{ state: "grown", requests: 3, answeredBefore: 2 }])
  expect(server.asked.length).toBe(asked + 1)
})

it("attributes that the model proposes can be pasted, and span the grid", async () => {
  server.answer = () =>
    'Sure: {"attributes": [{"name": "tone!", "values": ["calm", "cross: very", "calm"]}, {"name": "who ' +
    'writes", "values": ["a shop", "#1 fan"]}]}'
  const { stdout, stderr } = await tuneloop(workspace, ["expand", "ticket-triage", "--propose-attributes"]).outcome
  server.answer = (text) => text
  expect(stdout).toBe(
    'expand:\n  attributes:\n    tone: ["calm", "cross: very"]\n    "who writes": ["a shop", "#1 fan"]\n',
  )
  expect(stderr).toContain("--strategy grid --dry-run")
  edit("expand:\n", stdout)
  const planned = await json<{ strategies: { plan: { lines: { cell: object }[] } }[] }>(
    workspace,
    "expand",
    "ticket-triage",
    "--strategy",
    "grid",
    "--count",
    "90",
    "--dry-run",
  )
  expect(planned.strategies[0]?.plan.lines).toHaveLength(28)
  expect(planned.strategies[0]?.plan.lines[0]?.cell).toEqual({
    label: expect.any(String),
    tone: expect.any(String),
    "who writes": expect.any(String),
  })
})

it("labelled inputs wait for review in the place of the inputs, with their outputs, and status has the funnel", async () => {
  await json(workspace, "input", "import", "ticket-triage", sample("ticket-triage", "inputs.jsonl"))
  server.answer = () => "Delivery"
  const { strategies } = await json<{ strategies: { grown: number; passed: number }[] }>(
    workspace,
    "expand",
    "ticket-triage",
    "--strategy",
    "label",
  )
  const train = new Set(
    rowsOf(workspace, "splits.jsonl").flatMap(({ id, split }) =>
      split === "train" && id.startsWith("input_") ? [id] : [],
    ),
  )
  expect(strategies[0]?.grown).toBe(train.size)
  const csv = join(workspace, "review.csv")
  await json(workspace, "review", "export", "ticket-triage", "--out", csv)
  const asked = (parse(readFileSync(csv), { bom: true, columns: true }) as Record<string, string>[]).map((row) =>
    row["input.body"]?.replace(/^'/, ""),
  )
  for (const { id, input } of rowsOf(workspace, "inputs.jsonl"))
    expect([id, asked.filter((body) => body === input.body).length]).toEqual([id, 1])
  const { tasks } = await json<{ tasks: { yields: object[] }[] }>(workspace, "status", "ticket-triage")
  expect(tasks[0]?.yields).toMatchObject([
    {
      strategy: "label",
      asked: train.size,
      parsed: train.size,
      passed: strategies[0]?.passed,
      accepted: 0,
      emptyCells: { length: 6 },
    },
    { strategy: "persona", asked: 9 },
  ])
  const { stdout } = await tuneloop(workspace, ["status", "ticket-triage"]).outcome
  expect(stdout).toMatch(
    /label: \d+ asked, \d+ answered, \d+ parsed, \d+ novel, \d+ passed, 0 accepted; still empty: label=return/,
  )
})

it("a strategy that lacks something says what, and a wrong one is named", async () => {
  const { strategies } = await json<{ strategies: object[] }>(
    workspace,
    "expand",
    "ticket-triage",
    "--strategy",
    "counter-examples",
  )
  expect(strategies).toMatchObject([{ state: "nothing", reason: expect.stringContaining("--from-evaluation") }])
  const unknown = await tuneloop(workspace, ["expand", "ticket-triage", "--from-evaluation", "eval_1"]).outcome
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringContaining('there is no evaluation "eval_1" of ticket-triage; none was made'),
  ])
  const other = sampleWorkspace()
  await importSeeds(other)
  const bare = await tuneloop(other, ["expand", "ticket-triage", "--strategy", "grid"]).outcome
  expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining("--propose-attributes")])
})

function edit(from: string, to: string): void {
  const file = join(workspace, "specs", "ticket-triage.yaml")
  const text = readFileSync(file, "utf8")
  expect(text).toContain(from)
  writeFileSync(file, text.replace(from, to))
}
