import fc from "fast-check"
import { parquetMetadata, parquetReadObjects } from "hyparquet"
import { describe, expect, it } from "vitest"
import { load, names } from "../../src/cli/plugins.ts"
import type { DatasetFormat, RenderedPreference, RenderedRow } from "../../src/core/contracts/format.ts"
import { toolsOf, withToolCalls } from "../../src/core/contracts/format.ts"
import type { Example } from "../../src/core/rows/example.ts"
import { type Message, renderExample, renderQuestion } from "../../src/core/task/prompt.ts"
import { taskSchema, type TaskSpecification } from "../../src/core/task/task.ts"

const awkward = 'line one\nline two\r\n\ttab "quotes" \\back\\ Ünïcödé 日本語 🫖 \u2028 \u0000 end '
const system = `Answer.\n${awkward}`
const task = (more: object) => taskSchema.parse({ task: "t", description: "d", prompt: { system }, ...more })
const field = { input: { body: {} } }
const labels = { labels: { "a b": "one", ß: "two" } }
const example = (input: object, output: unknown): Example => ({
  id: "ex_0000000000000001",
  input: input as Example["input"],
  output,
  provenance: { parents: [], strategy: "gold", acceptedBy: "gold" },
})
const call = { type: "function", function: { name: "look", arguments: { what: "wall – ”☂“\n" } } }
const talk = [
  { role: "user", content: awkward },
  { role: "assistant", content: "And?" },
  { role: "user", content: "second" },
]
const looking = [
  { role: "user", content: awkward },
  { role: "assistant", content: "", tool_calls: [{ id: "c1", ...call }] },
  { role: "tool", tool_call_id: "c1", content: '{"seen": "☂"}' },
]

/** One example for each kind of task; a chat with tools apart, since not every format has a place for them. */
const kinds: Readonly<Record<string, { task: TaskSpecification; example: Example }>> = {
  label: { task: task({ kind: "label", ...field, output: labels }), example: example({ body: awkward }, "ß") },
  multilabel: {
    task: task({ kind: "multilabel", ...field, output: labels }),
    example: example({ body: awkward }, ["a b", "ß"]),
  },
  json: {
    task: task({ kind: "json", ...field, output: { schema: { type: "object" } } }),
    example: example({ body: awkward }, { name: awkward, list: [1, null, true] }),
  },
  text: { task: task({ kind: "text", ...field }), example: example({ body: awkward }, awkward) },
  chat: { task: task({ kind: "chat" }), example: example({ messages: talk }, { content: awkward }) },
}
const withTools = task({
  kind: "chat",
  output: { tools: [{ name: "look", description: "Looks", parameters: { type: "object" } }] },
})
const toolExamples = {
  "an answer that calls a tool": example({ messages: looking }, { tool_calls: [call] }),
  "an answer after a tool": example({ messages: looking }, { content: "An umbrella." }),
}

const rendered = (specification: TaskSpecification, row: Example): RenderedRow => ({
  id: row.id,
  messages: renderExample(specification, row),
  tools: toolsOf(specification, row.input),
})
const preference = (specification: TaskSpecification, row: Example, other: unknown): RenderedPreference => ({
  id: row.id,
  question: renderQuestion(specification, row.input),
  chosen: renderExample(specification, row).at(-1) as Message,
  rejected: renderExample(specification, { ...row, output: other }).at(-1) as Message,
  tools: toolsOf(specification, row.input),
})

/** The row as it comes back from the file's bytes. */
async function throughBytes(
  format: DatasetFormat,
  value: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  if (!format.encode) return JSON.parse(`${JSON.stringify(value)}\n`) as Record<string, unknown>
  const bytes = Buffer.concat([...(await format.encode([value, value]))])
  const [first, second] = await parquetReadObjects({ file: new Uint8Array(bytes).buffer })
  expect(second).toEqual(first)
  return first as Record<string, unknown>
}
const messages = (list: readonly Message[]) => withToolCalls(list, "object")

describe.each(names("formats"))("%s", async (name) => {
  const format = await load<DatasetFormat>("formats", name)

  it("says what it is and who reads it", () => {
    expect(format.summary).not.toBe("")
    expect(format.readBy).not.toBe("")
  })

  if (format.carries === "examples") {
    it.each(Object.entries(kinds))(
      "brings a row of a %s task back as the trainer renders it",
      async (_kind, { task: specification, example: row }) => {
        const given = rendered(specification, row)
        expect(format.problem?.(given)).toBeUndefined()
        const back = format.read(await throughBytes(format, format.row(given)))
        expect(back.messages).toEqual(given.messages)
      },
    )

    it.each(Object.entries(toolExamples))("carries %s, or says that it cannot", async (_what, row) => {
      const given = rendered(withTools, row)
      const problem = format.problem?.(given)
      if (problem !== undefined) {
        expect(problem).toContain("tools")
        return
      }
      const value = await throughBytes(format, format.row(given))
      expect(messages(format.read(value).messages)).toEqual(messages(given.messages))
      expect(value["tools"]).toEqual(given.tools)
    })

    it("carries a row without a system message, and any text", async () => {
      const plain = taskSchema.parse({ task: "t", description: "d", kind: "text", ...field })
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: "grapheme", minLength: 1 }),
          fc.string({ unit: "grapheme", minLength: 1 }),
          async (body, answer) => {
            const given = rendered(plain, example({ body }, answer))
            expect(format.read(await throughBytes(format, format.row(given))).messages).toEqual(given.messages)
          },
        ),
        { numRuns: 50 },
      )
    })

    it("refuses turns that it cannot tell apart rather than bending them", () => {
      const twice = [
        { role: "user", content: "one" },
        { role: "user", content: "two" },
      ]
      const given = rendered(task({ kind: "chat" }), example({ messages: twice }, { content: "three" }))
      const problem = format.problem?.(given)
      if (problem === undefined) expect(format.read(format.row(given)).messages).toEqual(given.messages)
      else expect(problem).toMatch(/by turns/)
    })
  } else {
    it.each(Object.entries(kinds))(
      "brings a preference of a %s task back",
      async (_kind, { task: specification, example: row }) => {
        const given = preference(specification, row, row.output)
        const back = format.read(await throughBytes(format, format.row(given)))
        expect(back).toEqual({ question: given.question, chosen: given.chosen, rejected: given.rejected })
      },
    )

    it("brings tool calls back", async () => {
      const given = preference(withTools, toolExamples["an answer that calls a tool"], { content: "I cannot look." })
      const back = format.read(await throughBytes(format, format.row(given)))
      expect(messages(back.question)).toEqual(messages(given.question))
      expect(messages([back.chosen, back.rejected])).toEqual(messages([given.chosen, given.rejected]))
    })
  }
})

