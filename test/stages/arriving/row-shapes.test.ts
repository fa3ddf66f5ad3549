import { describe, expect, it } from "vitest"
import { parseYaml } from "../../../src/core/parse.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { FileColumns, type Kind } from "../../../src/stages/arriving/file-columns.ts"
import { parseRow } from "../../../src/stages/arriving/imported-row.ts"

const taskOf = (text: string): TaskSpecification =>
  parseYaml(taskSchema, `task: t\ndescription: d\n${text}`, "t.yaml", "")
const chat = taskOf("kind: chat\n")
const withTool = taskOf(
  "kind: chat\noutput: { tools: [{ name: search, parameters: { type: object, required: [q] } }] }\n",
)
const answer = taskOf("kind: text\ninput: { text: {} }\n")
const follow = taskOf("kind: text\ninput: { instruction: {}, input: { required: false } }\n")
const label = taskOf(
  'kind: label\ninput: { text: {} }\noutput: { labels: { "0": a, "1": b, billing: c, "true": d } }\n',
)
const topics = taskOf('kind: multilabel\ninput: { text: {} }\noutput: { labels: { "0": a, "1": b, Sport: c } }\n')
const order = taskOf(`kind: json
input: { body: {} }
output:
  schema:
    type: object
    required: [date, amount]
    properties:
      date: { type: string }
      amount: { type: number }
      tags: { type: array, items: { type: string } }
      buyer: { type: object, properties: { name: { type: string } } }
`)

interface Reading {
  readonly kind?: Kind
  readonly format?: "jsonl" | "csv"
  readonly renamed?: Record<string, string>
  readonly values?: Record<string, string>
}

function read(
  task: TaskSpecification,
  fields: object,
  { kind = "seed", format = "jsonl", renamed = {}, values = {} }: Reading = {},
) {
  const columns = new FileColumns(task, format, { kind, file: "a", renamed: new Map(Object.entries(renamed)) })
  const row = { line: 1, fields: { ...fields }, values }
  const parsed = parseRow(task, row, columns.of(row), kind)
  columns.requireAll()
  return "issues" in parsed ? parsed.issues.map(({ path, message }) => `${path}: ${message}`).join("; ") : parsed.row
}

const user = (content: unknown) => ({ role: "user", content })
const assistant = (content: unknown, more: object = {}) => ({ role: "assistant", content, ...more })

describe("a conversation is a row of a chat task", () => {
  it.each([
    [
      "ShareGPT's",
      {
        conversations: [
          { from: "human", value: "Hi" },
          { from: "gpt", value: "Hello" },
        ],
      },
      {},
    ],
    ["under another name", { dialog: [user("Hi"), assistant("Hello")] }, { renamed: { messages: "dialog" } }],
    [
      "in parts of text",
      { messages: [user([{ type: "text", text: "Hi" }]), assistant([{ type: "text", text: "Hello" }])] },
      {},
    ],
    ["as prompt and completion", { prompt: "Hi", completion: "Hello" }, {}],
    ["in columns of text", { messages: JSON.stringify([user("Hi")]), output: "Hello" }, { format: "csv" as const }],
  ])("%s", (_name, fields, reading) => {
    expect(read(chat, fields, reading)).toMatchObject({
      input: { messages: [user("Hi")] },
      output: { content: "Hello" },
    })
  })

  it("with ShareGPT's system, calls and results", () => {
    const conversations = [
      { from: "human", value: "Find it" },
      { from: "function_call", value: '{"name":"search","arguments":{"q":"it"}}' },
      { from: "observation", value: "[]" },
      { from: "gpt", value: "Nothing there." },
    ]
    const row = read(withTool, { conversations, system: "Be brief." }) as unknown as { input: { messages: object[] } }
    expect(row.input.messages).toMatchObject([
      { role: "system", content: "Be brief." },
      user("Find it"),
      { role: "assistant", tool_calls: [{ function: { name: "search" } }] },
      { role: "tool", content: "[]" },
    ])
  })

  it("without an answer as a real input, and not with one", () => {
    expect(read(chat, { messages: [user("Hi")] }, { kind: "input" })).toMatchObject({
      input: { messages: [user("Hi")] },
    })
    expect(read(answer, { messages: [user("Hi")] }, { kind: "input" })).toMatchObject({ input: { text: "Hi" } })
    expect(read(chat, { messages: [user("Hi"), assistant("Hello")] }, { kind: "input" })).toContain("seed import")
    expect(read(chat, { messages: [user("Hi")] })).toContain("the last turn is the user's")
  })

  it("up to the last answer whose weight is not 0, with names and weights as they came", () => {
    const turns = [
      user("a"),
      assistant("b", { weight: 0 }),
      { ...user("c"), name: "amara" },
      assistant("d", { weight: 1 }),
    ]
    const messages = [...turns, user("e"), assistant("f", { weight: 0 })]
    expect(read(chat, { messages })).toMatchObject({
      input: { messages: turns.slice(0, 3) },
      output: { content: "d", weight: 1 },
    })
    expect(read(chat, { messages: [user("a"), assistant("b", { weight: 0 })] })).toContain("nothing to learn")
    expect(read(chat, { input: { messages: [user("a")] }, output: assistant("b", { weight: 0 }) })).toContain(
      "output.weight: 0",
    )
  })
})

