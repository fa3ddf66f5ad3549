import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { json, sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
const long =
  "The courier left the big parcel with the blue ribbon at the bakery across the street from the old town hall again"
const seeds: readonly [string, string][] = [
  ["Where is my parcel? It was due on Monday.", "delivery"],
  ["The left shoe is bigger than the right one, I want another pair", "fault"],
  [`Hello. ${long}. Could somebody please tell him?`, "delivery"],
  ["May I have an invoice with the name of our club on it?", "payment"],
]

const run = (workspace: string, words: readonly string[]) =>
  json<{ version: string; kept: number; dropped: Record<string, number> }>(workspace, ...words)

describe("the benchmarks that a specification names", () => {
  it("leave no trace in train: exact, near and by a long run of words, each with the file and line as witness", {
    timeout: 60_000,
  }, async () => {
    const workspace = sampleWorkspace()
    writeFileSync(
      join(workspace, "gold.jsonl"),
      seeds.map(([body, output]) => `${JSON.stringify({ input: { body }, output, split: "train" })}\n`).join(""),
    )
    await run(workspace, ["seed", "import", task, join(workspace, "gold.jsonl")])
    const before = await run(workspace, ["build", task])
    expect(before.kept).toBe(4)
    // One has answers and the other has none: both are read for their inputs.
    writeFileSync(join(workspace, "bench.csv"), `body,label\nWHERE IS  MY PARCEL? it was due on Monday.,delivery\n`)
    const others = [
      "The left shoe is bigger than the right one, I want another pair!!",
      `${long}, said the neighbour, and drove away`,
    ]
    writeFileSync(
      join(workspace, "bench.jsonl"),
      others.map((body) => `${JSON.stringify({ input: { body }, difficulty: "hard" })}\n`).join(""),
    )
    const specification = join(workspace, "specs", `${task}.yaml`)
    appendFileSync(specification, "\nbuild:\n  benchmarks: [bench.csv, bench.jsonl]\n")
    const built = await run(workspace, ["build", task])
    expect(built.dropped).toEqual({ "leak-exact": 1, "leak-near": 1, "leak-ngram": 1 })
    const dropped = readFileSync(join(workspace, "datasets", task, "versions", built.version, "dropped.jsonl"), "utf8")
    expect([...dropped.matchAll(/"witness":"([^"]+)"/g)].map((match) => match[1]).sort()).toEqual([
      "bench.csv:2",
      "bench.jsonl:1",
      "bench.jsonl:2",
    ])
    expect((await run(workspace, ["build", task])).version).toBe(built.version)
  })

  it("stop the build when one cannot be read whole", { timeout: 60_000 }, async () => {
    const workspace = sampleWorkspace()
    writeFileSync(join(workspace, "gold.csv"), "body,output\nWhere is it?,delivery\n")
    await run(workspace, ["seed", "import", task, join(workspace, "gold.csv")])
    appendFileSync(join(workspace, "specs", `${task}.yaml`), "\nbuild:\n  benchmarks: [bench.jsonl]\n")
    const missing = await tuneloop(workspace, ["build", task]).outcome
    expect(missing.code).toBe(1)
    expect(missing.stderr).toContain("there is no benchmark file")
    writeFileSync(join(workspace, "bench.jsonl"), '{"input":{"body":"fine"}}\n{"input":{"bodi":"x"}}\n')
    const broken = await tuneloop(workspace, ["build", task]).outcome
    expect(broken.code).toBe(1)
    expect(broken.stderr).toContain("bench.jsonl:2: input.body: missing")
    expect(broken.stderr).toContain("build.benchmarks in specs/ticket-triage.yaml")
  })
})
