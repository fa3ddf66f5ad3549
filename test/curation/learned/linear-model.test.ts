import { parse } from "csv-parse/sync"
import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { DataError } from "../../../src/core/errors.ts"
import { trainLinearModel } from "../../../src/curation/learned/linear-model.ts"
import { seeded } from "../../seeded.ts"

const rows = [
  { text: "where is my parcel", label: "shipping" },
  { text: "the parcel arrived broken", label: "shipping" },
  { text: "my delivery is late", label: "shipping" },
  { text: "I was charged twice", label: "billing" },
  { text: "please refund my payment", label: "billing" },
  { text: "there is a wrong charge on my invoice", label: "billing" },
]

describe("trainLinearModel", () => {
  test("learns, and gives a probability", () => {
    const model = trainLinearModel(rows)
    expect(model.labels).toEqual(["billing", "shipping"])
    for (const { text, label } of rows) expect(model.predict(text).label).toBe(label)
    const { label, probability } = model.predict("the charge on my payment")
    expect(label).toBe("billing")
    expect(probability).toBeGreaterThan(0.5)
    expect(probability).toBeLessThan(1)
  })
  test("is the same for the same rows in any order", () => {
    const [model, other] = [trainLinearModel(rows), trainLinearModel(rows.toReversed())]
    for (const text of ["late refund", "", "something else", "PARCEL"])
      expect(other.predict(text)).toEqual(model.predict(text))
    expect(trainLinearModel(rows.slice(1)).predict("late refund")).not.toEqual(model.predict("late refund"))
  })
  test("one label is always predicted, an unknown text gets one too", () => {
    expect(trainLinearModel([{ text: "a", label: "only" }]).predict("zzz")).toEqual({ label: "only", probability: 1 })
    expect(trainLinearModel(rows).predict("漢字").probability).toBeCloseTo(0.5, 1)
  })
  test("needs rows", () => expect(() => trainLinearModel([])).toThrow(DataError))
})

const folder = new URL("../../../../shared/data/banking77/", import.meta.url)
describe.skipIf(!existsSync(folder))("on banking77", () => {
  const load = (file: string) =>
    (parse(readFileSync(new URL(file, folder)), { columns: true }) as { text: string; category: string }[]).map(
      ({ text, category }) => ({
        text,
        label: category,
      }),
    )
  const accuracy = (model: ReturnType<typeof trainLinearModel>, of: { text: string; label: string }[]) =>
    of.filter(({ text, label }) => model.predict(text).label === label).length / of.length
  const random = seeded(1)
  const shuffled = () =>
    load("train.csv")
      .map((row) => ({ row, place: random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ row }) => row)

  test("1,540 rows of 77 labels: about 0.79 of the test rows", { timeout: 30_000 }, () => {
    expect(accuracy(trainLinearModel(shuffled().slice(0, 1540)), load("test.csv"))).toBeGreaterThan(0.77)
  })
  test("12 rows of each of 8 labels: above 0.9", () => {
    const train = shuffled()
    const labels = [...new Set(train.map(({ label }) => label))]
      .sort()
      .filter((_, place) => place % 9 === 0)
      .slice(0, 8)
    const few = labels.flatMap((label) => train.filter((row) => row.label === label).slice(0, 12))
    expect(few).toHaveLength(96)
    expect(
      accuracy(
        trainLinearModel(few),
        load("test.csv").filter(({ label }) => labels.includes(label)),
      ),
    ).toBeGreaterThan(0.9)
  })
})
