import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { buildThreads } from "../../../src/cli/threads.ts"
import type { Assignment, Candidate, Example, RealInput, Seed, Split } from "../../../src/core/rows/example.ts"
import { groupOf } from "../../../src/core/rows/kept-columns.ts"
import { revisionOf } from "../../../src/core/rows/row-identity.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { heldOutRow } from "../../../src/curation/leaks/contamination.ts"
import { leakReport } from "../../../src/curation/leaks/leak-report.ts"
import { taintedRows } from "../../../src/curation/leaks/taint.ts"
import { build } from "../../../src/stages/building/build.ts"
import { requireNoLeak } from "../../../src/stages/training/leak-gate.ts"
import { digestFile } from "../../../src/store/files/files.ts"
import { Versions } from "../../../src/store/rows/versions.ts"
import { seeded } from "../../seeded.ts"
import { workspaceWith } from "../in-process.ts"

const task = taskSchema.parse({
  ...{ task: "shop", kind: "label", description: "Sort", input: { body: {} }, holdout: { groupBy: "customer" } },
  output: { labels: { a: "one", b: "two" } },
})

const random = seeded(4)
const text = () => Array.from({ length: 12 }, () => `w${Math.floor(random() * 100_000)}`).join(" ")
const digitsOf = (number: number) => number.toString(16).padStart(16, "0")
const seed = (number: number, customer?: string): Seed => ({
  id: `seed_${digitsOf(number)}`,
  input: { body: text() },
  output: number % 2 === 0 ? "a" : "b",
  ...(customer === undefined ? {} : { columns: { customer } }),
})
const heldAs = (rows: readonly (readonly [{ id: string }, Split])[]): Assignment[] =>
  rows.map(([{ id }, split]) => ({ id, split, stratum: "a" }))
const candidate = (number: number, parents: readonly string[], more: Partial<Candidate> = {}): Candidate => ({
  ...{ id: `cand_${digitsOf(number)}`, parents: [...parents], strategy: "made", input: { body: text() }, output: "a" },
  checks: [],
  ...more,
})

// Of customer x a row is tested on, of y one is for validation, and of z an input that nobody answered is held out.
const [tested, validated] = [seed(1, "x"), seed(2, "y")]
const unanswered: RealInput = { id: `input_${digitsOf(3)}`, input: { body: text() }, columns: { customer: "z" } }
const beside = [seed(4, "x"), seed(5, "y"), seed(6, "z")]
const asked: RealInput = { id: `input_${digitsOf(7)}`, input: { body: text() }, columns: { customer: "x" } }
const clean = [seed(8, "w"), seed(9), ...Array.from({ length: 6 }, (_, at) => seed(20 + at, `v${at}`))]
const grown = [
  candidate(10, [(beside[0] as Seed).id]),
  candidate(11, [asked.id]),
  candidate(12, [`cand_${digitsOf(11)}`]),
  candidate(13, [(clean[0] as Seed).id]),
  candidate(14, [asked.id], { answers: asked.id, input: asked.input }),
]
const ex = (number: number) => `ex_${digitsOf(number)}`

async function built(options: { threads?: number; afterWriting?: (folder: string) => void } = {}) {
  const seeds = [tested, validated, ...beside, ...clean]
  const splits = heldAs([
    ...([
      [tested, "test"],
      [validated, "validation"],
      [unanswered, "validation"],
    ] as const),
    ...[...beside, ...clean, asked].map((row) => [row, "train"] as const),
  ])
  const made = workspaceWith(task, { seeds, inputs: [unanswered, asked], splits })
  made.rows.grown.writeBatch("made-1", grown)
  const decided = { reviewer: "amara", verdict: "accept", guideline: "sha256:0", at: "2026-11-30T10:00:00Z" } as const
  made.rows.review.writeSession(
    "amara",
    grown.map(({ id, input, output }) => ({ ...decided, item: id, revision: revisionOf(input, output) })),
  )
  const threads = { ...buildThreads, count: options.threads ?? 1, leastBytes: 0 }
  const result = await build(made.context, task, [], { threads, afterWriting: options.afterWriting })
  const versions = new Versions(made.context.workspace, task.task)
  const rows = <File extends "train.jsonl" | "dropped.jsonl">(file: File) => [
    ...versions.each(result.manifest.id, file),
  ]
  return { ...made, ...result, versions, rows }
}

