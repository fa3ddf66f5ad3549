import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseYaml } from "../../../src/core/parse.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { FileColumns } from "../../../src/stages/arriving/file-columns.ts"
import { parseRow } from "../../../src/stages/arriving/imported-row.ts"

const task = parseYaml(
  taskSchema,
  `task: mail
kind: label
description: t
input: { text: { description: t }, context: { description: before, required: false } }
output: { labels: { billing: x, delivery: y } }
prompt: { system: s }
`,
  "mail.yaml",
  "",
)

const first = { text: "I was charged twice", label: "billing" }

/** The rows as they are read, in their order. */
function read(rows: readonly object[], renamed = new Map<string, string>()) {
  const columns = new FileColumns(task, "jsonl", { kind: "seed", file: "a.jsonl", renamed })
  const parsed = rows.map((fields, index) => {
    const row = { line: index + 1, fields: { ...fields } }
    return parseRow(task, row, columns.of(row), "seed")
  })
  columns.requireAll()
  return { parsed, unused: columns.unused }
}

const rowAt = (parsed: ReturnType<typeof read>["parsed"], index: number) => {
  const row = parsed[index]
  if (row === undefined || "issues" in row) throw new Error(JSON.stringify(row))
  return row
}

describe("a column that the first row lacks", () => {
  it("is kept for the rows that have it: an optional field, an id, a source, a split", () => {
    const { parsed } = read([
      first,
      { ...first, text: "late again", context: "since 2019" },
      { ...first, text: "late", id: "t-2", source: "crm" },
      { ...first, text: "where is it", split: "test" },
    ])
    expect(rowAt(parsed, 1).row.input).toEqual({ text: "late again", context: "since 2019" })
    expect(rowAt(parsed, 2).row).toMatchObject({ key: "t-2", source: "crm" })
    expect(parsed.map((_, index) => rowAt(parsed, index).split)).toEqual([undefined, undefined, undefined, "test"])
  })

  it("may be null in the first row, as in Parquet, or stand under another spelling", () => {
    const { parsed } = read([
      { ...first, context: null },
      { ...first, text: "late", context: "since 2019" },
      { ...first, text: "later", Split: "dev" },
    ])
    expect(rowAt(parsed, 1).row.input).toMatchObject({ context: "since 2019" })
    expect(rowAt(parsed, 2).split).toBe("validation")
  })

  it("may be the output: only the row without one is refused", () => {
    const { parsed } = read([{ text: "I was charged twice" }, { ...first, text: "late" }])
    expect(parsed[0]).toMatchObject({ issues: [{ path: "output" }] })
    expect(rowAt(parsed, 1).row).toMatchObject({ output: "billing" })
  })

  it("may be one that people named", () => {
    const { parsed } = read([first, { ...first, text: "late", before: "since 2019" }], new Map([["context", "before"]]))
    expect(rowAt(parsed, 1).row.input).toEqual({ text: "late", context: "since 2019" })
  })

  it("that nobody has, although people named it, is refused", () => {
    expect(() => read([first], new Map([["context", "befor"]]))).toThrow(/no column "befor"/)
  })

  it("makes no difference to where the row stands", () => {
    const extras = fc.record(
      { context: fc.constant("c"), id: fc.string({ minLength: 1 }), split: fc.constantFrom("train", "test") },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(extras, { minLength: 1, maxLength: 6 }), (added) => {
        const rows = added.map((extra, index) => ({ text: `t ${index}`, label: "billing", ...extra }))
        const said = (order: readonly (typeof rows)[number][]) =>
          new Set(read(order).parsed.map((row) => JSON.stringify(row)))
        expect(said(rows)).toEqual(said(rows.toReversed()))
      }),
    )
  })
})

describe("what a column means", () => {
  it("is told by the likelier name, not by the first: a label is the output where an answer stands beside it", () => {
    const { parsed, unused } = read([{ answer: "what a clerk wrote", text: "charged twice", label: "billing" }])
    expect(rowAt(parsed, 0).row).toMatchObject({ output: "billing" })
    expect(unused).toEqual(["answer"])
  })

  it("stays: a row that would have another output column is refused with what to say", () => {
    const { parsed } = read([
      { text: "twice", answer: "billing" },
      { text: "late", answer: "x", label: "delivery" },
    ])
    expect(parsed[1]).toMatchObject({
      issues: [{ message: expect.stringMatching(/column "answer" in the rows before.*--column output=label/) }],
    })
  })

  it("is said where it means nothing to the task", () => {
    expect(read([first, { ...first, text: "late", thread: 7 }]).unused).toEqual(["thread"])
  })

  it("may be told of rows that have a column input", () => {
    const columns = new Map([
      ["text", "input"],
      ["output", "output"],
    ])
    const { parsed } = read([{ instruction: "Sort it", input: "I was charged twice", output: "billing" }], columns)
    expect(rowAt(parsed, 0).row).toMatchObject({ input: { text: "I was charged twice" }, output: "billing" })
  })
})
