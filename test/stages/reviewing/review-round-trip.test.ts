import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { canonicalJson, canonicalText, canonicalValue } from "../../../src/core/canonical.ts"
import { neutralise, restore } from "../../../src/stages/spreadsheet/cells.ts"
import { correctedValue, leavesOf, leafWriter } from "../../../src/core/task/leaves.ts"
import { ReviewWorkspace, candidate, fillIn, readCsv, type Cells } from "./review-workspace.ts"

const textTask = { kind: "text", input: { body: { maxLength: 100_000 } }, output: { maxLength: 100_000 } }

/** Texts as people and attackers write them: what a spreadsheet calculates, cuts, converts or drops. */
const nasty = fc.oneof(
  fc.constantFrom(
    "=1+2",
    "'=1+2",
    "''=1+2",
    "'tis",
    "+44 20",
    "-5",
    "-0012",
    "@handle",
    "|cmd",
    "%x",
    "\t=1+2",
    "\r=x",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "#N/A",
    "'#NAME?",
    "Err:502",
    "1-2",
    "0012",
    "1e10",
    "TRUE",
    "3/4",
    "_x000D_",
    "_x005F_",
    "a\r\nb\n\nc",
    '"',
    '""',
    '","',
    "a;b\tc",
    "]]>",
    "<b>&amp;</b>",
    "\u0000\u0001",
    "\ufeffx",
    "\ufffe",
    "é",
    "e\u0301",
    "日本語",
    "👩‍👩‍👧",
    "\ud800",
    "  edges  ",
    "sep=;",
    "id",
    "decision",
    "x".repeat(9000),
    "=".repeat(40_000),
    "é".repeat(32_767),
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom("'", "=", "-", "1", "\n", "\r", "\t", '"', ",", ";", "_x000A_", "&", "<", " ", "é"),
    maxLength: 12,
  }),
)
const full = nasty.filter((text) => canonicalText(text).trim() !== "")

it("what is neutralised is restored exactly, and what is not is left alone", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      expect(restore(neutralise(text))).toBe(text)
      expect(neutralise(text)).not.toMatch(/^[=+@\t\r＝＋－＠]/)
    }),
    { numRuns: 2000 },
  )
})

describe.each(["review.csv", "review.xlsx"])("in %s", (name) => {
  it("any text survives: nothing exported looks changed, and a corrected text comes back as it was typed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(nasty, full, full), { minLength: 1, maxLength: 8 }), async (texts) => {
        const grown = texts.map(([body, output], index) => ({ input: { body: `${body}`, nr: index }, output }))
        const review = new ReviewWorkspace(
          { ...textTask, input: { body: { maxLength: 100_000, required: false }, nr: { type: "number" } } },
          grown,
        )
        const typed = new Map<string, string>(grown.map((row, index) => [candidate(row).id, texts[index]?.[2] ?? ""]))
        const file = await review.exported(name)
        // A cell of 32,767 characters or more may have been cut, and is refused; that has a test of its own.
        const cell = (id: string) => neutralise(canonicalText(typed.get(id) ?? ""))
        await fillIn(
          file,
          ({ id = "" }): Cells => (cell(id).length >= 32_767 ? {} : { decision: "edit", corrected_output: cell(id) }),
        )
        const { differences, notes } = await review.imported(file)
        expect({ differences, notes }).toEqual({ differences: [], notes: [] })
        for (const { item, output } of review.decisions())
          expect(output).toBe(canonicalText(typed.get(item) ?? "").trim())
        expect(review.decisions()).toHaveLength([...typed.keys()].filter((id) => cell(id).length < 32_767).length)
      }),
      { numRuns: 15 },
    )
  })

  it("any order of the rows gives the same decisions", async () => {
    const grown = Array.from({ length: 12 }, (_, index) => ({
      input: { body: `text ${index}` },
      output: `answer ${index}`,
    }))
    const decided = async (order: readonly number[]) => {
      const review = new ReviewWorkspace(textTask, grown)
      const file = await review.exported(name)
      const rows: Record<string, string>[] = []
      await fillIn(file, (cells, index) => {
        rows.push({
          ...cells,
          ...[
            {},
            { decision: "accept" },
            { decision: "edit", corrected_output: `better ${cells["input.body"]}` },
            { decision: "reject", comment: "no" },
          ][index % 4],
        })
        return {}
      })
      await fillIn(file, (_, index) => rows[order[index] ?? 0] ?? {})
      await review.imported(file)
      return review.decisions().map(({ source: _, ...decision }) => decision)
    }
    const expected = await decided(grown.map((_, index) => index))
    expect(expected).toHaveLength(9)
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(
          grown.map((_, index) => index),
          { minLength: grown.length },
        ),
        async (order) => {
          expect(await decided(order)).toEqual(expected)
        },
      ),
      { numRuns: 8 },
    )
  })
})

describe("the leaves of a nested output", () => {
  const schemas = [{}, { type: "object", properties: { a: {} } }]
  const value = fc.jsonValue({ maxDepth: 4 }).map(canonicalValue)

  it("are written so that they are read back as they were, whatever their types", () => {
    fc.assert(
      fc.property(value, fc.constantFrom(...schemas), (inner, schema) => {
        const output = "type" in schema ? { a: inner } : inner
        const write = leafWriter(schema)
        const corrections = leavesOf(output).map((leaf) => ({ part: leaf.part, path: leaf.path, text: write(leaf) }))
        expect(canonicalJson(correctedValue(schema, output, corrections, []))).toBe(canonicalJson({ value: output }))
      }),
      { numRuns: 500 },
    )
  })

  it("never reach beyond the output", () => {
    correctedValue({}, {}, [{ part: "", path: "__proto__.polluted", text: "yes" }], [])
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
  })
})

it("a CSV begins with a byte order mark, for Excel", async () => {
  const review = new ReviewWorkspace(textTask, [{ input: { body: "é" }, output: "x" }])
  const file = await review.exported("a.csv")
  expect(readCsv(file)[0]?.["input.body"]).toBe("é")
})