describe("train rows of a group of which a row is held out", () => {
  it.each([1, 2])(
    "are dropped with that row as witness, and so is what was grown from them (%i threads)",
    async (threads) => {
      const { manifest, rows, witness, holdout } = await built({ threads })
      const dropped = new Map(rows("dropped.jsonl").map(({ id, reason, witness: by }) => [id, `${reason} ${by}`]))
      expect(dropped).toEqual(
        new Map([
          [ex(4), `leak-group ${ex(1)}`],
          [ex(5), `leak-group ${ex(2)}`],
          [ex(6), `leak-group ${unanswered.id}`],
          [ex(10), `leak-group ${ex(1)}`],
          [ex(11), `leak-group ${ex(1)}`],
          [ex(12), `leak-group ${ex(1)}`],
          [ex(14), `leak-group ${ex(1)}`],
        ]),
      )
      expect(manifest.leaks).toEqual({ checks: ["lineage", "group", "exact", "near", "ngram"], found: 0 })
      expect(manifest.recipe["groupBy"]).toBe("customer")
      expect(manifest.kept + (manifest.dropped["leak-group"] as number)).toBe(manifest.read)
      expect([witness.found, holdout.perLabel]).toEqual([
        [],
        { a: { validation: 1, test: 0 }, b: { validation: 0, test: 1 } },
      ])
      // What is frozen names no customer.
      expect(JSON.stringify(rows("train.jsonl"))).not.toContain('"w"')
      expect(rows("train.jsonl").find(({ id }) => id === ex(8))?.provenance.group).toBe(groupOf(task, clean[0] as Seed))
    },
  )

  it("are found by the witness where the build missed them, and dropped", async () => {
    let isPlanted = false
    const group = groupOf(task, tested) as string
    const { witness, manifest } = await built({
      afterWriting: (folder) => {
        if (isPlanted) return
        isPlanted = true
        const file = join(folder, "train.jsonl")
        const lines = readFileSync(file, "utf8").trimEnd().split("\n")
        const [first, ...others] = lines.map((line) => JSON.parse(line) as Example) as [Example, ...Example[]]
        const planted = { ...first, provenance: { ...first.provenance, group } }
        writeFileSync(file, [planted, ...others].map((row) => `${JSON.stringify(row)}\n`).join(""))
      },
    })
    expect(witness.found).toEqual([{ check: "group", train: ex(8), heldOut: ex(1) }])
    expect(manifest.dropped).toEqual({ "leak-group": 8 })
  })

  it("keep a version from being trained on, should its files come to have one", async () => {
    const { versions, manifest } = await built()
    expect(() => requireNoLeak(task, versions, manifest)).not.toThrow()
    const file = join(versions.folder(manifest.id), "train.jsonl")
    const group = groupOf(task, tested) as string
    const before = digestFile(file)
    writeFileSync(file, readFileSync(file, "utf8").replace(/group_[0-9a-f]{16}/, group))
    const said = join(versions.folder(manifest.id), "manifest.json")
    writeFileSync(said, readFileSync(said, "utf8").replace(before, digestFile(file)))
    expect(() => requireNoLeak(task, versions, manifest)).toThrow(/which is held out \(group\)/)
  })
})

const example = (number: number, group: string | undefined, parents: string[] = []): Example => ({
  ...{ id: ex(number), input: { body: text() }, output: "a" },
  provenance: { parents, strategy: "gold", acceptedBy: "gold", ...(group === undefined ? {} : { group }) },
})

it("a leak report names the group, and what descends from it", () => {
  const train = [example(1, "g1"), example(2, undefined, [ex(1)]), example(3, "g2"), example(4, undefined)]
  const heldOut = [example(9, "g1"), example(8, "g3")].map(heldOutRow)
  const { checks, found } = leakReport({ task, train, heldOut, ngram: 13 })
  expect(checks).toContain("group")
  expect(found).toEqual([
    { check: "group", train: ex(1), heldOut: ex(9) },
    { check: "group", train: ex(2), heldOut: ex(9) },
  ])
  const plain = taskSchema.parse({ ...task, holdout: {} })
  expect(leakReport({ task: plain, train: [], heldOut, ngram: 13 }).checks).toEqual([
    "lineage",
    "exact",
    "near",
    "ngram",
  ])
})

it("a test row is tainted where a contender learnt from its group", () => {
  const [seen, other] = [example(1, "g1"), example(2, "g2")]
  const trainings = [{ contenders: ["tuned"], rows: [example(5, "g1"), example(6, undefined)] }]
  const options = { task, trainings, known: [], threshold: undefined, ngram: 13 }
  expect(taintedRows({ ...options, test: [seen, other] })).toEqual([
    { id: ex(1), check: "group", train: ex(5), contenders: ["tuned"] },
  ])
})
