import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { withoutThoughts } from "../../../src/core/asking/thoughts.ts"
import { silenceOf, spoken } from "../../../src/core/asking/spoken.ts"

// A thought that stays in an answer becomes a candidate, a label or a judgement.
describe("a thought before an answer is taken off and kept beside", () => {
  it.each([
    ["<think>\nbilling? no.\n</think>\n\ndelivery", "billing? no."],
    ["<thinking>billing? no.</thinking>delivery", "billing? no."],
    ["<reasoning>\nbilling? no.\n</reasoning>\ndelivery", "billing? no."],
    ["<THINK>billing? no.</THINK>\ndelivery", "billing? no."],
    ["<think>billing? no.</think>\n<answer>delivery</answer>", "billing? no."],
    ["[THINK]billing? no.[/THINK]delivery", "billing? no."],
    ["◁think▷billing? no.◁/think▷delivery", "billing? no."],
    ["billing? no.\n</think>\n\ndelivery", "billing? no."],
    ["billing? no.</think>delivery", "billing? no."],
    ["Sure. <think>\nbilling?\nno.\n</think>\ndelivery", "billing?\nno."],
    ["<think>one</think>\n<think>two</think>\ndelivery", "one\n\ntwo"],
    ["<think>I write <think> here</think>\ndelivery", "I write <think> here"],
    [
      "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>delivery<|return|>",
      "<|channel|>analysis<|message|>hm<|end|><|start|>assistant",
    ],
    ["analysisThe user wants billing? no.assistantfinaldelivery", "analysisThe user wants billing? no.assistantfinal"],
  ])("%j", (text, thought) => {
    expect(withoutThoughts(text)).toEqual({
      text: expect.stringMatching(/^(Sure\. )?delivery$|^Sure\.\s+delivery$/),
      thought,
    })
  })

  it.each([
    "<think>\nbilling could be right, but",
    "<|channel|>analysis<|message|>billing could",
    "so billing.\n</think>",
  ])("also where nothing follows: %j", (text) => {
    const answer = spoken({ text, inputTokens: 1, outputTokens: 1, finish: "length" })
    expect(answer).toMatchObject({ text: "", thought: expect.stringContaining("billing") })
    expect(silenceOf(answer)).toMatchObject({ kind: "cut off" })
  })

  it("and joins what the server parted already", () => {
    const answer = { text: "<think>two</think>delivery", thought: "one", inputTokens: 1, outputTokens: 1 }
    expect(spoken(answer)).toMatchObject({ text: "delivery", thought: "one\n\ntwo" })
  })
})

describe("a text that speaks of such tags stays whole", () => {
  it.each([
    '{"input": {"text": "what does </think> mean"}, "output": "other"}',
    "Write <think> and </think> around your notes.",
    "I think, therefore I am.",
    "analysis of the invoice",
    "1 < 2 and 3 > 2",
  ])("%j", (text) => expect(withoutThoughts(text)).toEqual({ text }))

  it("after a thought as well", () => {
    const json = '{"text": "what does </think> mean"}'
    expect(withoutThoughts(`<think>hm</think>\n${json}`).text).toBe(json)
  })
})

it("any plain text comes back as it is, and behind any thought as well", () => {
  const plain = fc.string({ unit: fc.constantFrom(...'ab{}[]":,. \n<>/\\') })
  fc.assert(
    fc.property(plain, plain, fc.constantFrom("think", "thinking", "reasoning"), (text, thought, tag) => {
      expect(withoutThoughts(text)).toEqual({ text })
      expect(withoutThoughts(`<${tag}>${thought}</${tag}>\n${text}`).text).toBe(text.trim())
    }),
  )
})

describe("an answer without a text says why", () => {
  it.each([
    [{ refusal: "I'm sorry" }, "refused", "the model refused: I'm sorry"],
    [{ finish: "content_filter" }, "held back by a filter", "the server's rules on content held the answer back"],
    [{ finish: "length", thought: "hm" }, "cut off", "the answer was cut off while the model still thought"],
    [{ finish: "length" }, "cut off", "the answer was cut off before its first word"],
    [{ finish: "stop", thought: "hm" }, "thought only", "the answer is a thought and nothing after it"],
    [{ finish: "stop" }, "empty", "the answer is empty"],
  ])("%j", (answer, kind, reason) => {
    expect(silenceOf({ text: " \n", inputTokens: 1, outputTokens: 1, ...answer })).toEqual({ kind, reason })
  })
})
