import { execFileSync } from "node:child_process"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { digest } from "../../../src/core/canonical.ts"
import type { Assignment, Split } from "../../../src/core/rows/example.ts"
import { assignSplits, type Arrival } from "../../../src/curation/holdout/assign-splits.ts"
import { seeded } from "../../seeded.ts"

const holdout = { groupBy: "customer" }
type Row = Arrival & { readonly columns: { readonly customer: string } }

// 64 hex digits each: no two are near.
function row(id: string, customer: string, stratum: string, text = digest(id)): Row {
  return { id, text, stratum, columns: { customer } }
}

function assign(
  arrivals: readonly Arrival[],
  testNeeded: number,
  before: Held = { rows: [], splits: [] },
): Assignment[] {
  const existing = { existing: before.splits, existingItems: before.rows }
  return assignSplits({ arrivals, ...existing, testNeeded, key: "shop", holdout })
}

interface Held {
  readonly rows: readonly Row[]
  readonly splits: readonly Assignment[]
}

/** The splits of each customer's rows. */
function splitsOf(rows: readonly Row[], splits: readonly Assignment[]): Set<Split>[] {
  const of = new Map(splits.map(({ id, split }) => [id, split]))
  return [...Map.groupBy(rows, ({ columns }) => columns.customer).values()].map(
    (group) => new Set(group.map(({ id }) => of.get(id) as Split)),
  )
}

/** Customers of 1 to 12 rows, each with a leaning of its own. */
function madeRows(customers: number, seed = 3, prefix = "c"): Row[] {
  const random = seeded(seed)
  const labels = ["delivery", "return", "payment", "other"]
  return Array.from({ length: customers }, (_, customer) => {
    const leaning = Math.floor(random() * 4)
    return Array.from({ length: 1 + Math.floor(random() * 12) }, (_, number) => {
      const label = random() < 0.6 ? leaning : Math.floor(random() * random() * 4)
      return row(`${prefix}${customer}-${number}`, `${prefix}${customer}`, labels[label] as string)
    })
  }).flat()
}

const given = fc
  .array(fc.record({ customer: fc.integer({ min: 0, max: 8 }), stratum: fc.constantFrom("a", "b", "c") }), {
    maxLength: 40,
  })
  .map((rows) => rows.map(({ customer, stratum }, at) => row(`r${at}`, `c${customer}`, stratum)))

describe("rows of one customer", () => {
  it("are in one split, whatever the order, also of those that arrive later", () => {
    fc.assert(
      fc.property(given, fc.nat(40), fc.nat(40), (rows, cut, testNeeded) => {
        const [first, later] = [rows.slice(0, cut), rows.slice(cut)]
        const splits = assign(first, testNeeded)
        expect(assign(first.toReversed(), testNeeded)).toEqual(splits)
        const all = [...splits, ...assign(later, testNeeded, { rows: first, splits })]
        expect(all).toHaveLength(rows.length)
        for (const of of splitsOf(rows, all)) expect(of.size).toBe(1)
      }),
      { numRuns: 60 },
    )
  })

  it("fill the splits to within half of the largest customer, each label in proportion", () => {
    const rows = madeRows(120)
    const splits = assign(rows, 200)
    const count = (split: Split) => splits.filter((each) => each.split === split).length
    expect(Math.abs(count("test") - 200)).toBeLessThanOrEqual(6)
    expect(Math.abs(count("validation") - 50)).toBeLessThanOrEqual(6)
    for (const label of ["delivery", "return", "payment", "other"]) {
      const all = splits.filter(({ stratum }) => stratum === label)
      const tested = all.filter(({ split }) => split === "test").length
      expect(Math.abs(tested - (all.length * 200) / rows.length)).toBeLessThanOrEqual(2)
    }
  })

  it("follow those that have a split, and test comes before train where these are in both", () => {
    const before = {
      rows: [row("a1", "a", "x"), row("b1", "b", "x"), row("b2", "b", "x")],
      splits: [
        { id: "a1", split: "train", stratum: "x" },
        { id: "b1", split: "train", stratum: "x" },
        { id: "b2", split: "test", stratum: "x" },
      ] as Assignment[],
    }
    const later = [row("a2", "a", "x"), row("b3", "b", "x")]
    expect(assign(later, 100, before).map(({ split }) => split)).toEqual(["train", "test"])
  })

  it("give each label a train row first, then a test row", () => {
    const rows = [
      ...madeRows(30),
      ...["r1", "r2"].map((id) => row(id, "once", "rare")),
      row("s1", "s", "seldom"),
      row("s2", "t", "seldom"),
    ]
    const splits = assign(rows, 30)
    const of = (stratum: string) => splits.filter((each) => each.stratum === stratum).map(({ split }) => split)
    expect(of("rare")).toEqual(["train", "train"])
    expect(of("seldom").sort()).toEqual(["test", "train"])
  })

  it("stay apart although all write the same, and near texts of few go together", () => {
    const thanks = Array.from({ length: 40 }, (_, at) => row(`t${at}`, `c${at}`, "a", "Thank you very much, goodbye"))
    const splits = assign(thanks, 10)
    expect(new Set(splits.map(({ split }) => split))).toEqual(new Set(["train", "validation", "test"]))
    const twins = madeRows(200).map((each) => ({ ...each, text: digest(each.id) }))
    const [a, b] = [row("t1", "u", "other", digest("twin")), row("t2", "v", "other", digest("twin"))]
    const both = assign([...twins, a, b], 100).filter(({ id }) => id === "t1" || id === "t2")
    expect(both[0]?.split).toBe(both[1]?.split)
  })
})

/** How far the worst label's share of the rows is from its share of all. */
function unevenness(rows: readonly Row[], chosen: ReadonlySet<string>): number {
  const labels = [...new Set(rows.map(({ stratum }) => stratum))]
  const within = rows.filter(({ id }) => chosen.has(id))
  const share = (of: readonly Row[], label: string) => of.filter((each) => each.stratum === label).length / of.length
  return Math.max(...labels.map((label) => Math.abs(share(within, label) - share(rows, label))))
}

const python = process.env["TUNELOOP_SKLEARN_PYTHON"]

it.skipIf(python === undefined)("no less even than StratifiedGroupKFold of scikit-learn on the same rows", () => {
  for (const [folds, customers] of [
    [3, 60],
    [4, 120],
    [5, 300],
  ] as const) {
    const rows = madeRows(customers, 10 * customers)
    const script = `
import json, sys
from sklearn.model_selection import StratifiedGroupKFold
rows = json.load(sys.stdin)
y = [r["stratum"] for r in rows]; g = [r["columns"]["customer"] for r in rows]
print(json.dumps([t.tolist() for _, t in StratifiedGroupKFold(${folds}).split(rows, y, g)]))`
    const found = JSON.parse(
      execFileSync(python as string, ["-c", script], { input: JSON.stringify(rows), encoding: "utf8" }),
    ) as number[][]
    const theirs = found.map((fold) => unevenness(rows, new Set(fold.map((at) => (rows[at] as Row).id))))
    const splits = assign(rows, Math.round(rows.length / folds))
    const ours = unevenness(rows, new Set(splits.flatMap(({ id, split }) => (split === "test" ? [id] : []))))
    expect(splitsOf(rows, splits).every(({ size }) => size === 1)).toBe(true)
    // Beside the evenest of its folds.
    expect(ours, `${theirs.join(" ")}`).toBeLessThanOrEqual(Math.min(...theirs) + 1e-3)
  }
})
