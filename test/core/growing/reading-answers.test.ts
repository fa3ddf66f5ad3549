import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseJson } from "../../../src/core/json-text.ts"
import { readAttributes } from "../../../src/core/growing/attributes.ts"
import { readJson } from "../../../src/core/growing/json-in-answer.ts"
import { readJudgement } from "../../../src/core/growing/judging.ts"
import { readLabel } from "../../../src/core/growing/labelling.ts"
import { taskSchema } from "../../../src/core/task/task.ts"

const common = { description: "Sort", input: { text: {} } }
const labels = { billing: "money", delivery: "parcels", other: "the rest" }
const label = taskSchema.parse({ ...common, task: "mail", kind: "label", output: { labels } })
const several = taskSchema.parse({ ...common, task: "mails", kind: "multilabel", output: { labels, minimum: 0 } })
const json = taskSchema.parse({
  ...common,
  task: "order",
  kind: "json",
  output: { schema: { type: "object", required: ["total"], properties: { total: { type: "number" } } } },
})

describe("JSON as models write it is read where it can mean one thing only", () => {
  it.each([
    ['{"a": [1, 2,], "b": {"c": 1,},}', { a: [1, 2], b: { c: 1 } }],
    ['{"a": "two\nlines\tand a tab"}', { a: "two\nlines\tand a tab" }],
    [`{"a": "It\\'s mine"}`, { a: "It's mine" }],
    ['{"a": "C:\\Desktop, \\d+ and \\sum"}', { a: "C:\\Desktop, \\d+ and \\sum" }],
    ['// here\n{"a": 1, /* one */ "b": 2} // done', { a: 1, b: 2 }],
    ['{"a": True, "b": None, "c": "True // not"}', { a: true, b: null, c: "True // not" }],
    ['{"a": "x,}", "b": "http://y",}', { a: "x,}", b: "http://y" }],
  ])("%j", (text, value) => expect(readJson(text)).toEqual(value))

  it.each([
    "{'a': 'single'}",
    '{"a": "costs \\$5"}',
    '{"a": "\\x41"}',
    '{"a": "line\\\nbreak"}',
    '{"a": 1 "b": 2}',
    "",
  ])("and not where one has to guess: %j", (text) => expect(readJson(text)).toBeUndefined())

  it("and what is JSON is never read as anything else", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(readJson(text)).toEqual(parseJson(text))
      }),
    )
  })
})

describe("a label with words around it is read where no other is meant", () => {
  it.each([
    "Label: billing",
    "**Label:** billing",
    "Category = billing",
    "Final answer: **billing**.",
    "The label is billing",
    "Sure! Here is the label for your input: billing",
    "billing\n\nThe customer asks about money.",
    "The customer asks about money.\n\nLabel: billing",
    "```\nbilling\n```",
    "```text\nbilling\n```",
    '{"label": "billing"}',
    '```json\n{"Label": "billing", "reason": "they ask about money"}\n```',
    '{"label": "billing",}',
  ])("%j", (text) => expect(readLabel(label, text)).toBe("billing"))

  it.each([
    "billing or delivery",
    "billing\n\nThough it could be delivery.",
    "The label is not: billing",
    "Label: billing\nLabel: delivery",
    '{"label": "billing", "category": "delivery"}',
    '{"label": "billing"} or {"label": "delivery"}',
    "It isn't the label: billing",
    "no idea",
    "",
  ])("and not where it may be: %j", (text) => expect(readLabel(label, text)).toBeUndefined())

  it("several labels, and JSON between prose, as well", () => {
    expect(readLabel(several, "Labels: other, billing")).toEqual(["billing", "other"])
    expect(readLabel(several, '{"labels": ["delivery"]}')).toEqual(["delivery"])
    expect(readLabel(json, 'Here it is:\n```json\n{"total": 3,}\n```\nAnything else?')).toEqual({ total: 3 })
    expect(readLabel(json, '{"total": 3} or {"total": 4}')).toBeUndefined()
  })
})

describe("a judgement is read where it is one", () => {
  it.each([
    ['{"reason": "fine", "score": 5}', 1],
    ['The example {with braces} is fine. {"reason": "fine", "score": "5"}', 1],
    ['```json\n{"Reason": "nonsense", "Score": 1,}\n```', 0],
    ['{"reason": "a", "score": 3}\n{"reason": "b", "score": 3}', 0.5],
  ])("%j", (text, score) => expect(readJudgement(text)?.score).toBe(score))

  it.each([
    '{"reason": "draft", "score": 5}\nNo: {"reason": "better", "score": 1}',
    '{"reason": "fine", "score": true}',
    '{"reason": "fine", "score": "4/5"}',
    '{"reason": "fine"}',
    "5",
    "",
  ])("and not otherwise: %j", (text) => expect(readJudgement(text)).toBeUndefined())
})

it("attributes are found behind prose with braces", () => {
  const text = 'As {asked}: {"attributes": [{"name": "tone", "values": ["calm", "angry"]},]}'
  expect(readAttributes(text)).toEqual({ tone: ["calm", "angry"] })
})