describe("the tools of a row", () => {
  const tool = { type: "function", function: { name: "price", parameters: { type: "object", required: ["symbol"] } } }
  const calls = (name: string, given: object) =>
    assistant(null, { tool_calls: [{ type: "function", function: { name, arguments: JSON.stringify(given) } }] })
  const { function: plain } = tool
  const tools = [tool]

  it.each([
    ["a list", { messages: [user("ABC?"), calls("price", { symbol: "ABC" })], tools }],
    ["a text", { messages: [user("ABC?"), calls("price", { symbol: "ABC" })], tools: JSON.stringify(tools) }],
    [
      "with parameters as a text",
      {
        messages: [user("ABC?"), calls("price", { symbol: "ABC" })],
        tools: [{ ...tool, function: { ...plain, parameters: JSON.stringify(plain.parameters) } }],
      },
    ],
    [
      "inside the input",
      { input: { messages: [user("ABC?")], tools: JSON.stringify(tools) }, output: calls("price", { symbol: "ABC" }) },
    ],
    [
      "in a column",
      { messages: [user("ABC?")], tools: JSON.stringify(tools), output: calls("price", { symbol: "ABC" }) },
    ],
  ])("as %s are a list, and calls are checked by them", (_name, fields) => {
    expect(read(chat, fields)).toMatchObject({ input: { tools } })
  })

  it("decide instead of the specification's", () => {
    const messages = [user("ABC?"), calls("prise", { symbol: "ABC" })]
    expect(read(withTool, { messages, tools })).toContain('allowed: price; did you mean "price"?')
    expect(read(withTool, { messages: [user("?"), calls("search", { q: "x" })] })).toMatchObject({ input: {} })
    expect(read(withTool, { messages: [user("?"), calls("search", {})] })).toContain("arguments: must have required")
    expect(read(chat, { messages, tools: [] })).toContain("the row's list of tools is empty")
  })

  it.each([
    ["no JSON", "not json", "input.tools: expected a list"],
    ["an object", { name: "x" }, "input.tools: expected a list"],
    ["without a name", [{ description: "x" }], "input.tools[0]: expected a tool"],
    ["with parameters that are no schema", [{ name: "x", parameters: { type: "strin" } }], "not a valid JSON Schema"],
  ])("that are %s are an error", (_name, given, message) => {
    expect(read(chat, { messages: [user("?"), assistant("ok")], tools: given })).toContain(message)
  })
})

