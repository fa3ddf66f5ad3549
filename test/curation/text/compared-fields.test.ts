import { expect, test } from "vitest"
import { comparedFields } from "../../../src/curation/text/compared-fields.ts"
import { comparedText } from "../../../src/curation/text/compared-text.ts"

const fieldsOf = (rows: readonly Record<string, unknown>[], field?: string, outputFields?: string[]) =>
  comparedFields(rows, { field, outputFields })

test.each([
  [{ instruction: "a", input: "b", output: "c" }, ["instruction", "input"], ["output"]],
  [{ prompt: "a", chosen: "b", rejected: "c" }, ["prompt"], ["chosen", "rejected"]],
  [{ chosen: "b", rejected: "c" }, ["chosen"], ["rejected"]],
  [{ prompt: "a", context: "b", completion: "c" }, ["prompt", "context"], ["completion"]],
  [{ id: 1, messages: [], source: "x" }, ["messages"], []],
  [{ conversations: [] }, ["conversations"], []],
  [{ text: "a", category: "b" }, ["text"], ["category"]],
  [{ Text: "a", Label: "b" }, ["Text"], ["Label"]],
  [{ text: "a", labels: ["b"], created_at: "2026-01-01" }, ["text"], ["labels"]],
  [{ premise: "a", hypothesis: "b", label: 1 }, ["premise", "hypothesis"], ["label"]],
  [{ question: "a", answer: "b", passages: "one two three words" }, ["question", "passages"], ["answer"]],
  // Of two rows that differ in what is not understood neither is dropped.
  [{ text: "a", queue: "b" }, ["text"], ["queue"]],
  [{ text: "a", reply: "a text of several words" }, ["text"], ["reply"]],
] as [Record<string, unknown>, string[], string[]][])(
  "of %j are compared %j, and %j must agree",
  (row, text, output) => {
    expect(fieldsOf([row])).toMatchObject({ text, output })
  },
)

test("a field of an unknown name that is another in nearly every row tells nothing", () => {
  const rows = Array.from({ length: 40 }, (_, n) => ({ text: "a", ticket: `T-${n}`, queue: `q${n % 3}` }))
  expect(fieldsOf(rows)).toMatchObject({ text: ["text"], output: ["queue"], ignored: ["ticket"] })
})

test("what people name counts alone", () => {
  const row = { subject: "a", body: "b", queue: "c", team: "d" }
  expect(fieldsOf([row], "body", ["queue"])).toMatchObject({
    text: ["body"],
    output: ["queue"],
    ignored: ["subject", "team"],
  })
  expect(fieldsOf([row], "body", [])).toMatchObject({ output: [], ignored: ["subject", "queue", "team"] })
  expect(fieldsOf([{ input: { body: "a" }, label: "x" }], "input.body")).toMatchObject({
    text: ["input.body"],
    output: ["label"],
    ignored: [],
  })
})

test("a field that only a later row has counts by its name", () => {
  const fields = fieldsOf([{ text: "a" }])
  expect(comparedText({ text: "a", label: "x" }, fields)).toEqual({ text: "a", output: "x" })
  expect(comparedText({ text: "a", context: "b", id: 7 }, fields)).toEqual({ text: "a\nb", output: undefined })
  expect(comparedText({ text: "a", queue: "b" }, fields)).toEqual({ text: "a", output: "b" })
})

test("ShareGPT's turns are read as messages are, and all outputs count", () => {
  const turns = [
    { from: "system", value: "Be kind." },
    { from: "human", value: "Name a fruit." },
    { from: "gpt", value: "Cherry" },
  ]
  const row = { conversations: turns }
  expect(comparedText(row, fieldsOf([row]))).toEqual({ text: "Name a fruit.", output: "Cherry" })
  const pair = { prompt: "Boil an egg", chosen: "Seven minutes", rejected: "No" }
  expect(comparedText(pair, fieldsOf([pair]))).toEqual({
    text: "Boil an egg",
    output: '{"chosen":"Seven minutes","rejected":"No"}',
  })
})
