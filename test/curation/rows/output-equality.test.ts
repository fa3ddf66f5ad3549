import { expect, test } from "vitest"
import type { TaskSpecification } from "../../../src/core/task/task.ts"
import { agree, answerOf, OutputEquality } from "../../../src/curation/rows/output-equality.ts"

const call = (name: string, given: unknown, id = "c1") => ({
  tool_calls: [{ id, type: "function", function: { name, arguments: given } }],
})
const says = (content: string) => ({ content })

test.each([
  ["in other case and punctuation", says("It is on its way."), says("it is on its way"), true],
  ["in nearly the same words", says("It is on its way to you now."), says("It is on its way to you."), true],
  ["the same, with a weight and a name", says("Under the saddle."), { ...says("Under the saddle."), weight: 1 }, true],
  ["something else", says("It is on its way."), says("It was lost in the post."), false],
  ["by the same call, its arguments as text", call("book", { day: 1 }), call("book", '{"day":1}', "c9"), true],
  ["by a call with other arguments", call("book", { day: 1 }), call("book", { day: 2 }), false],
  ["by a call of another tool", call("book", {}), call("cancel", {}), false],
  [
    "by the same call, with similar words",
    { ...says("I book it now for you."), ...call("book", {}) },
    { ...says("I book it now for you!"), ...call("book", {}) },
    true,
  ],
  [
    "in the same words, with a call in one only",
    says("I book it."),
    { ...says("I book it."), ...call("book", {}) },
    false,
  ],
])("two turns that answer %s", (_name, a, b, isSame) => {
  const task = { kind: "chat" } as TaskSpecification
  expect(agree(answerOf(task, a), answerOf(task, b))).toBe(isSame)
  const equality = new OutputEquality(task)
  const isPrinted = equality.print(a).join() === equality.print(b).join()
  expect(isPrinted || equality.areSimilar(0, 1, (row) => [a, b][row])).toBe(isSame)
})

test("texts are judged as what turns say, values as they stand", () => {
  const text = new OutputEquality({ kind: "text" })
  expect(text.areSimilar(0, 1, (row) => ["It is on its way to you now.", "It is on its way to you."][row])).toBe(true)
  const json = new OutputEquality({ kind: "json" })
  expect([json.bySimilarity, json.areMany]).toEqual([false, true])
  expect(json.print({ a: 1, b: 2 })).toEqual(json.print({ b: 2, a: 1 }))
  expect(json.print({ a: 1 })).not.toEqual(json.print({ a: 2 }))
})
