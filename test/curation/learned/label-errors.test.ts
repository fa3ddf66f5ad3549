import fc from "fast-check"
import { parse } from "csv-parse/sync"
import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { stratifiedFolds } from "../../../src/curation/learned/folds.ts"
import { findLabelErrors, type LabelledRow } from "../../../src/curation/learned/label-errors.ts"
import { seeded } from "../../seeded.ts"

const topics = {
  shipping: ["parcel", "delivery", "courier", "tracking", "doorstep", "late", "shipped", "warehouse"],
  billing: ["invoice", "refund", "charge", "payment", "card", "twice", "bank", "receipt"],
  account: ["password", "login", "profile", "email", "reset", "username", "locked", "settings"],
}
const fillers = ["please", "my", "the", "is", "why", "now", "help", "with", "again", "today"]

/** Rows of three labels that a linear model tells apart, none near another. */
function madeRows(perLabel: number, seed: number, isTrain = true): LabelledRow[] {
  const random = seeded(seed)
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] as string
  return Object.entries(topics).flatMap(([label, words]) =>
    Array.from({ length: perLabel }, (_, index) => ({
      id: `${label}-${seed}-${index}`,
      text: [pick(words), pick(fillers), pick(words), pick(fillers), pick(words), pick(fillers)].join(" "),
      label,
      isTrain,
    })),
  )
}

const relabelled = (rows: readonly LabelledRow[], id: string, label: string) =>
  rows.map((row) => (row.id === id ? { ...row, label } : row))

