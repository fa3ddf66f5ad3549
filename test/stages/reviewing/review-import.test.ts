import { readFileSync, writeFileSync } from "node:fs"
import { stringify } from "csv-stringify/sync"
import { describe, expect, it } from "vitest"
import { candidate, fillIn, readCsv, ReviewWorkspace, type Cells } from "./review-workspace.ts"
import { expected, failure, filled, grown, ids, labelTask, renamed, rewrite, without } from "./saved-sheets.ts"

describe("a CSV that was saved again", () => {
  it.each<[string, (file: string) => void]>([
    ["with semicolons", (file) => rewrite(file, (rows) => rows, { delimiter: ";" })],
    ["with tabs", (file) => rewrite(file, (rows) => rows, { delimiter: "\t" })],
    [
      "with a sep= line",
      (file) => writeFileSync(file, `sep=;\r\n${stringify(readCsv(file), { header: true, delimiter: ";" })}`),
    ],
    ["without a byte order mark", (file) => writeFileSync(file, readFileSync(file, "utf8").replace("\ufeff", ""))],
    ["in UTF-16", (file) => writeFileSync(file, Buffer.from(readFileSync(file, "utf8"), "utf16le"))],
    [
      "in UTF-16, big-endian",
      (file) => writeFileSync(file, Buffer.from(readFileSync(file, "utf8"), "utf16le").swap16()),
    ],
    ["in Windows-1252", (file) => writeFileSync(file, windows1252(readFileSync(file, "utf8").replace("\ufeff", "")))],
    [
      "read as Windows-1252, saved as UTF-8",
      (file) => writeFileSync(file, new TextDecoder("windows-1252").decode(readFileSync(file))),
    ],
    ["sorted the other way", (file) => rewrite(file, (rows) => rows.toReversed())],
    [
      "with its columns the other way round",
      (file) => rewrite(file, (rows) => rows.map((row) => Object.fromEntries(Object.entries(row).toReversed()))),
    ],
    ["with another column", (file) => rewrite(file, (rows) => rows.map((row) => ({ mine: "a note", ...row })))],
    [
      "without the columns that are only shown",
      (file) => rewrite(file, (rows) => rows.map((row) => without(row, "input.body", "kind", "proposed_output"))),
    ],
    [
      "with its columns in other spellings",
      (file) =>
        writeFileSync(
          file,
          readFileSync(file, "utf8")
            .replace("id,decision", "ID,Decision")
            .replace("corrected_output", "Corrected Output"),
        ),
    ],
    [
      "with the items' column renamed",
      (file) => rewrite(file, (rows) => rows.map((row) => renamed(row, "id", "Nummer"))),
    ],
    [
      "with the decisions' column renamed",
      (file) => rewrite(file, (rows) => rows.map((row) => renamed(row, "decision", "Entscheidung"))),
    ],
    ["with a row twice", (file) => rewrite(file, (rows) => [...rows, ...rows.slice(0, 1)])],
    [
      "with empty rows and a title above",
      (file) =>
        writeFileSync(file, `My review\r\n\r\n${readFileSync(file, "utf8").replace("\ufeff", "")},,,\r\n,,,,,\r\n`),
    ],
    ["with rows that were deleted", (file) => rewrite(file, (rows) => rows.filter(({ decision }) => decision !== ""))],
    [
      "with another file's rows below",
      (file) => writeFileSync(file, readFileSync(file, "utf8") + readFileSync(file, "utf8").replace("\ufeff", "")),
    ],
  ])("%s has the same decisions", async (_name, change) => {
    const { review, file } = await filled()
    change(file)
    expect(await review.imported(file)).toMatchObject({ added: 2, byVerdict: expected, differences: [], notTaken: [] })
    expect(review.decisions().find(({ verdict }) => verdict === "edit")).toMatchObject({
      item: ids[1],
      output: "fault",
      reason: "naïve – yes",
    })
    expect(await review.imported(file)).toMatchObject({ added: 0, unchanged: 2 })
  })

  it("without a column of decisions, or with two, is refused by the column's name", async () => {
    const { review, file } = await filled()
    rewrite(file, (rows) => rows.map((row) => without(row, "decision")))
    expect((await failure(review.imported(file))).message).toContain('no column "decision"')
    rewrite(file, (rows) => rows.map((row) => ({ ...row, decision: "accept", Verdict: "reject" })))
    expect((await failure(review.imported(file))).message).toContain('the column "Verdict" twice')
    writeFileSync(file, "a,b\n1,2\n")
    expect((await failure(review.imported(file))).message).toContain("no column")
  })

  it("in an encoding that lost letters does not bring in a text that may have lost some", async () => {
    const { review, file } = await filled()
    writeFileSync(file, windows1252(readFileSync(file, "utf8").replace("\ufeff", "").replaceAll("€", "?")))
    const { issues } = await failure(review.imported(file))
    expect(issues).toMatchObject([{ line: 3, message: expect.stringContaining("lost letters") }])
  })
})

