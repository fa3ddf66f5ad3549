import { describe, expect, test } from "vitest"
import type { Output } from "../../../src/core/rows/example.ts"
import { foldForComparison } from "../../../src/curation/text/normalise.ts"
import { caseRows, caseTask, describeCase } from "../../shared-cases.ts"
import { curate, rowOf, textTask } from "./made-texts.ts"

type Row = { readonly input: { readonly text: string }; readonly output: Output }
type FlatRow = { readonly text: string; readonly label?: string; readonly output?: string }

const limits = { ngram: 13, maxLength: 20_000 }
const candidatesOf = (rows: readonly Row[]) =>
  rows.map(({ input, output }, place) => ({ ...rowOf(`ex_${place}`, "", output), input }))
const curated = (name: string, task: string, rows: readonly Row[], heldOut: readonly Row[] = []) =>
  curate({
    task: caseTask(name, task),
    candidates: candidatesOf(rows),
    heldOut: heldOut.map(({ input }, place) => ({ id: `held_${place}`, input })),
    ...limits,
  })

describeCase("14-operators", () => {
  test("sums with other operators are other inputs: no row leaks, none is a conflict", () => {
    const train = caseRows<Row>("14-operators", "train.jsonl")
    const result = curated("14-operators", "sums", train, caseRows<Row>("14-operators", "test.jsonl"))
    expect(result).toMatchObject({ dropped: [], conflicts: [] })
    expect(result.kept).toHaveLength(30)
  })
  test.each(["pairs.jsonl", "emoji.jsonl"])("%s has no two equal texts", (file) => {
    const rows = caseRows<FlatRow>("14-operators", file)
    // A family of emoji is the same with the joiners that nobody sees.
    const texts = new Set(rows.map(({ text }) => text.replaceAll("\u200d", "")))
    expect(new Set(rows.map(({ text }) => foldForComparison(text))).size).toBe(texts.size)
  })
  test("letters of any script stay what they are", () => {
    const rows = caseRows<FlatRow>("14-operators", "scripts.jsonl")
    const folded = rows.map(({ text }) => foldForComparison(text))
    // Of half width and full width.
    expect(folded[rows.findIndex(({ text }) => text === "ｶﾞｽ")]).toBe("ガス")
    expect(new Set(folded).size).toBe(rows.length - 1)
  })
})

describeCase("20-template", () => {
  test.each([
    ["inv15.jsonl", "inv", 15],
    ["inv60.jsonl", "inv", 60],
  ])("%s: invoices that differ in a name and numbers are kept, and nobody is asked", (file, task, rows) => {
    const result = curated("20-template", task, caseRows<Row>("20-template", file))
    expect(result).toMatchObject({ dropped: [], conflicts: [] })
    expect(result.kept).toHaveLength(rows)
  })
  test("so are roads that differ in their number", () => {
    const roads = caseRows<FlatRow>("20-template", "roads.jsonl")
    const rows = roads.map(({ text, output }) => ({ input: { text }, output: output as string }))
    expect(curated("20-template", "road", rows)).toMatchObject({ dropped: [], conflicts: [] })
  })
})

describeCase("24-leak", () => {
  test("test rows that are in train but for case, space and punctuation are found", () => {
    const flat = (file: string) =>
      caseRows<FlatRow>("24-leak", file).map(({ text, label }) => ({ input: { text }, output: label as string }))
    const { dropped } = curated("24-leak", "sms", flat("train.jsonl"), flat("test.jsonl"))
    const leaks = dropped.flatMap(({ reason, input, witness }) =>
      reason.startsWith("leak") ? [[input["text"], reason, witness]] : [],
    )
    expect(leaks).toEqual([
      ["Claim the prize before midnight", "leak-exact", "held_4"],
      ["Hey are you coming to dinner tonight", "leak-near", "held_0"],
      ["Your bank account is locked, verify at the link", "leak-near", "held_2"],
    ])
  })
})

describe("outputs that are texts", () => {
  test.each([
    ["4", "-4"],
    ["15", "1.5"],
    ["C#", "C"],
    ["a * b", "a / b"],
    [":)", ":("],
    ["The total is 15 euros.", "The total is 16 euros."],
  ])("%j and %j are two answers", (first, second) => {
    const rows = [rowOf("ex_1", "What comes of it?", first), rowOf("ex_2", "what comes of it ?", second)]
    const { dropped } = curate({ task: textTask, candidates: rows, ...limits })
    expect(dropped.map(({ reason }) => reason)).toEqual(["conflict"])
  })
  test("that differ in typography are one", () => {
    const rows = [
      rowOf("ex_1", "What comes of it?", "It’s “C” – fine"),
      rowOf("ex_2", "what comes of it?", 'it\'s "c" - FINE'),
    ]
    const { dropped } = curate({ task: textTask, candidates: rows, ...limits })
    expect(dropped.map(({ reason }) => reason)).toEqual(["exact-duplicate"])
  })
})
