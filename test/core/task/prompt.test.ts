import { expect, test } from "vitest"
import { parseYaml } from "../../../src/core/parse.ts"
import { promptVersion, renderExample, renderQuestion } from "../../../src/core/task/prompt.ts"
import { taskSchema } from "../../../src/core/task/task.ts"

const chat = (system = "") => parseYaml(taskSchema, `task: t\nkind: chat\ndescription: d\n${system}`, "t.yaml", "")
const own = { role: "system", content: "Be brief." }
const asked = { role: "user", content: "What is a bolt?" }
const input = { messages: [own, asked] }

test("a conversation's own system message is joined to that of the specification", () => {
  const task = chat("prompt: { system: You answer for the shop. }")
  expect(renderQuestion(task, input)).toEqual([
    { role: "system", content: "You answer for the shop.\n\nBe brief." },
    asked,
  ])
  expect(renderQuestion(task, { messages: [asked] })).toEqual([
    { role: "system", content: "You answer for the shop." },
    asked,
  ])
  expect(renderQuestion(chat(), input)).toEqual([own, asked])
  const same = chat("prompt: { system: Be brief. }")
  expect(renderQuestion(same, input)).toEqual([own, asked])
  const shot = { input, output: { content: "A pin." } }
  expect(renderQuestion(task, input, [shot]).filter(({ role }) => role === "system")).toHaveLength(1)
})

test("only a chat with a system message of its own has another prompt version than before", () => {
  expect(promptVersion(chat())).toBe("prompt_cd5f0cff34cbff9a")
})

test("a turn that only calls tools has an empty text", () => {
  const call = { id: "c1", type: "function", function: { name: "x", arguments: {} } }
  const rendered = renderExample(chat(), { input, output: { content: null, tool_calls: [call] } })
  expect(JSON.stringify(rendered.at(-1))).toBe(
    `{"role":"assistant","content":"","tool_calls":[${JSON.stringify(call)}]}`,
  )
})