describe("what is not asked", () => {
  it("is never taken: what a spreadsheet or a person changed there is told by row and column", async () => {
    const { review, file } = await filled()
    rewrite(file, (rows) =>
      rows.map((row, index) => (index === 2 ? row : { ...row, "input.body": "12", proposed_output: "12" })),
    )
    const { added, differingCells, differences } = await review.imported(file)
    expect({ added, differingCells }).toEqual({ added: 2, differingCells: 4 })
    expect(differences[0]).toMatchObject({
      column: "input.body",
      found: "12",
      row: expect.any(Number),
      item: expect.any(String),
    })
    for (const { output } of review.decisions()) expect(["fault", undefined]).toContain(output)
  })

  it("is shown by its beginning where it is long, with all of it in a file beside", async () => {
    const body = `${"long ".repeat(9000)}end`
    const review = new ReviewWorkspace({ ...labelTask, input: { body: { maxLength: 100_000 } } }, [
      { input: { body }, output: "fault" },
    ])
    for (const name of ["long.csv", "long.xlsx"]) {
      const file = await review.exported(name)
      const id = candidate({ input: { body }, output: "fault" }).id
      expect(readFileSync(review.path(`long.texts/${id}.input.body.txt`), "utf8")).toBe(body)
      await fillIn(file, (cells) => {
        expect(cells["input.body"]?.length).toBeLessThan(5000)
        return {}
      })
      expect(await review.imported(file)).toMatchObject({ differingCells: 0, undecided: 1 })
    }
  })
})

describe("an item", () => {
  it("that changed since the export, or is gone, is not decided by it; all others are", async () => {
    const { review, file } = await filled()
    review.rows.grown.writeBatch(
      "batch",
      grown.slice(0, 2).map((row, index) => ({ ...candidate(row), output: index === 0 ? "fault" : "delivery" })),
    )
    expect(await review.imported(file, { dryRun: true })).toMatchObject({
      added: 1,
      notTaken: [{ row: expect.any(Number), item: ids[0], reason: "changed" }],
    })
    review.grow(grown.slice(1))
    expect(await review.imported(file)).toMatchObject({ added: 1, notTaken: [{ item: ids[0], reason: "gone" }] })
    // When it is as it was, the same file decides on it too, beside what was recorded before.
    review.grow(grown)
    expect(await review.imported(file)).toMatchObject({ added: 1, unchanged: 1, notTaken: [] })
    expect(review.decisions()).toHaveLength(2)
  })

  it("that two reviewers decide on in the same file has both decisions", async () => {
    const { review, file } = await filled()
    rewrite(file, (rows) => [
      ...rows,
      { ...rows.find(({ id }) => id === ids[0]), decision: "reject", reviewer: "piotr" },
    ])
    expect(await review.imported(file)).toMatchObject({ added: 3 })
    expect(review.decisions().filter(({ item }) => item === ids[0])).toHaveLength(2)
  })

  it("that one reviewer decides on in two ways stops the import, by its row, and nothing is written", async () => {
    const { review, file } = await filled()
    rewrite(file, (rows) => [...rows, { ...rows.find(({ id }) => id === ids[0]), decision: "reject" }])
    expect((await failure(review.imported(file))).issues).toMatchObject([
      { line: 5, message: expect.stringContaining("decided differently in row") },
    ])
    expect(review.decisions()).toEqual([])
  })

  it("is shown as it would change before anything is written", async () => {
    const { review, file } = await filled()
    const { changes } = await review.imported(file, { dryRun: true })
    expect(changes.find(({ verdict }) => verdict === "edit")).toMatchObject({
      item: ids[1],
      before: "delivery",
      after: "fault",
      reviewer: "amara",
    })
    expect(review.decisions()).toEqual([])
  })
})

