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

test("an optional field that a row lacks says nothing", () => {
  const fields = "input:\n  instruction: {}\n  input: { required: false }\n"
  const text = (more = "") =>
    parseYaml(taskSchema, `task: t\nkind: text\ndescription: d\n${fields}${more}`, "t.yaml", "")
  const said = (task: ReturnType<typeof text>, row: Record<string, string>) => renderQuestion(task, row)[0]?.content
  expect(said(text(), { instruction: "Name a colour" })).toBe("instruction: Name a colour")
  expect(said(text(), { instruction: "Add", input: "1 2" })).toBe("instruction: Add\ninput: 1 2")
  expect(said(text(), { instruction: "Add", input: "" })).toBe("instruction: Add\ninput: ")
  const own = text('prompt: { user: "{instruction}\\n\\n{input}" }\n')
  expect(said(own, { instruction: "Name a {colour}" })).toBe("Name a {colour}")
  expect(said(own, { instruction: "Add", input: "{instruction}" })).toBe("Add\n\n{instruction}")
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
