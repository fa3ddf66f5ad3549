import { describe, expect, it } from "vitest"
import type { Example } from "../../../src/core/rows/example.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { scoredRows } from "../../../src/stages/evaluating/scored-rows.ts"
import { type ServedAnswer, servedPrediction } from "../../../src/stages/evaluating/served-prediction.ts"

const multilabel = taskSchema.parse({
  task: "topics",
  kind: "multilabel",
  description: "Name the topics",
  input: { body: {} },
  output: { labels: { price: "what it costs", time: "when it comes" }, minimum: 0 },
})
const text = taskSchema.parse({ task: "reply", kind: "text", description: "Answer", input: { body: {} } })
const row = (output: unknown): Example => ({
  id: "ex_1",
  input: { body: "x" },
  output,
  provenance: { parents: [], strategy: "gold", acceptedBy: "gold" },
})
const scored = (task: typeof text, answer: Partial<ServedAnswer>, reference: unknown) => {
  const whole = { output: "", inputTokens: 1, outputTokens: 1, finish: "stop", ...answer }
  return scoredRows(task, [row(reference)], { predictions: [servedPrediction("ex_1", whole)] })[0]?.output
}

describe("where no label may fit, an answer that never came is not the answer that none does", () => {
  it.each<[string, Partial<ServedAnswer>]>([
    ["a refusal", { refusal: "I cannot." }],
    ["a filter", { finish: "content_filter" }],
    ["a limit", { finish: "length" }],
    ["a thought beside nothing", { thought: "none fits?" }],
    ["a thought that was cut off", { output: "<think>none fits", finish: "length" }],
  ])("%s", (_name, answer) => expect(scored(multilabel, answer, [])).toBeUndefined())

  it("but an empty one is", () => {
    expect(scored(multilabel, {}, [])).toEqual([])
    expect(scored(multilabel, { output: "<think>hm</think>\nprice" }, ["price"])).toEqual(["price"])
  })
})

it("thoughts stay where the gold output has some: that is what is to be learnt", () => {
  const answer = "<think>\nhm\n</think>\nYes."
  expect(scored(text, { output: answer }, "<think>\nwell\n</think>\nYes.")).toBe(answer)
  expect(scored(text, { output: answer }, "Yes.")).toBe("Yes.")
})