it(
  "a nested output is corrected leaf by leaf: elements are changed, taken out and added, and what is wrong " +
    "is told by its cell",
  async () => {
    const schema = {
      type: "object",
      required: ["items"],
      properties: {
        items: {
          type: "array",
          items: {
            type: "object",
            required: ["quantity"],
            properties: { product: { type: "string" }, quantity: { type: "integer" } },
          },
        },
      },
    }
    const output = {
      items: [
        { product: "0012", quantity: 1 },
        { product: "b", quantity: 2 },
      ],
    }
    const review = new ReviewWorkspace({ kind: "json", input: { body: {} }, output: { schema } }, [
      { input: { body: "x" }, output },
    ])
    const file = await review.exported("review.csv")
    const rows = readCsv(file)
    expect(rows.map((row) => [row["part"], row["proposed.items[].product"]])).toEqual([
      ["", ""],
      ["items[1]", "0012"],
      ["items[2]", "b"],
    ])
    const [main = {}, first = {}, second = {}] = rows
    const write = (...written: Cells[]) => writeFileSync(file, stringify(written, { header: true }))
    write(
      { ...second, decision: "remove" },
      { ...first, "corrected.items[].quantity": "many" },
      { ...main, decision: "edit" },
    )
    expect((await failure(review.imported(file))).issues).toMatchObject([
      { line: 3, path: "corrected.items[].quantity", message: 'got "many"; allowed: integer' },
    ])
    write(
      { ...second, decision: "remove" },
      { ...first, "corrected.items[].quantity": "7" },
      { ...main, decision: "edit" },
    )
    expect(await review.imported(file)).toMatchObject({ added: 1, differences: [] })
    expect(review.decisions()[0]?.output).toEqual({ items: [{ product: "0012", quantity: 7 }] })
    write({ ...main, decision: "edit" }, first, second, {
      ...second,
      part: "items[3]",
      "proposed.items[].product": "",
      "proposed.items[].quantity": "",
      "corrected.items[].quantity": "3",
    })
    expect(await review.imported(file)).toMatchObject({ added: 1 })
    expect(review.decisions().map((decision) => decision.output)).toContainEqual({
      items: [...output.items, { quantity: 3 }],
    })
  },
)

it("a conversation is read turn by turn, and what it calls", async () => {
  const messages = [
    { role: "user", content: "Is it open?" },
    { role: "assistant", content: "", tool_calls: [{ function: { name: "hours", arguments: '{"day":"Monday"}' } }] },
    { role: "tool", content: "9-17" },
  ]
  const review = new ReviewWorkspace({ kind: "chat" }, [{ input: { messages }, output: { content: "From 9 to 17." } }])
  const [row] = readCsv(await review.exported("review.csv"))
  expect(row?.["conversation"]).toBe(
    '1. user:\nIs it open?\n\n2. assistant:\n\n→ hours {"day":"Monday"}\n\n3. tool:\n9-17',
  )
})

/** The text in Windows-1252, as Excel's plain CSV has it. */
function windows1252(text: string): Buffer {
  const bytes = new Map(
    Array.from({ length: 256 }, (_, byte) => [new TextDecoder("windows-1252").decode(Uint8Array.of(byte)), byte]),
  )
  return Buffer.from([...text].map((character) => bytes.get(character) ?? 63))
}

it("two imports of one sheet at once record each decision once", async () => {
  const at = new ReviewWorkspace(labelTask, grown)
  const sheet = await at.exported("review.csv")
  await fillIn(sheet, () => ({ decision: "accept" }))
  const added = (await Promise.all([at.imported(sheet), at.imported(sheet)])).map((each) => each.added)
  expect(added.toSorted((a, b) => a - b)).toEqual([0, at.decisions().length])
  expect(new Set(at.decisions().map(({ item }) => item)).size).toBe(at.decisions().length)
})
