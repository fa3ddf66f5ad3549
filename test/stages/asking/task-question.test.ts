import fc from "fast-check"
import { expect, it } from "vitest"
import { digest } from "../../../src/core/canonical.ts"
import { worstCaseTokens } from "../../../src/core/asking/prices.ts"
import { parseYaml } from "../../../src/core/parse.ts"
import { renderQuestion } from "../../../src/core/task/prompt.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { taskQuestion, taskRequest } from "../../../src/stages/asking/task-question.ts"
import { chatFault } from "../../backends/openai/chat.ts"

const taskOf = (text: string) => parseYaml(taskSchema, `task: t\ndescription: d\n${text}`, "t.yaml", "")
const label = taskOf("kind: label\ninput: { body: { description: b } }\noutput: { labels: { a: a, b: b } }\n")
const plain = taskOf("kind: chat\n")
const withTool = taskOf("kind: chat\noutput: { tools: [{ name: find }] }\n")

const asked = { baseUrl: "http://127.0.0.1:9/v1", model: "m", maxTokens: 16, seed: 3 }
const user = { role: "user", content: "Where is it?" }
const call = { type: "function", function: { name: "find", arguments: { order: 7 } } }

it("a question without tools is the request that it was, and no answer to it is paid for again", () => {
  expect(taskRequest(label, { body: "x" }, asked).key).toBe(
    "sha256:c2f40869766166aacf67de4353a4cad8d3ed1a6df7aebbc194f122a4ad5aebd9",
  )
  const turns = [user, { role: "assistant", content: "There." }, user]
  const request = {
    ...{ provider: "openai", baseUrl: asked.baseUrl, model: "m", messages: turns },
    ...{ temperature: 0, maxTokens: 16, seed: 3 },
  }
  expect(taskRequest(plain, { messages: turns }, asked)).toEqual({ key: digest(request), request })
})

it("a row's own tools come before those of the specification, and their text is in the most that it can cost", () => {
  const own = { function: { name: "refund", parameters: { type: "object" } } }
  const { request } = taskRequest(withTool, { messages: [user], tools: [own] }, asked)
  expect(request.tools).toEqual([{ ...own, type: "function" }])
  expect(taskQuestion(withTool, { messages: [user], tools: [] })).not.toHaveProperty("tools")
  const { request: usual } = taskRequest(withTool, { messages: [user] }, asked)
  expect(usual.tools).toEqual([{ type: "function", function: { name: "find", parameters: {} } }])
  const { tools = [], ...toolless } = usual
  const more = worstCaseTokens(usual).inputTokens - worstCaseTokens(toolless).inputTokens
  expect(more).toBeGreaterThan(JSON.stringify(tools, null, 4).length)
})

it("turns are as a service of that wire takes them, and weights, which it knows of no question, are gone", () => {
  const messages = [
    user,
    { role: "assistant", content: "Let me see.", weight: 0, tool_calls: [call] },
    { role: "tool", content: "in Leeds" },
    user,
  ]
  expect(taskQuestion(withTool, { messages }).messages).toEqual([
    user,
    {
      ...{ role: "assistant", content: "Let me see." },
      tool_calls: [{ id: "call_1", type: "function", function: { name: "find", arguments: '{"order":7}' } }],
    },
    { role: "tool", content: "in Leeds", tool_call_id: "call_1" },
    user,
  ])
})

it("no worked example leaves a call open, whatever it calls, so that no server refuses the question", () => {
  const calls = (ids: readonly (string | undefined)[]) =>
    ids.map((id) => ({ ...call, ...(id === undefined ? {} : { id }) }))
  const someCalls = fc.array(fc.option(fc.uuid(), { nil: undefined }), { minLength: 1, maxLength: 3 })
  const turns = fc.tuple(someCalls, someCalls).map(([before, last]) => ({
    input: {
      messages: [
        user,
        { role: "assistant", content: "", tool_calls: calls(before) },
        ...before.map((id) => ({ role: "tool", content: "there", ...(id === undefined ? {} : { tool_call_id: id }) })),
        user,
      ],
    },
    output: { tool_calls: calls(last) },
  }))
  fc.assert(
    fc.property(fc.array(turns, { maxLength: 4 }), turns, (shots, { input }) => {
      const { messages, tools } = taskQuestion(withTool, input, renderQuestion(withTool, input, shots))
      expect(chatFault({ model: "m", messages: messages as never, ...(tools === undefined ? {} : { tools }) })).toBe(
        undefined,
      )
      expect(messages.at(-1)).toEqual(user)
    }),
  )
})