describe("findLabelErrors", () => {
  const rows = madeRows(30, 1)

  test("suspects a flipped label first and suggests the right one, in train and in what is held out", () => {
    const heldOut = madeRows(5, 2, false)
    const all = relabelled(relabelled([...rows, ...heldOut], "billing-1-3", "shipping"), "account-2-1", "billing")
    const { suspects, judged } = findLabelErrors(all)
    expect(judged).toBe(105)
    const found = new Map(suspects.map((suspect) => [suspect.id, suspect]))
    expect(found.get("billing-1-3")).toMatchObject({ label: "shipping", suggested: "billing" })
    expect(found.get("account-2-1")).toMatchObject({ label: "billing", suggested: "account" })
    expect(
      suspects
        .slice(0, 2)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(["account-2-1", "billing-1-3"])
    for (const { selfConfidence, confidence } of suspects) expect(selfConfidence).toBeLessThan(confidence)
  })

  test("learns nothing from what is held out: its labels change no other row's figures", () => {
    const heldOut = madeRows(5, 2, false)
    const flipped = heldOut.map((row) => ({ ...row, label: row.label === "billing" ? "account" : "billing" }))
    const figures = (rest: readonly LabelledRow[]) => {
      // Every label wrong in train as well, so that all rows show their figures.
      const wrong = rows.map((row, index) =>
        index % 3 === 0 ? { ...row, label: row.label === "billing" ? "account" : "billing" } : row,
      )
      return findLabelErrors([...wrong, ...rest])
        .suspects.filter(({ id }) => id.includes("-1-"))
        .map(({ id, selfConfidence }) => [id, selfConfidence] as const)
    }
    // Which rows are suspected moves with the thresholds, the figures do not: those of rows suspected both times are
    // compared.
    const before = figures(heldOut)
    expect(before.length).toBeGreaterThan(10)
    const after = new Map(figures(flipped))
    const both = before.filter(([id]) => after.has(id))
    expect(both.length).toBeGreaterThan(10)
    for (const [id, selfConfidence] of both) expect(after.get(id), id).toBe(selfConfidence)
  })

  test("twins with the same wrong label do not vouch for each other", () => {
    const wrong = Array.from({ length: 6 }, (_, index) => ({
      id: `twin-${index}`,
      text: `please send the invoice and refund the payment to my bank ${"!".repeat(index)}`,
      label: "shipping",
      isTrain: true,
    }))
    const found = findLabelErrors([...rows, ...wrong]).suspects
    expect(found.filter(({ id, suggested }) => id.startsWith("twin-") && suggested === "billing")).toHaveLength(6)
  })

  test("rows of one group with the same wrong label do not vouch for each other", () => {
    const random = seeded(5)
    const word = () => topics.billing[Math.floor(random() * 8)] as string
    // What its rows have in common says more than what they are about: without the group they are learnt by heart.
    const wrong = Array.from({ length: 8 }, (_, index) => ({
      ...{ id: `group-${index}`, label: "shipping", isTrain: true, group: "one" },
      text: `contoso ${word()} ${"xyzuvwst"[index]} ${word()} is ${word()} the ${word()} why ${word()} contoso`,
    }))
    const suspected = (all: readonly LabelledRow[]) =>
      findLabelErrors([...rows, ...all]).suspects.filter(({ id }) => id.startsWith("group-")).length
    expect(suspected(wrong.map(({ group: _, ...row }) => row))).toBe(0)
    expect(suspected(wrong)).toBe(8)
    // Two groups are too few to know a label by, however many rows they have.
    const rare = Array.from({ length: 8 }, (_, index) => ({
      ...{ id: `rare-${index}`, label: "rare", isTrain: true, group: `of-${index % 2}` },
      text: `${"owl roof moss lamp gift vase harp plum".split(" ")[index]} ${index} on sale ${index * 31}`,
    }))
    expect(findLabelErrors([...rows, ...rare]).unjudged).toEqual([{ label: "rare", rows: 8 }])
  })

  test("labels that train knows too little of are left out and named, rather than suspected row by row", () => {
    const rare = [
      { id: "rare-1", text: "do you sell gift vouchers", label: "rare", isTrain: true },
      { id: "rare-2", text: "an owl sits on your roof", label: "rare", isTrain: true },
      { id: "held-1", text: "can I buy a voucher", label: "rare", isTrain: false },
      { id: "held-2", text: "what a fine day", label: "unknown", isTrain: false },
    ]
    const { suspects, judged, unjudged } = findLabelErrors([...rows, ...rare])
    expect(judged).toBe(90)
    expect(unjudged).toEqual([
      { label: "rare", rows: 3 },
      { label: "unknown", rows: 1 },
    ])
    expect(suspects.some(({ label, suggested }) => label === "rare" || suggested === "rare")).toBe(false)
    expect(findLabelErrors([])).toEqual({ suspects: [], judged: 0, unjudged: [] })
  })

  test("the order of the rows does not matter", () => {
    const noisy = rows.map((row, index) => (index % 9 === 0 ? { ...row, label: "account" } : row))
    expect(findLabelErrors(noisy.toReversed())).toEqual(findLabelErrors(noisy))
  })
})

test("folds keep families whole, spread strata evenly and do not depend on the order", () => {
  const rowsOf = fc
    .array(fc.record({ stratum: fc.constantFrom("a", "b", "c"), family: fc.integer({ min: 0, max: 30 }) }), {
      minLength: 1,
      maxLength: 80,
    })
    .map((rows) => rows.map((row, index) => ({ id: `r${index}`, stratum: row.stratum, family: `f${row.family}` })))
  fc.assert(
    fc.property(rowsOf, (rows) => {
      const folds = stratifiedFolds(rows, 5)
      expect([...folds.keys()].sort()).toEqual(rows.map(({ id }) => id).sort())
      for (const members of Map.groupBy(rows, ({ family }) => family).values())
        expect(new Set(members.map(({ id }) => folds.get(id))).size).toBe(1)
      expect(stratifiedFolds(rows.toReversed(), 5)).toEqual(folds)
    }),
    { seed: 4, numRuns: 60 },
  )
  // Without families, no fold has two rows of a stratum more than another.
  const single = Array.from({ length: 43 }, (_, index) => ({
    id: `r${index}`,
    stratum: index % 3 === 0 ? "a" : "b",
    family: `r${index}`,
  }))
  const folds = stratifiedFolds(single, 5)
  for (const stratum of ["a", "b"]) {
    const sizes = [0, 1, 2, 3, 4].map(
      (fold) => single.filter((row) => row.stratum === stratum && folds.get(row.id) === fold).length,
    )
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
  }
})

const folder = new URL("../../../../shared/data/banking77/", import.meta.url)
describe.skipIf(!existsSync(folder))("on banking77 with a tenth of the labels flipped", () => {
  test("99 in 100 of the first 500 suspects were flipped, and nine in ten of all that was are suspected", {
    timeout: 120_000,
  }, () => {
    const table = parse(readFileSync(new URL("train.csv", folder)), { columns: true }) as {
      text: string
      category: string
    }[]
    const labels = [...new Set(table.map(({ category }) => category))].sort()
    const random = seeded(1)
    const flipped = new Set<string>()
    const rows = table.map(({ text, category }, index) => {
      const id = `row-${index}`
      if (random() >= 0.1) return { id, text, label: category, isTrain: true }
      flipped.add(id)
      const others = labels.filter((label) => label !== category)
      return { id, text, label: others[Math.floor(random() * others.length)] as string, isTrain: true }
    })
    const { suspects, judged } = findLabelErrors(rows)
    const hits = (found: typeof suspects) => found.filter(({ id }) => flipped.has(id)).length
    expect(judged).toBe(10_003)
    expect(hits(suspects.slice(0, 100)) / 100).toBeGreaterThanOrEqual(0.98)
    expect(hits(suspects.slice(0, 500)) / 500).toBeGreaterThanOrEqual(0.994)
    expect(hits([...suspects]) / flipped.size).toBeGreaterThanOrEqual(0.91)
    expect(hits([...suspects]) / suspects.length).toBeGreaterThanOrEqual(0.925)
  })
})
