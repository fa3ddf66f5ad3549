import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { formatOutput, inputIssues, outputIssues, parseOutput, sameOutput } from "../../../src/core/task/output.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"

const text = { task: "t", description: "x", input: { text: {} } }
const taskOf = (more: Record<string, unknown>): TaskSpecification => taskSchema.parse({ ...text, ...more })
const labelsOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, "meaning"]))
/** Label names as people write them: any letters and signs, on one line. */
const names = fc.uniqueArray(
  fc
    .string({ minLength: 1, maxLength: 12, unit: "grapheme" })
    .filter((name) => /^\S(.*\S)?$/.test(name) && name === name.normalize("NFC") && name !== "__proto__"),
  { minLength: 2, maxLength: 6 },
)
const jsonTask = taskOf({ kind: "json", output: { schema: { type: ["object", "array", "string"] } } })
const textTask = taskOf({ kind: "text" })
const tools = [
  {
    name: "find",
    parameters: {
      type: "object",
      required: ["order"],
      additionalProperties: false,
      properties: { order: { type: "string" } },
    },
  },
  { name: "ping" },
]
const chatTask = taskSchema.parse({ task: "c", kind: "chat", description: "x", output: { tools } })
const call = (name: string, args: unknown) => ({
  content: "",
  tool_calls: [{ id: "1", type: "function", function: { name, arguments: args } }],
})

describe("an output written to a cell is read back the same", () => {
  it("for every label, whatever its signs", () => {
    fc.assert(
      fc.property(names, (given) => {
        const task = taskOf({ kind: "label", output: { labels: labelsOf(given) } })
        for (const label of given) expect(parseOutput(task, formatOutput(task, label))).toBe(label)
      }),
    )
  })

  it("for every set of labels", () => {
    const lists = names.map((given) => given.filter((name) => !name.includes(","))).filter((given) => given.length >= 2)
    fc.assert(
      fc.property(
        lists.chain((given) => fc.tuple(fc.constant(given), fc.subarray(given))),
        ([given, chosen]) => {
          const task = taskOf({ kind: "multilabel", output: { labels: labelsOf(given) } })
          const read = parseOutput(task, formatOutput(task, chosen))
          expect(read).toBeDefined()
          expect(sameOutput(task, read, chosen)).toBe(true)
        },
      ),
    )
  })

  it("for every JSON value that the schema takes", () => {
    const values = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), fc.string())
    fc.assert(
      fc.property(values, (value) => {
        const read = parseOutput(jsonTask, formatOutput(jsonTask, value))
        expect(read).toBeDefined()
        expect(sameOutput(jsonTask, read, value)).toBe(true)
      }),
    )
  })

  it("for every text, but for white space", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: "grapheme" }).filter((value) => value.trim() !== ""),
        (value) => {
          expect(sameOutput(textTask, parseOutput(textTask, formatOutput(textTask, value)), value)).toBe(true)
        },
      ),
    )
  })

  it("for every turn, also one that looks like JSON, and for calls of tools", () => {
    const contents = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.json(),
      fc.constantFrom("42", "null", "{", "```\n{}\n```", '{"content":"x"}', '"hi"'),
    )
    const turns = contents.map((content) => content.trim()).filter((content) => content !== "")
    fc.assert(
      fc.property(turns, (content) => {
        expect(sameOutput(chatTask, parseOutput(chatTask, formatOutput(chatTask, { content })), { content })).toBe(true)
      }),
    )
    expect(parseOutput(chatTask, formatOutput(chatTask, call("find", '{"order":"7"}')))).toEqual(
      call("find", '{"order":"7"}'),
    )
  })

  it("as the call that it is, however a server writes it", () => {
    const said = { tool_calls: [{ type: "function", function: { name: "find", arguments: '{ "order": "7" }' } }] }
    const gold = {
      content: null,
      weight: 1,
      tool_calls: [{ id: "c1", function: { name: "find", arguments: { order: "7" } } }],
    }
    expect(sameOutput(chatTask, gold, said)).toBe(true)
    expect(sameOutput(chatTask, call("ping", ""), { tool_calls: [{ function: { name: "ping" } }] })).toBe(false)
    expect(sameOutput(chatTask, call("ping", "{}"), { tool_calls: [{ function: { name: "ping" } }] })).toBe(true)
    expect(sameOutput(chatTask, gold, call("find", '{"order":"8"}'))).toBe(false)
    expect(sameOutput(chatTask, gold, { ...said, content: "Let me see." })).toBe(false)
    expect(sameOutput(chatTask, { content: "Yes" }, { content: "yes" })).toBe(false)
  })
})

describe("a model's answer", () => {
  const task = taskOf({ kind: "label", output: { labels: labelsOf(["glad", "sad", "Sad", "n.a."]) } })
  it.each([
    ["glad", "glad"],
    [" Glad.\n", "glad"],
    ['"glad"', "glad"],
    ["**glad**", "glad"],
    ["Sad", "Sad"],
    ["sad.", "sad"],
    ["N.A.", "n.a."],
  ])("%j is the label %s", (answer, label) => {
    expect(parseOutput(task, answer)).toBe(label)
  })

  it.each(["", "glad or sad", "gladly", "toString", "."])("%j is no label", (answer) => {
    expect(parseOutput(task, answer)).toBeUndefined()
  })

  it("may be a list of labels in brackets and in any order, repeated or not, but not too few", () => {
    const several = taskOf({ kind: "multilabel", output: { labels: labelsOf(["a", "b", "c"]), minimum: 2 } })
    expect(parseOutput(several, '["b", "A", "b"]')).toEqual(["a", "b"])
    expect(parseOutput(several, "a, d")).toBeUndefined()
    expect(parseOutput(several, "a")).toBeUndefined()
    expect(parseOutput(several, "")).toBeUndefined()
  })

  it("may be JSON in a code fence, not JSON with words around it", () => {
    const json = taskOf({ kind: "json", output: { schema: { type: "object" } } })
    expect(parseOutput(json, '```json\n{"a": 1}\n```')).toEqual({ a: 1 })
    expect(parseOutput(json, 'Here: {"a": 1}')).toBeUndefined()
    expect(parseOutput(json, "[1]")).toBeUndefined()
  })
})

