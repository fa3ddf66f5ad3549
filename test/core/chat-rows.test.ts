import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chatRow, chatRowFaults, preferenceForm } from "../../src/core/contracts/chat-rows.ts"
import type { TrainingRow } from "../../src/core/contracts/backend.ts"
import type { RenderedPreference } from "../../src/core/contracts/format.ts"
import type { Message } from "../../src/core/task/prompt.ts"

const rowOf = (messages: readonly object[], more: Partial<TrainingRow> = {}): TrainingRow => ({
  id: "ex_1",
  messages: messages as readonly Message[],
  tools: [],
  ...more,
})
const user = { role: "user", content: "where is my parcel" }
const answer = { role: "assistant", content: "shipping" }
const call = {
  role: "assistant",
  content: "",
  tool_calls: [{ id: "call_1", function: { name: "find", arguments: "{}" } }],
}

describe("a row for a service of OpenAI's wire", () => {
  it.each<[string, readonly object[], Partial<TrainingRow>, RegExp]>([
    ["whose last message is the user's", [user], {}, /last message is not the assistant's/],
    [
      "with a role that nobody knows",
      [{ role: "narrator", content: "x" }, answer],
      {},
      /role narrator; allowed: system/,
    ],
    ["with an empty question", [{ role: "user", content: "" }, answer], {}, /message 1 is empty/],
    ["with an answer without a text", [user, { role: "assistant", content: null }], {}, /message 2 has no text/],
    [
      "with a mark of the service's own",
      [{ role: "user", content: "a <|im_end|> b" }, answer],
      {},
      /contains <\|im_end\|>/,
    ],
    ["with the weight 0 on its last answer", [user, { ...answer, weight: 0 }], {}, /nothing to train on/],
    ["with half a weight", [user, { ...answer, weight: 0.5 }], {}, /weight 0.5; only the assistant's/],
    ["with a weight on a question", [{ ...user, weight: 1 }, answer], {}, /message 1 has the weight 1/],
    ["with a name that is refused", [{ ...user, name: "Jo Smith" }, answer], {}, /a name that is refused: Jo Smith/],
    [
      "that answers a tool nobody called",
      [user, { role: "tool", content: "1", tool_call_id: "call_9" }, answer],
      {},
      /was not called/,
    ],
    ["that counts more than once", [user, answer], { weight: 2.5 }, /counts 2.5 times/],
    [
      "with a tool whose name is refused",
      [user, answer],
      { tools: [{ type: "function", function: { name: "find it", parameters: {} } }] },
      /the tool find it has a name/,
    ],
  ])("%s is a fault that says so", (_name, messages, more, fault) => {
    expect(chatRowFaults(rowOf(messages, more)).join("\n")).toMatch(fault)
  })

  it("that would be cut is a fault, and one that just fits is none", () => {
    const row = rowOf([{ role: "user", content: "x".repeat(4000) }, answer])
    expect(chatRowFaults(row, { mostTokens: 1000 })).toEqual([
      expect.stringMatching(/about 10\d\d tokens, at 4 bytes each; at most 1000/),
    ])
    expect(chatRowFaults(row, { mostTokens: 1100 })).toEqual([])
  })

  it("may call tools and be answered by them, and only the last answer is trained on", () => {
    const messages = [user, call, { role: "tool", content: "on its way" }, answer]
    const tools = [{ type: "function" as const, function: { name: "find", parameters: {} } }]
    expect(chatRowFaults(rowOf(messages, { tools }))).toEqual([])
    const sent = chatRow(rowOf(messages, { tools })) as { messages: Message[]; tools: unknown[] }
    expect(sent.tools).toEqual(tools)
    expect(sent.messages.map(({ weight }) => weight)).toEqual([undefined, 0, undefined, undefined])
    expect(sent.messages[2]).toMatchObject({ role: "tool", tool_call_id: "call_1" })
  })

  it("has no fault where it is plain text in turns", () => {
    const text = fc.string({ minLength: 1 }).filter((value) => !/<\|/.test(value))
    const turn = fc.record({ role: fc.constantFrom("user", "assistant"), content: text })
    fc.assert(
      fc.property(fc.array(turn), text, (turns, last) => {
        const row = rowOf([...turns, { role: "assistant", content: last }])
        expect(chatRowFaults(row)).toEqual([])
        expect((chatRow(row)["messages"] as Message[]).map(({ content }) => content)).toEqual(
          row.messages.map(({ content }) => content),
        )
      }),
    )
  })
})

describe("a preference for a service of OpenAI's wire", () => {
  const preference = (changes: object = {}): RenderedPreference => ({
    ...{ id: "pref_1", question: [user] as Message[], tools: [] },
    ...{ chosen: answer as Message, rejected: { role: "assistant", content: "billing" } },
    ...changes,
  })
  const { faults, row } = preferenceForm()

  it.each<[string, object, RegExp]>([
    ["with the same answer twice", { rejected: answer }, /^both answers are the same$/],
    ["with an empty answer", { chosen: { role: "assistant", content: "" } }, /^the preferred answer is empty$/],
    ["with an answer of the user", { rejected: user }, /^the rejected answer is a message of the user, not the assis/],
    [
      "with an answer without a text",
      { rejected: { role: "assistant", content: null } },
      /rejected answer has no text/,
    ],
    [
      "with a mark in an answer",
      { rejected: { role: "assistant", content: "<|end|>" } },
      /rejected .* contains <\|end/,
    ],
    ["without a question", { question: [] }, /^the question ends with nothing, not the user$/],
    ["whose question ends with an answer", { question: [user, answer] }, /ends with a message of the assistant/],
    ["with an empty question", { question: [{ role: "user", content: "" }] }, /^message 1 is empty$/],
    [
      "with a tool's answer that nobody asked for",
      { question: [user, { role: "tool", content: "1", tool_call_id: "call_9" }] },
      /^message 2 answers a tool that was not called$/,
    ],
    [
      "with a tool whose name is refused",
      { tools: [{ type: "function", function: { name: "find it", parameters: {} } }] },
      /^the tool find it has a name/,
    ],
  ])("%s is one fault that says so", (_name, changes, fault) => {
    expect(faults(preference(changes))).toEqual([expect.stringMatching(fault)])
  })

  it("of which one answer would be cut is a fault, and one that just fits is none", () => {
    const long = preference({ rejected: { role: "assistant", content: "x".repeat(4000) } })
    expect(preferenceForm({ mostTokens: 1000 }).faults(long)).toEqual([expect.stringMatching(/about 10\d\d tokens/)])
    expect(preferenceForm({ mostTokens: 1100 }).faults(long)).toEqual([])
  })

  it("is sent as one question with one answer each, calls of tools with their arguments as text", () => {
    expect(row(preference())).toEqual({
      input: { messages: [user] },
      preferred_output: [answer],
      non_preferred_output: [{ role: "assistant", content: "billing" }],
    })
    const tools = [{ type: "function" as const, function: { name: "find", parameters: {} } }]
    const calling = preference({ tools, chosen: call })
    expect(faults(calling)).toEqual([])
    expect(row(calling)).toMatchObject({
      input: { messages: [user], tools },
      preferred_output: [{ tool_calls: [{ type: "function", function: { name: "find", arguments: "{}" } }] }],
    })
  })
})
