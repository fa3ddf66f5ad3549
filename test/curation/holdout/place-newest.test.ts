import fc from "fast-check"
import { expect, it } from "vitest"
import { digest } from "../../../src/core/canonical.ts"
import type { Assignment, Split } from "../../../src/core/rows/example.ts"
import { assignSplits } from "../../../src/curation/holdout/assign-splits.ts"

interface Row {
  readonly id: string
  readonly text: string
  readonly stratum: string
  readonly columns: Readonly<Record<string, string>>
}

const day = (number: number) => new Date(Date.UTC(2026, 0, 1 + number)).toISOString().slice(0, 10)
const row = (id: string, number: number, columns: Record<string, string> = {}, text = digest(id)): Row => ({
  ...{ id, text, stratum: "a" },
  columns: { received: day(number), ...columns },
})

function assign(arrivals: readonly Row[], testNeeded: number, rows: readonly Row[] = [], existing: Assignment[] = []) {
  const holdout = { newestBy: "received", groupBy: "customer" }
  return assignSplits({ arrivals, existing, existingItems: rows, testNeeded, key: "late", holdout })
}

const daysIn = (rows: readonly Row[], splits: readonly Assignment[], split: Split) => {
  const ids = new Set(splits.flatMap((each) => (each.split === split ? [each.id] : [])))
  return rows.flatMap(({ id, columns }) => (ids.has(id) ? [columns["received"] as string] : [])).sort()
}

it("the newest rows are tested on, the next are for validation, and the rest is trained on", () => {
  const rows = Array.from({ length: 100 }, (_, at) => row(`r${at}`, at))
  const splits = assign(rows, 40)
  expect(daysIn(rows, splits, "test")).toEqual(Array.from({ length: 40 }, (_, at) => day(60 + at)))
  expect(daysIn(rows, splits, "validation")).toEqual(Array.from({ length: 10 }, (_, at) => day(50 + at)))
  expect(assign(rows.toReversed(), 40)).toEqual(splits)
})

it("a day is in one split where that costs less than a tenth of the rows, and is divided where not", () => {
  const days = Array.from({ length: 100 }, (_, at) => row(`r${at}`, Math.floor(at / 7)))
  const splits = assign(days, 40)
  const [train, validation, test] = (["train", "validation", "test"] as const).map((each) => daysIn(days, splits, each))
  expect((train?.at(-1) as string) < (validation?.[0] as string)).toBe(true)
  expect((validation?.at(-1) as string) < (test?.[0] as string)).toBe(true)
  const one = Array.from({ length: 100 }, (_, at) => row(`r${at}`, 5))
  expect(daysIn(one, assign(one, 40), "test")).toHaveLength(40)
})

it("each import is held out by itself, and what has a split keeps it", () => {
  const first = Array.from({ length: 50 }, (_, at) => row(`a${at}`, at))
  const before = assign(first, 40)
  const later = Array.from({ length: 50 }, (_, at) => row(`b${at}`, 100 + at))
  const splits = assign(later, 40, first, before)
  expect(splits.map(({ id }) => id).sort()).toEqual(later.map(({ id }) => id).sort())
  // 40 of 100 are needed and 30 of 50 were there.
  expect(daysIn(later, splits, "test")).toEqual(Array.from({ length: 10 }, (_, at) => day(140 + at)))
})

it("a customer is in one split, and nothing in train is newer than what is held out, whatever the texts", () => {
  const given = fc.array(
    fc.record({ at: fc.integer({ min: 0, max: 30 }), customer: fc.option(fc.integer({ min: 0, max: 6 })) }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(given, fc.nat(60), (all, testNeeded) => {
      const rows = all.map(({ at, customer }, number) =>
        row(`r${number}`, at, customer === null ? {} : { customer: `c${customer}` }, "the same text in every row"),
      )
      const splits = assign(rows, testNeeded)
      const of = new Map(splits.map(({ id, split }) => [id, split]))
      const newest = new Map<string, string>()
      const unitOf = ({ id, columns }: Row) => columns["customer"] ?? id
      for (const each of rows) {
        const received = each.columns["received"] as string
        if (received > (newest.get(unitOf(each)) ?? "")) newest.set(unitOf(each), received)
      }
      for (const a of rows)
        for (const b of rows) {
          if (unitOf(a) === unitOf(b)) expect(of.get(a.id)).toBe(of.get(b.id))
          else if (of.get(a.id) === "train" && of.get(b.id) !== "train")
            expect((newest.get(unitOf(a)) as string) <= (newest.get(unitOf(b)) as string)).toBe(true)
        }
    }),
    { numRuns: 60 },
  )
})

it("a row without a time is older than all others", () => {
  const rows = [
    { id: "none", text: digest("none"), stratum: "a", columns: {} },
    ...Array.from({ length: 9 }, (_, at) => row(`r${at}`, at)),
  ]
  expect(assign(rows, 5).find(({ id }) => id === "none")?.split).toBe("train")
})
