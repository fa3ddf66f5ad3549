import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { canonicalJson } from "../../../src/core/canonical.ts"
import { Migrations, outcomeKey, type Migration } from "../../../src/core/rows/migration.ts"
import { checkId, conflictId, revisionOf } from "../../../src/core/rows/row-identity.ts"

const migration = (labels: Record<string, string>, more: Partial<Migration> = {}): Migration => ({
  id: "migration_1",
  at: "2026-11-24T10:00:00Z",
  labels,
  splits: {},
  rows: [],
  ...more,
})
const label = fc.constantFrom("a", "b", "c", "d", "e")
const renames = fc.array(
  fc.tuple(label, label).map(([old, name]) => migration({ [old]: name })),
  { maxLength: 4 },
)

describe("labels of now", () => {
  it("are what one change after the other makes of a label; lists have none twice", () => {
    fc.assert(
      fc.property(renames, label, fc.uniqueArray(label), (changes, one, many) => {
        const step = (name: string) => changes.reduce((at, { labels }) => labels[at] ?? at, name)
        const migrations = new Migrations(changes)
        expect(migrations.output(one)).toBe(step(one))
        expect(migrations.output(many)).toEqual([...new Set(many.map(step))])
        expect(migrations.row({ output: { json: one } }).output).toEqual({ json: one })
      }),
    )
  })

  it("ids, revisions and settled outcomes of the old name are read as those of the new one", () => {
    const migrations = new Migrations([migration({ a: "b", c: "b" })])
    const input = { body: "x" }
    const check = (output: string, row = "seed_1") => checkId(row, input, output)
    const conflict = {
      id: conflictId(check("a"), check("c", "seed_2")),
      a: { row: "seed_1", check: check("a"), output: "a" },
      b: { row: "seed_2", check: check("c", "seed_2"), output: "c" },
      similarity: 1,
      isCurrent: true,
    }
    const translator = migrations.translator(
      [
        { id: "seed_1", input, output: "b" },
        { id: "seed_2", input, output: "b" },
      ],
      [conflict],
    )
    const decision = {
      item: check("a"),
      revision: revisionOf(input, "c"),
      output: "c",
      settles: [outcomeKey(canonicalJson("a")), outcomeKey("reject")],
    }
    expect(translator.decision(decision)).toEqual({
      item: check("b"),
      revision: revisionOf(input, "b"),
      output: "b",
      settles: [outcomeKey(canonicalJson("b")), outcomeKey("reject")],
    })
    expect(translator.conflict(conflict)).toMatchObject({
      id: conflictId(check("b"), check("b", "seed_2")),
      a: { check: check("b"), output: "b" },
    })
  })

  it("a split concerns the rows that were there with the label, and no later ones", () => {
    const migrations = new Migrations([
      migration({}, { splits: { a: ["a", "b"] }, rows: ["seed_1"] }),
      migration({ a: "z" }),
    ])
    expect([
      migrations.splitOf("seed_1", "z")?.from,
      migrations.splitOf("seed_2", "z"),
      migrations.splitOf("seed_1", "b"),
    ]).toEqual(["a", undefined, undefined])
  })
})
