import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { json as printed, linesOf, sample, sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
const workspace = sampleWorkspace()
const folder = join(workspace, "datasets", task)

const json = (...words: string[]) => printed(workspace, ...words)

interface Row {
  readonly id: string
  readonly input: { readonly body: string }
  readonly output: string
}
const rows = (file: string) => linesOf<Row & { split?: string; provenance: { acceptedBy: string } }>(join(folder, file))
const write = (name: string, lines: readonly unknown[]) => {
  writeFileSync(join(workspace, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
  return join(workspace, name)
}
const candidate = (digit: number, body: string, output: string) => ({
  id: `cand_000000000000000${digit}`,
  parents: [],
  strategy: "by-hand",
  input: { body },
  output,
  checks: [],
})
async function decide(reviewer: string, decisions: Readonly<Record<number, string>>): Promise<void> {
  const lines = Object.entries(decisions).map(([digit, decision]) => {
    const [verdict, output = ""] = decision.split(":")
    return `cand_000000000000000${digit},${verdict},${output},${reviewer},`
  })
  writeFileSync(
    join(workspace, "review.csv"),
    ["id,decision,corrected_output,reviewer,revision", ...lines, ""].join("\n"),
  )
  await json("review", "import", task, join(workspace, "review.csv"))
}

let first = ""
let second = ""
let corrected = ""
let longest = ""
beforeAll(async () => {
  await json("seed", "import", task, sample(task, "seeds.jsonl"))
  mkdirSync(join(folder, "candidates"))
  writeFileSync(
    join(folder, "candidates", "by-hand.jsonl"),
    [
      candidate(1, "The teapot leaks at its spout since this morning, can it be mended?", "fault"),
      candidate(2, "Which of your lamps may hang over a bath tub?", "product"),
      candidate(3, "Quiz question: what is the capital of the moon?", "product"),
    ]
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(""),
  )
  await decide("amara", { 1: "accept", 2: "accept", 3: "reject" })
  first = (await json("build", task))["version"] as string

  const train = rows(join("versions", first, "train.jsonl")).filter(
    ({ provenance }) => provenance.acceptedBy === "gold",
  )
  const seed = train[0] as Row
  corrected = seed.id
  const byLength = train.toSorted((a, b) => a.input.body.length - b.input.body.length)
  longest = (byLength.at(-1) as Row).id
  const limit = (byLength.at(-1) as Row).input.body.length
  await json(
    "seed",
    "import",
    task,
    write("more.jsonl", [
      { id: seed.id.replace("ex_", "seed_"), input: seed.input, output: seed.output === "fault" ? "return" : "fault" },
      ...Array.from({ length: 6 }, (_, index) => ({
        input: { body: `Sample number ${index} ${"abcdefg"[index]?.repeat(9)} of quite another question` },
        output: "product",
      })),
    ]),
  )
  // Minds change: one candidate gets another label, one is turned down, one is taken in.
  await decide("amara", { 1: "edit:product", 2: "reject", 3: "edit:out-of-scope" })
  const spec = readFileSync(join(workspace, "specs", `${task}.yaml`), "utf8")
  writeFileSync(join(workspace, "specs", `${task}.yaml`), `${spec}\nbuild:\n  maxLength: ${limit}\n`)
  second = (await json("build", task))["version"] as string
}, 60_000)

interface Diff {
  readonly recipe: readonly { key: string; before: unknown }[]
  readonly came: readonly { id: string; kind: string; why: string }[]
  readonly went: readonly { id: string; kind: string; why: string }[]
  readonly changed: readonly { id: string; kind: string; why: string }[]
  readonly out: readonly { id: string; kind: string; why: string }[]
  readonly unchanged: number
}

describe("dataset diff", () => {
  it("says of every row that came, went or changed why it did, and leaves none out", async () => {
    const diff = (await json("dataset", "diff", first, second)) as unknown as Diff
    const of = (part: "came" | "went" | "changed", id: string) => diff[part].find((row) => row.id === id)
    expect(of("changed", corrected)).toMatchObject({ kind: "corrected seed", why: "the seed's output was corrected" })
    expect(of("changed", "ex_0000000000000001")).toMatchObject({
      kind: "new decision",
      before: { output: "fault" },
      after: { output: "product" },
    })
    expect(of("went", "ex_0000000000000002")).toMatchObject({ kind: "new decision", why: "rejected" })
    expect(of("came", "ex_0000000000000003")).toMatchObject({
      kind: "new decision",
      why: "was rejected; accepted by amara",
    })
    expect(of("went", longest)).toMatchObject({ kind: "too-long" })
    expect(diff.recipe).toContainEqual(expect.objectContaining({ key: "maxLength", before: 20_000 }))
    expect(diff.came.some(({ kind }) => kind === "new gold")).toBe(true)
    const [a, b] = [first, second].map((id) => rows(join("versions", id, "train.jsonl")).length)
    expect([
      diff.unchanged + diff.changed.length + diff.went.length,
      diff.unchanged + diff.changed.length + diff.came.length,
    ]).toEqual([a, b])
  })

  it("turned round it says what went instead of what came", async () => {
    const there = (await json("dataset", "diff", first, second)) as unknown as Diff
    const back = (await json("dataset", "diff", second, first)) as unknown as Diff
    const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id).sort()
    expect([ids(back.came), ids(back.went), ids(back.changed)]).toEqual([
      ids(there.went),
      ids(there.came),
      ids(there.changed),
    ])
  })

  it("takes `latest` and the beginning of an id, and opens no test row", async () => {
    const { code, stdout } = await tuneloop(workspace, ["dataset", "diff", first.slice(3, 9), "latest"]).outcome
    expect(code).toBe(0)
    expect(stdout).toContain(`${first} → ${second}`)
    expect(stdout).toContain("recipe: maxLength 20000 →")
    const same = await tuneloop(workspace, ["dataset", "diff", "latest", second]).outcome
    expect(same.stdout).toContain("are the same")
  })

  it("an unknown version is answered with those that exist", async () => {
    const { code, stderr } = await tuneloop(workspace, ["dataset", "diff", "ds_ffff", "latest"]).outcome
    expect(code).toBe(2)
    expect(stderr).toContain(first)
    expect(stderr).toContain("tuneloop dataset ls")
  })
})
