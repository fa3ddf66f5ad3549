import { readFileSync, writeFileSync } from "node:fs"
import { stringify } from "csv-stringify/sync"
import { describe, expect, it } from "vitest"
import { DataError } from "../../../src/core/errors.ts"
import {
  candidate,
  fillIn,
  readCsv,
  ReviewWorkspace,
  sheetPart,
  unzipped,
  zipTo,
  type Cells,
} from "./review-workspace.ts"

const labelTask = { kind: "label", input: { body: {} }, output: { labels: { delivery: "a", "0012": "b", fault: "c" } } }
const grown = ["where is it", "café is broken – €5", "a third"].map((body) => ({ input: { body }, output: "delivery" }))
const ids = grown.map((row) => candidate(row).id)
const answers: readonly Cells[] = [
  { decision: "accept" },
  { decision: "edit", corrected_output: "fault", comment: "naïve – yes" },
  {},
]
const expected = { accept: 1, edit: 1 }

/** A workspace, and its export filled in as `answers` say. */
async function filled(name = "review.csv"): Promise<{ review: ReviewWorkspace; file: string }> {
  const review = new ReviewWorkspace(labelTask, grown)
  const file = await review.exported(name)
  await fillIn(file, ({ id = "" }) => answers[ids.indexOf(id)] ?? {})
  return { review, file }
}

/** The file with its rows and columns as the work leaves them. */
function rewrite(
  file: string,
  work: (rows: Cells[]) => Cells[],
  options: { delimiter?: string; bom?: boolean } = {},
): void {
  writeFileSync(file, stringify(work(readCsv(file)), { header: true, ...options }))
}

const without = (row: Cells, ...columns: string[]) =>
  Object.fromEntries(Object.entries(row).filter(([column]) => !columns.includes(column)))
const renamed = (row: Cells, from: string, to: string) =>
  Object.fromEntries(Object.entries(row).map(([column, text]) => [column === from ? to : column, text]))

async function failure(work: Promise<unknown>): Promise<DataError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(DataError)
  return error as DataError
}

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

describe("a workbook", () => {
  const change = async (file: string, work: (xml: string) => string) => {
    const parts = await unzipped(file)
    parts.set(sheetPart, Buffer.from(work(parts.get(sheetPart)?.toString() ?? "")))
    await zipTo(file, parts)
  }
  /** The row of an item, and the reference of its cell in a column. */
  const rowOf = (xml: string, id = "") =>
    Number(/r="A(\d+)"/.exec(xml.slice(xml.lastIndexOf("<row", xml.indexOf(id))))?.[1])
  const put = (xml: string, cell: string, written: string) =>
    xml.replace(new RegExp(`<c r="${cell}" s="(\\d+)"(?:/>|[^>]*>.*?</c>)`), (_, style: string) =>
      written.replace("STYLE", style),
    )

  it(
    "has the decisions as a list, all other columns locked, the header in sight, and the guideline beside " + "it",
    async () => {
      const { file } = await filled("review.xlsx")
      const xml = (await unzipped(file)).get(sheetPart)?.toString() ?? ""
      expect(xml).toContain('state="frozen"')
      expect(xml).toMatch(/<sheetProtection sheet="1"/)
      expect(xml).toMatch(/<dataValidation type="list"[^>]*errorStyle="stop"/)
      expect(await review(file)).toMatchObject({ added: 2 })
      async function review(of: string) {
        return new ReviewWorkspace(labelTask, grown).imported(of)
      }
    },
  )

  it("without its hidden row is read by the titles", async () => {
    const { review, file } = await filled("review.xlsx")
    await change(file, (xml) => xml.replace(/<row r="1".*?<\/row>/, ""))
    expect(await review.imported(file)).toMatchObject({ added: 2, differences: [] })
  })

  it("with renamed titles is read by its hidden row", async () => {
    const { review, file } = await filled("review.xlsx")
    await change(file, (xml) => xml.replace(">Decision<", ">Was tun?<").replace(">Corrected output<", ">Besser<"))
    expect(await review.imported(file)).toMatchObject({ added: 2, notes: [] })
  })

  it(
    "with numbers and dates where texts were exported tells it; in a decision column a date or an error is " +
      "refused",
    async () => {
      const { review, file } = await filled("review.xlsx")
      const original = readFileSync(file)
      await change(file, (xml) =>
        put(xml, `C${rowOf(xml, ids[2])}`, '<c r="C5" s="STYLE"><v>12</v></c>'.replace("C5", `C${rowOf(xml, ids[2])}`)),
      )
      expect(await review.imported(file, { dryRun: true })).toMatchObject({
        added: 2,
        differences: [{ item: ids[2], column: "input.body", found: "12" }],
      })
      for (const [written, said] of [
        ['t="e"><v>#NAME?</v></c>', "has an error there"],
        ['t="d"><v>2026-02-01</v></c>', "made a date of it"],
      ]) {
        writeFileSync(file, original)
        await change(file, (xml) =>
          put(xml, `E${rowOf(xml, ids[1])}`, `<c r="E${rowOf(xml, ids[1])}" s="STYLE" ${written}`),
        )
        expect((await failure(review.imported(file))).issues[0]).toMatchObject({
          path: "corrected_output",
          message: expect.stringContaining(said as string),
        })
      }
    },
  )

  it("with merged cells counts the first of their rows and says so", async () => {
    const { review, file } = await filled("review.xlsx")
    await change(file, (xml) =>
      xml.replace("<autoFilter", '<mergeCells count="1"><mergeCell ref="B3:B4"/></mergeCells><autoFilter'),
    )
    expect((await review.imported(file)).notes.join()).toContain("B3:B4")
  })

  it("that is none, or of another format, is refused with what to do", async () => {
    const review = new ReviewWorkspace(labelTask, grown)
    for (const [bytes, said] of [
      [Buffer.from("d0cf11e0a1b11ae1", "hex"), "old Excel file"],
      [Buffer.from("PK\u0003\u0004 nothing"), "damaged"],
      [Buffer.from("hello"), "cannot read"],
    ] as const) {
      writeFileSync(review.path("x.xlsx"), bytes)
      expect((await failure(review.imported(review.path("x.xlsx")))).message).toContain(said)
    }
  })

  it("cut off at 32,767 characters is not taken for an edit", async () => {
    const review = new ReviewWorkspace({ kind: "text", input: { body: {} }, output: { maxLength: 100_000 } }, [
      { input: { body: "x" }, output: "y" },
    ])
    const file = await review.exported("review.xlsx")
    await fillIn(file, () => ({ decision: "edit", corrected_output: "z".repeat(32_767) }))
    expect((await failure(review.imported(file))).issues).toMatchObject([
      { path: "corrected_output", message: expect.stringContaining("may be cut off") },
    ])
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