describe("a flat row", () => {
  it.each([
    ["in JSON", "jsonl" as const],
    ["in a table", "csv" as const],
  ])("may have a column input %s", (_name, format) => {
    const fields = { instruction: "Name the capital.", input: "Portugal", output: "Lisbon" }
    const row = { input: { instruction: "Name the capital.", input: "Portugal" }, output: "Lisbon" }
    expect(read(follow, fields, { format })).toMatchObject(row)
    const { output, ...input } = row.input as Record<string, unknown>
    expect(output).toBeUndefined()
    expect(read(follow, { ...fields, input: "" }, { format })).toMatchObject({
      input: { instruction: input["instruction"] },
    })
    expect(read(answer, { text: "Hi", input: "x", output: "y" }, { format })).toMatchObject({ input: { text: "Hi" } })
    expect(read(answer, { input: "Hi", output: "y" }, { format, renamed: { text: "input" } })).toMatchObject({
      input: { text: "Hi" },
    })
  })

  it("has numbers and texts as the fields want them", () => {
    expect(read(answer, { text: 12345, answer: 42 })).toMatchObject({ input: { text: "12345" }, output: "42" })
    expect(read(answer, { input: { text: 12345 }, output: true })).toMatchObject({
      input: { text: "12345" },
      output: "true",
    })
    expect(read(answer, { input: 12345, output: 4.5 })).toMatchObject({ input: { text: "12345" }, output: "4.5" })
    const scored = taskOf("kind: text\ninput: { n: { type: number }, b: { type: boolean } }\n")
    expect(read(scored, { input: { n: "3.5", b: "TRUE" }, output: "x" })).toMatchObject({ input: { n: 3.5, b: true } })
    expect(read(scored, { n: "NaN", b: true, output: "x" })).toContain('input.n: expected a number, got "NaN"')
  })

  it("may have the output's leaves as columns: by their paths, as the review sheet has them, or as named", () => {
    const wanted = { output: { date: "00012", amount: 12.5 } }
    const columns = { body: "b", date: "00012", amount: "12.50" }
    expect(read(order, columns, { format: "csv" })).toMatchObject(wanted)
    expect(read(order, { body: "b", date: "00012", amount: 12.5 })).toMatchObject(wanted)
    expect(
      read(order, { body: "b", "output.date": "00012", "output.amount": "12.5" }, { format: "csv" }),
    ).toMatchObject(wanted)
    const sheet = {
      "input.body": "b",
      "proposed.date": "00012",
      "corrected.date": "",
      "proposed.amount": "1",
      "corrected.amount": "12.5",
    }
    expect(read(order, sheet, { format: "csv" })).toMatchObject(wanted)
    const named = { "output.date": "When", "output.amount": "Sum" }
    expect(read(order, { body: "b", When: "00012", Sum: "12.5" }, { format: "csv", renamed: named })).toMatchObject(
      wanted,
    )
    const nested = { ...columns, tags: '["a","b"]', "buyer.name": "Jo" }
    expect(read(order, nested, { format: "csv" })).toMatchObject({
      output: { tags: ["a", "b"], buyer: { name: "Jo" } },
    })
    expect(read(order, { ...columns, amount: "a lot" }, { format: "csv" })).toContain("output.amount: got")
    expect(read(order, { ...columns, amount: "" }, { format: "csv" })).toContain("must have required property 'amount'")
  })

  it("of a workbook has a number where one is wanted, and what is shown elsewhere", () => {
    const scored = taskOf("kind: text\ninput: { n: { type: number }, t: {} }\n")
    const values = { n: "0.5", t: "12", amount: "0.5", date: "2026-11-30" }
    expect(read(scored, { n: "50%", t: "00012", output: "x" }, { format: "csv", values })).toMatchObject({
      input: { n: 0.5, t: "00012" },
    })
    expect(read(order, { body: "b", date: "30.11.2026", amount: "50 %" }, { format: "csv", values })).toMatchObject({
      output: { date: "30.11.2026", amount: 0.5 },
    })
  })

  it("of a review sheet with decisions is sent to the import of reviews", () => {
    const sheet = { id: "cand_1", decision: "accept", "input.body": "b", "proposed.date": "x", revision: "r1" }
    expect(() => read(order, sheet, { format: "csv" })).toThrow("is a review sheet")
  })
})

describe("a label is matched by its text in every form of a row", () => {
  it.each([
    [1, "1"],
    ["1.0", "1"],
    [true, "true"],
    [["billing"], "billing"],
    [[0], "0"],
    ["Billing ", "billing"],
  ])("%j is %s", (given, wanted) => {
    expect(read(label, { text: "a", label: given })).toMatchObject({ output: wanted })
    expect(read(label, { input: { text: "a" }, output: given })).toMatchObject({ output: wanted })
    expect(read(label, { messages: [user("a"), assistant(given)] })).toMatchObject({ output: wanted })
  })

  it.each([
    [
      [0, 1],
      ["0", "1"],
    ],
    [1, ["1"]],
    [
      ["sport", "1"],
      ["Sport", "1"],
    ],
    ["sport, 1", ["1", "Sport"]],
    ["sport#1", ["1", "Sport"]],
    ["sport;1", ["1", "Sport"]],
    ["sport|1", ["1", "Sport"]],
    ["sport / 1", ["1", "Sport"]],
    ["sport\n1", ["1", "Sport"]],
    ["['sport' '1']", ["1", "Sport"]],
    ["['sport', '1']", ["1", "Sport"]],
    ['{"choices":["sport","1"]}', ["Sport", "1"]],
  ])("%j are the labels %j", (given, wanted) => {
    expect(read(topics, { text: "a", labels: given })).toMatchObject({ output: wanted })
    expect(read(topics, { input: { text: "a" }, output: given })).toMatchObject({ output: wanted })
  })

  it("a text whose parts are not all labels, or that says more, is an error", () => {
    for (const given of ["sport;other", "sport;1|0", "not 'sport' but '1'"])
      expect(read(topics, { text: "a", labels: given })).toContain("in a text parted by commas")
  })

  it("a label that is none, or a list of two, is an error with the value", () => {
    expect(read(label, { text: "a", label: 7 })).toContain('got "7"; allowed')
    expect(read(label, { text: "a", label: ["billing", "1"] })).toContain('got ["billing","1"]')
  })
})

it("several turns for a task without turns are called that", () => {
  const messages = [user("hi"), assistant("hello"), user("What?"), assistant("42")]
  expect(read(answer, { messages })).toContain("3 turns stand before the answer")
  expect(read(follow, { messages: [user("hi"), assistant("hello")] })).toContain("has the fields instruction, input")
  const call = { tool_calls: [{ function: { name: "x", arguments: {} } }] }
  expect(read(answer, { messages: [user("hi"), assistant(null, call)] })).toContain("uses tools")
})
