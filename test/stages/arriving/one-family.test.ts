import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { sampleWorkspace, tuneloop } from "../../command-line.ts"

test("a task that ends as one family says so and why, at import and at build", { timeout: 60_000 }, async () => {
  const workspace = sampleWorkspace()
  const specification = (numbers: string) =>
    "task: orders\nkind: label\ndescription: What a customer wants.\ninput:\n  text: { description: the message }\n" +
    `output:\n  labels: { a: one, b: two }\nbuild: { nearDuplicates: { numbers: ${numbers} } }\n`
  const rows = Array.from({ length: 40 }, (_, n) =>
    JSON.stringify({ text: `Where is my order ${1000 + n}?`, label: n % 2 === 0 ? "a" : "b" }),
  )
  writeFileSync(join(workspace, "rows.jsonl"), rows.join("\n"))
  const say = async (...words: string[]) => {
    const { stdout, stderr } = await tuneloop(workspace, words).outcome
    return stdout + stderr
  }
  writeFileSync(join(workspace, "specs", "orders.yaml"), specification("drop"))
  const reason =
    /no row is held out: all 40 gold rows are one family of near-duplicates, .*numbers is drop.*1\.00 alike: "Where is my/
  expect(await say("seed", "import", "orders", "rows.jsonl")).toMatch(reason)
  expect(await say("build", "orders")).toMatch(reason)
})

test("rows that differ in a number are held out by default", { timeout: 60_000 }, async () => {
  const workspace = sampleWorkspace()
  writeFileSync(
    join(workspace, "specs", "orders.yaml"),
    "task: orders\nkind: label\ndescription: What a customer wants.\ninput:\n  text: { description: the message }\n" +
      "output:\n  labels: { a: one, b: two }\n",
  )
  const rows = Array.from({ length: 40 }, (_, n) =>
    JSON.stringify({ text: `Where is my order ${1000 + n}?`, label: n % 2 === 0 ? "a" : "b" }),
  )
  writeFileSync(join(workspace, "rows.jsonl"), rows.join("\n"))
  const { stdout } = await tuneloop(workspace, ["seed", "import", "orders", "rows.jsonl", "--json"]).outcome
  const { split } = JSON.parse(stdout) as { split: { test: number; validation: number; oneFamily?: string } }
  expect([split.test > 10, split.validation > 2, split.oneFamily]).toEqual([true, true, undefined])
})