describe("what is wrong with an output", () => {
  it("of JSON is named with its path and the values allowed", () => {
    const schema = {
      type: "object",
      additionalProperties: false,
      required: ["unit"],
      properties: { unit: { enum: ["bag", "box"] }, day: { type: "string", format: "date" } },
    }
    const task = taskOf({ kind: "json", output: { schema } })
    expect(outputIssues(task, { unit: "bag", day: "2026-02-28" })).toEqual([])
    expect(outputIssues(task, { unit: "bga" })).toMatchObject([
      { path: "output.unit", message: expect.stringContaining("bag, box") },
    ])
    expect(outputIssues(task, {})).toMatchObject([{ message: expect.stringContaining("unit") }])
    expect(outputIssues(task, { unit: "bag", colour: 1 })).toMatchObject([
      { message: expect.stringContaining("colour") },
    ])
    expect(outputIssues(task, { unit: "bag", day: "2026-02-30" })).toHaveLength(1)
  })

  it("of several labels is each unknown one, a repeated one, or that they are too few", () => {
    const task = taskOf({ kind: "multilabel", output: { labels: labelsOf(["glad", "sad"]), minimum: 1 } })
    expect(outputIssues(task, ["sad", "glad"])).toEqual([])
    expect(outputIssues(task, ["sda", "mad", "glad"])).toHaveLength(2)
    for (const wrong of [["sad", "sad"], [], "sad", [null]]) expect(outputIssues(task, wrong)).toHaveLength(1)
  })

  it.each([
    ["no turn", "hello", "expected a turn"],
    ["an empty turn", { content: " " }, "empty"],
    ["an empty list of calls", { content: "", tool_calls: [] }, "list of calls"],
    ["a call of nothing", { tool_calls: [{}] }, "allowed: find, ping"],
    ["an unknown tool", call("fnid", {}), '"fnid"'],
    ["arguments that are no JSON", call("find", "{order"), "not valid JSON"],
    ["a missing argument", call("find", "{}"), "order"],
    ["an argument too many", call("find", '{"order":"7","x":1}'), "additional"],
    ["an argument of the wrong type", call("find", { order: 7 }), "string"],
  ])("of a chat task: %s", (_name, output, part) => {
    const issues = outputIssues(chatTask, output)
    expect(issues).toHaveLength(1)
    expect(`${issues[0]?.path} ${issues[0]?.message}`).toContain(part)
  })
})

describe("what is wrong with an input", () => {
  const task = taskOf({
    kind: "text",
    input: {
      body: { maxLength: 5 },
      pieces: { type: "number", required: false },
      rush: { type: "boolean", required: false },
    },
  })
  it.each([
    [{ body: "hi", pieces: 0, rush: false }, []],
    [{ body: "hi" }, []],
    [{ body: "" }, ["input.body: missing"]],
    [{ body: "  " }, ["input.body: only white space"]],
    [{ body: "too long" }, ["input.body: 8 characters"]],
    [{ body: 7 }, ["input.body: expected a string, got 7"]],
    [{ body: "hi", pieces: "3", rush: "no" }, ["input.pieces: expected a number", "input.rush: expected a boolean"]],
    [
      { boddy: "hi" },
      ["input.body: missing", 'input.boddy: unknown field; allowed: body, pieces, rush; did you mean "body"?'],
    ],
    [["hi"], ["input: expected an object"]],
    [null, ["input: expected an object"]],
  ])("%j", (input, expected) => {
    const issues = inputIssues(task, input).map(({ path, message }) => `${path}: ${message}`)
    expect(issues).toHaveLength(expected.length)
    for (const part of expected) expect(issues.join("\n")).toContain(part)
  })

  it.each([
    [{ messages: [{ role: "user", content: "hi" }] }, 0],
    [
      {
        messages: [
          { role: "system", content: "x" },
          { role: "user", content: "hi" },
          call("find", {}),
          { role: "tool", content: "none" },
        ],
      },
      1,
    ],
    [
      {
        messages: [
          { role: "user", content: "hi" },
          { role: "assistant", ...call("ping", {}) },
          { role: "tool", content: "none" },
        ],
      },
      0,
    ],
    [{ messages: [] }, 1],
    [{}, 1],
    [{ messages: "hi" }, 1],
    [{ messages: ["hi"] }, 1],
    [{ messages: [{ role: "robot", content: "hi" }] }, 1],
    [{ messages: [{ role: "user" }] }, 1],
    [
      {
        messages: [
          { role: "user", content: "hi" },
          { role: "assistant", content: "yes" },
        ],
      },
      1,
    ],
  ])("of a chat task: %j has %i problems", (input, count) => {
    expect(inputIssues(chatTask, input)).toHaveLength(count)
  })
})
