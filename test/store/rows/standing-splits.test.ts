import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { heldNames } from "../../../src/core/rows/holdout-refresh.ts"
import { pickSeeds } from "../../../src/store/rows/seed-ranges.ts"
import { StandingSplits } from "../../../src/store/rows/standing-splits.ts"
import { TaskRows } from "../../../src/store/rows/task-rows.ts"
import { Workspace } from "../../../src/store/workspace.ts"

const seedIds = Array.from({ length: 6 }, (_, number) => `seed_${String(number).repeat(16)}`)
const inputIds = Array.from({ length: 4 }, (_, number) => `input_${"abcf".charAt(number).repeat(16)}`)
const at = "2026-01-01T00:00:00Z"

function rowsWith(files: { readonly [name: string]: readonly string[] }, end = "\n"): TaskRows {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-splits-"))
  writeFileSync(join(folder, "tuneloop.yaml"), "")
  const rows = new TaskRows(Workspace.open(folder), "t")
  mkdirSync(rows.folder, { recursive: true })
  for (const [name, lines] of Object.entries(files))
    writeFileSync(join(rows.folder, `${name}.jsonl`), lines.map((line) => line + end).join(""))
  return rows
}
const seedLine = (id: string) => JSON.stringify({ id, input: { text: "x" }, output: "y" })
const splitLine = (id: string, split = "train", stratum = "all") => JSON.stringify({ id, split, stratum })

/** The same, from the rows one by one. */
function expected(rows: TaskRows) {
  const assignments = rows.assignments()
  const held = new Map(assignments.map(({ id, split, stratum }) => [id, `${split} ${stratum}`]))
  const gold = new Set([...rows.refreshes().flatMap(({ fresh }) => fresh.map(({ id }) => id)), ...idsOf(rows.seeds())])
  const groups = new Map<string, number>()
  for (const [id, group] of held) if (gold.has(id)) groups.set(group, (groups.get(group) ?? 0) + 1)
  const ids = [...idsOf(rows.seeds()), ...idsOf(rows.inputs())]
  return {
    rows: ids.map((id) => [id, held.get(id)]),
    missing: ids.filter((id) => !held.has(id)).length,
    groups: Object.fromEntries(groups),
  }
}
const idsOf = (of: readonly { readonly id: string }[]) => of.map(({ id }) => id)
function found(rows: TaskRows) {
  const standing = new StandingSplits(rows)
  return {
    rows: Array.from(standing.held, (held, row) => [
      standing.idOf(row),
      held === 0 ? undefined : `${heldNames[held]} ${standing.strata[standing.stratum[row] as number]}`,
    ]),
    missing: standing.missing,
    groups: Object.fromEntries(
      standing.groups().map(({ split, stratum, rows: count }) => [`${split} ${stratum}`, count]),
    ),
  }
}

const anyId = fc.constantFrom(
  ...seedIds,
  ...inputIds,
  "seed_gone",
  "",
  "ex_0000000000000000",
  'seed_"',
  "seed_0000000000000000x",
)
const strata = fc.constantFrom(
  "all",
  "",
  "refund",
  "refunds",
  "a, b",
  "größer",
  'say "x"',
  "back\\slash",
  "unlabelled",
  "\u{1f600}",
  "tab\t",
)
const shapes = [
  (line: object) => JSON.stringify(line),
  (line: object) => JSON.stringify(line, null, 1).replaceAll("\n", " "),
  (line: object) => JSON.stringify(Object.fromEntries(Object.entries(line).reverse())),
  (line: object) => `${JSON.stringify(line)} `,
  () => "",
  () => "  ",
]
const splitLines = fc.array(
  fc
    .tuple(
      fc.constantFrom(...shapes, shapes[0], shapes[0]),
      anyId,
      fc.constantFrom("train", "validation", "test"),
      strata,
    )
    .map(([shape, id, split, stratum]) => shape?.({ id, split, stratum }) ?? ""),
)
const refreshes = fc.array(
  fc
    .record({
      fresh: fc.array(fc.record({ id: anyId, stratum: strata }), { maxLength: 2 }),
      retired: fc.array(anyId, { maxLength: 2 }),
      released: fc.array(anyId, { maxLength: 1 }),
    })
    .map((named) => JSON.stringify({ at, holdout: "hold_1", openings: 3, ...named })),
  { maxLength: 2 },
)
const migrations = fc.constantFrom(
  [],
  [JSON.stringify({ id: "m", at, labels: { refund: "refunds" }, splits: {}, rows: [] })],
)