describe("Parquet of many rows", async () => {
  const format = await load<DatasetFormat>("formats", "parquet")

  it("is written by row groups of so many rows or so much text, of which one is in memory", async () => {
    const count = 21_500
    let asked = 0
    let texts = 0
    function* rows() {
      for (; asked < count; asked++) {
        // From the fourth group on, a row is a third of what a group may say.
        const content = asked >= 21_200 && texts < 4 ? "x".repeat(12_000_000 + texts++) : `text ${asked}`
        yield { id: `ex_${asked}`, messages: [{ role: "user", content }] }
      }
    }
    const pieces: Uint8Array[] = []
    const askedAt: number[] = []
    for (const piece of (await format.encode?.(rows())) ?? []) {
      pieces.push(piece)
      askedAt.push(asked)
    }
    expect(askedAt).toEqual([999, 20_999, 21_202, 21_500, 21_500])
    const file = new Uint8Array(Buffer.concat(pieces)).buffer
    expect(parquetMetadata(file).row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([1000, 20_000, 203, 297])
    const back = await parquetReadObjects({ file })
    expect(back.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, index) => `ex_${index}`))
    expect(back.at(-1)).toEqual({ id: "ex_21499", messages: [{ role: "user", content: "text 21499" }] })
  })

  it("without a row is a file without a row", async () => {
    const file = new Uint8Array(Buffer.concat([...((await format.encode?.([])) ?? [])])).buffer
    expect(await parquetReadObjects({ file })).toEqual([])
  })
})

describe("what services insist on", () => {
  const of = async (name: string, row: Example) => {
    const format = await load<DatasetFormat>("formats", name)
    return format.row(rendered(withTools, row) as never) as {
      messages: Record<string, unknown>[]
      prompt: Record<string, unknown>[]
    }
  }

  it("OpenAI wants arguments as text, an id at each call, and trains on every turn whose weight is not 0", async () => {
    const { messages: turns } = await of("messages", toolExamples["an answer that calls a tool"])
    const [, , earlier, tool, answer] = turns
    expect(earlier).toMatchObject({ role: "assistant", weight: 0 })
    expect(tool).toMatchObject({ role: "tool", tool_call_id: "c1" })
    expect(answer).toMatchObject({
      tool_calls: [
        { id: "call_1", type: "function", function: { arguments: JSON.stringify(call.function.arguments) } },
      ],
    })
    expect(answer).not.toHaveProperty("weight")
  })

  it("a row's weights and names leave in messages; others have no weights, and say where names are lost", async () => {
    const messages = [
      { role: "user", name: "amara", content: "a" },
      { role: "assistant", content: "b", weight: 1 },
      { role: "user", content: "c" },
      { role: "assistant", content: "d", weight: 1 },
    ] as const
    const row = { id: "ex_1", messages, tools: [] }
    const format = (name: string) => load<DatasetFormat>("formats", name)
    expect((await format("messages")).row(row as never)).toEqual({ messages })
    for (const name of ["prompt-completion", "mlx-lm"])
      expect(JSON.stringify((await format(name)).row(row as never))).not.toContain("weight")
    for (const name of ["sharegpt", "alpaca", "gemini", "parquet"])
      expect((await format(name)).problem?.(row as never)).toContain("no place for the names of speakers")
  })

  it("chat templates want arguments as an object", async () => {
    const { prompt } = await of("prompt-completion", toolExamples["an answer after a tool"])
    expect(prompt[2]).toMatchObject({ tool_calls: [{ function: { arguments: call.function.arguments } }] })
  })

  it("Alpaca's readers put the instruction after the system message: the user's text stands there alone", async () => {
    const format = await load<DatasetFormat>("formats", "alpaca")
    const { task: specification, example: row } = kinds["label"] as (typeof kinds)[string]
    expect(format.row(rendered(specification, row) as never)).toEqual({
      instruction: awkward,
      input: "",
      output: "ß",
      system: system.trimEnd(),
    })
  })
})
