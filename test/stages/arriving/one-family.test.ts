import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { sampleWorkspace, tuneloop } from "../../command-line.ts"
import { seeded } from "../../seeded.ts"

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

test("families go by build.threshold, as the check against held-out rows does", { timeout: 60_000 }, async () => {
  const parted = async (build: string) => {
    const workspace = sampleWorkspace()
    const random = seeded(7)
    const word = () =>
      Math.floor(random() * 1e9)
        .toString(36)
        .replace(/\d/g, "")
    // Pairs that have 8 of 11 words in common: alike at 0.3, and not at 0.7.
    const rows = Array.from({ length: 40 }, () => Array.from({ length: 8 }, word).join(" ")).flatMap((common) =>
      [0, 1].map(() => ({ text: `${common} ${word()} ${word()} ${word()}`, label: random() < 0.5 ? "a" : "b" })),
    )
    writeFileSync(join(workspace, "rows.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"))
    writeFileSync(
      join(workspace, "specs", "pairs.yaml"),
      "task: pairs\nkind: label\ndescription: Made up.\ninput:\n  text: { description: the message }\n" +
        `output:\n  labels: { a: one, b: two }\n${build}`,
    )
    const { code, stderr } = await tuneloop(workspace, ["seed", "import", "pairs", "rows.jsonl"]).outcome
    expect([code, stderr]).toEqual([0, expect.anything()])
    const linesOf = (name: string) =>
      readFileSync(join(workspace, "datasets", "pairs", name), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { id: string; split: string; input: { text: string } })
    const splits = new Map(linesOf("splits.jsonl").map(({ id, split }) => [id, split]))
    const pairs = Map.groupBy(linesOf("seeds.jsonl"), ({ input }) => input.text.split(" ").slice(0, 8).join(" "))
    expect(pairs.size).toBe(40)
    return [...pairs.values()].filter((pair) => new Set(pair.map(({ id }) => splits.get(id) ?? "train")).size > 1)
      .length
  }
  expect(await parted("")).toBeGreaterThan(3)
  expect(await parted("build: { threshold: 0.3 }\n")).toBe(0)
})