describe("where rows are held", () => {
  it("is what the lines say one by one, however they are written", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(seedIds),
        fc.shuffledSubarray(inputIds),
        splitLines,
        refreshes,
        migrations,
        fc.constantFrom("\n", "\r\n"),
        (seeds, inputs, lines, refreshed, migrated, end) => {
          const rows = rowsWith(
            {
              seeds: seeds.map((id, index) => (index % 3 === 2 ? ` ${seedLine(id)}` : seedLine(id))),
              inputs: inputs.map((id) => JSON.stringify({ id, input: { text: "x" } })),
              splits: lines,
              refreshes: refreshed,
              migrations: migrated,
            },
            end,
          )
          expect(found(rows)).toEqual(expected(rows))
          expect(new StandingSplits(rows).heldOut()).toEqual(rows.heldOut())
          const wanted = new Set([...seedIds.filter((_, index) => index % 2 === 0), "seed_gone"])
          const picked = [...rows.eachSeed((id) => wanted.has(id))]
          const standing = new StandingSplits(rows)
          expect(pickSeeds(rows, standing, wanted)).toEqual(picked)
          // Where the file changes after it was read, the seeds are looked for.
          writeFileSync(rows.seedsFile, `\n${existsSync(rows.seedsFile) ? readFileSync(rows.seedsFile, "utf8") : ""}`)
          expect(pickSeeds(rows, standing, wanted)).toEqual(picked)
          expect(rows.heldOut()).toEqual(
            new Map(rows.assignments().flatMap(({ id, split }) => (split === "train" ? [] : [[id, split] as const]))),
          )
        },
      ),
      { numRuns: 100 },
    )
  })

  it("is told of a task without files, and of one of many rows", () => {
    expect(found(rowsWith({}))).toEqual({ rows: [], missing: 0, groups: {} })
    // Several pieces of the file, and more ids than the tables have room for at first.
    const ids = Array.from(
      { length: 30_000 },
      (_, number) => `seed_${Math.imul(number, 0x9e3779b1).toString(16).replace("-", "f").padStart(16, "0")}`,
    )
    const rows = rowsWith({ seeds: ids.map(seedLine), splits: ids.slice(1).map((id) => splitLine(id)) })
    const standing = new StandingSplits(rows)
    expect(standing.missing).toBe(1)
    expect(standing.groups()).toEqual([{ split: "train", stratum: "all", rows: 29_999 }])
    expect(ids.map((id) => standing.rowOf(id))).toEqual([...ids.keys()])
    expect(ids.map((_, row) => standing.idOf(row))).toEqual(ids)
    expect(standing.rowOf("seed_eeeeeeeeeeeeeeee")).toBe(-1)
  })

  it.each([
    ["splits", [splitLine(seedIds[0] as string), "{"], /splits\.jsonl:2: not valid JSON/],
    ["splits", [splitLine(seedIds[0] as string), splitLine("seed_1", "tset")], /splits\.jsonl:2: split: /],
    ["splits", [`${splitLine(seedIds[0] as string)}x`], /splits\.jsonl:1: not valid JSON/],
    ["splits", [splitLine(seedIds[0] as string).replace("all", "a\tb")], /splits\.jsonl:1: not valid JSON/],
    [
      "seeds",
      [seedLine(seedIds[0] as string), seedLine(seedIds[1] as string), seedLine(seedIds[0] as string)],
      /seeds\.jsonl:3: id: .* row 1/,
    ],
    ["seeds", [seedLine("seed_A000000000000000")], /seeds\.jsonl:1: id/],
    ["inputs", [JSON.stringify({ input: {} })], /inputs\.jsonl:1: id/],
  ])("of a broken line in %s is not told: the line is named", (name, lines, message) => {
    const rows = rowsWith({ seeds: [seedLine(seedIds[0] as string)], [name]: lines })
    expect(() => new StandingSplits(rows)).toThrow(message)
    if (name === "splits") expect(() => rows.heldOut()).toThrow(message)
  })

  it(
    "is not told where a line was broken when it was read and is sound when it is to be named: others " +
      "changed the file",
    () => {
      const rows = rowsWith({ seeds: [seedLine(seedIds[0] as string)], splits: [splitLine(seedIds[0] as string)] })
      expect(() => rows.refuse(rows.splitsFile, rows.eachAssignment())).toThrow(
        /splits\.jsonl changed while it was read/,
      )
      expect(() => rows.refuse(rows.seedsFile, rows.eachSeed())).toThrow(/seeds\.jsonl changed while it was read/)
    },
  )

  it("of bytes that are no UTF-8 is not told: the line is named", () => {
    const rows = rowsWith({ seeds: [seedLine(seedIds[0] as string)] })
    for (const file of [rows.splitsFile, rows.inputsFile]) {
      writeFileSync(file, Buffer.from([123, 34, 255, 10]))
      expect(() => new StandingSplits(rows)).toThrow(/not valid UTF-8/)
      writeFileSync(file, "")
    }
  })
})
