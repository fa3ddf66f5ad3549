import { spawnSync } from "node:child_process"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, extname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import { canonicalText } from "../../src/core/canonical.ts"
import { neutralise } from "../../src/stages/spreadsheet/cells.ts"
import { candidate, fillIn, ReviewWorkspace, type Cells } from "../stages/reviewing/review-workspace.ts"

const isThere = spawnSync("soffice", ["--version"]).status === 0
const mayBeAbsent = process.env["CI"] !== "true"
const profile = mkdtempSync(join(tmpdir(), "tuneloop-soffice-"))

/** Opens the file in LibreOffice and saves it in another format, as a person does; returns the new file. */
function saved(file: string, as: string, ...options: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-saved-"))
  const { status, stderr } = spawnSync(
    "soffice",
    [
      `-env:UserInstallation=${pathToFileURL(profile)}`,
      "--headless",
      ...options,
      "--convert-to",
      as,
      "--outdir",
      folder,
      file,
    ],
    { encoding: "utf8", timeout: 120_000 },
  )
  if (status !== 0) throw new Error(stderr)
  return join(folder, `${basename(file, extname(file))}.${as.split(":")[0]}`)
}

const csvAs = (delimiter: string, charset = "76") =>
  `csv:Text - txt - csv (StarCalc):${delimiter.charCodeAt(0)},34,${charset},1`
const openUtf8 = "--infilter=CSV:44,34,76,1"

/** The ways a file may take through LibreOffice before it comes back, by the format in which it was exported. */
const ways: readonly {
  name: string
  from: "csv" | "xlsx"
  pass: (file: string) => string
  loses?: readonly string[]
}[] = [
  { name: "XLSX, saved as XLSX", from: "xlsx", pass: (file) => saved(file, "xlsx") },
  {
    name: "XLSX, saved as ODS, saved as XLSX",
    from: "xlsx",
    pass: (file) => saved(saved(file, "ods"), "xlsx"),
    loses: ["a;b,c\td"],
  },
  { name: "XLSX, saved as CSV", from: "xlsx", pass: (file) => saved(file, csvAs(",")) },
  { name: "XLSX, saved as CSV with semicolons", from: "xlsx", pass: (file) => saved(file, csvAs(";")) },
  { name: "XLSX, saved as CSV with tabs in UTF-16", from: "xlsx", pass: (file) => saved(file, csvAs("\t", "65535")) },
  { name: "CSV, opened as UTF-8 and saved as CSV", from: "csv", pass: (file) => saved(file, csvAs(","), openUtf8) },
  { name: "CSV, saved as XLSX", from: "csv", pass: (file) => saved(file, "xlsx", openUtf8) },
  {
    name: "CSV, saved as XLSX, saved as CSV with semicolons",
    from: "csv",
    pass: (file) => saved(saved(file, "xlsx", openUtf8), csvAs(";")),
  },
  { name: "CSV, opened in the wrong encoding and saved as CSV", from: "csv", pass: (file) => saved(file, "csv") },
]

const texts = [
  "=1+2",
  "'=1+2",
  "''=1+2",
  "'tis",
  "+44 20 7946",
  "@handle",
  "\t=1+2",
  "＝1+2",
  "#N/A",
  "a\nb\n\nc",
  'she said "no"',
  "a;b,c\td",
  "café, naïve – „so“ €5",
  "日本語のテキスト",
  "👩‍👩‍👧 family",
  "x".repeat(9000),
  `${"word ".repeat(1500)}end`,
  "<b>&amp;</b>",
  "_x000D_",
  "ends with a space ",
  "sep=;",
]
/** What a CSV file cannot keep from being read as numbers and dates; a workbook does. */
const convertible = [
  "0012",
  "1-2",
  "3/4",
  "1e10",
  "TRUE",
  "50%",
  "1.50",
  "12345678901234567890",
  "2026-11-24",
  "MARCH1",
  "-5",
]

describe.skipIf(!isThere && mayBeAbsent)(
  `through LibreOffice${isThere ? "" : " (skipped: there is no soffice; apt-get install libreoffice-calc)"}`,
  () => {
    beforeAll(() => {
      if (!isThere) throw new Error("there is no soffice on the PATH; .ci/run installs it (libreoffice-calc)")
    })

    it.each(ways)("$name: no false edit, and every true one", async ({ from, pass, loses = [] }) => {
      const isCsv = from === "csv"
      const shown = [...texts, ...convertible]
      const review = new ReviewWorkspace(
        { kind: "text", input: { body: { maxLength: 100_000 } }, output: { maxLength: 100_000 } },
        shown.map((text, index) => ({ input: { body: text }, output: `answer ${index}` })),
      )
      const ids: string[] = shown.map(
        (text, index) => candidate({ input: { body: text }, output: `answer ${index}` }).id,
      )
      const typed = new Map(ids.map((id, index) => [id, shown[index] ?? ""]))
      const file = await review.exported(`review.${from}`)
      const decide = (id: string): Cells => {
        const index = ids.indexOf(id)
        const text = shown[index] ?? ""
        // Every third row is left open; a CSV is not given what it cannot keep.
        if (index % 3 === 2) return {}
        if (index % 3 === 1 || (isCsv && convertible.includes(text)))
          return { decision: index % 2 === 0 ? "accept" : "reject" }
        return { decision: "edit", corrected_output: neutralise(text) }
      }
      const expected = ids
        .map((id) => ({ id, ...decide(id) }) as Cells)
        .filter(({ decision }) => decision !== undefined)
        .map(({ id = "", decision = "" }) => ({
          item: id,
          verdict: decision,
          ...(decision === "edit" ? { output: canonicalText(typed.get(id) ?? "").trim() } : {}),
        }))
      await fillIn(file, ({ id = "" }) => decide(id))
      const result = await review.imported(pass(file))
      const got = review
        .decisions()
        .map(({ item, verdict, output }) => ({ item, verdict, ...(output === undefined ? {} : { output }) }))
      const sorted = <Row extends { item: string }>(rows: readonly Row[]) =>
        rows.toSorted((a, b) => (a.item < b.item ? -1 : 1))
      expect(sorted(got)).toEqual(sorted(expected))
      // What was shown and lost on the way is told, and nothing else is: an ODS file drops a tab within a text.
      const told = new Set(result.differences.map(({ exported }) => exported))
      expect([...told].filter((text) => !(isCsv ? convertible : loses).includes(text))).toEqual([])
      if (!isCsv) expect(told).toEqual(new Set(loses))
      expect(result.notTaken).toEqual([])
    })

    it.each(ways)("$name: nested outputs, leaf by leaf", async ({ from, pass }) => {
      const schema = {
        type: "object",
        required: ["customer", "items"],
        properties: {
          customer: { type: ["string", "null"] },
          items: {
            type: "array",
            items: { type: "object", properties: { product: { type: "string" }, quantity: { type: "integer" } } },
          },
          rush: { type: "boolean" },
        },
      }
      const output = {
        customer: "Café Lumen",
        items: [
          { product: "rye", quantity: 2 },
          { product: "oil", quantity: 1 },
        ],
        rush: false,
      }
      const grown = [0, 1, 2].map((index) => ({ input: { body: `order ${index}` }, output }))
      const ids = grown.map((row) => candidate(row).id)
      const review = new ReviewWorkspace({ kind: "json", input: { body: {} }, output: { schema } }, grown)
      const file = await review.exported(`review.${from}`)
      await fillIn(file, ({ id, part }): Cells => {
        if (id === ids[0]) return part === "" ? { decision: "accept" } : {}
        if (id !== ids[1]) return {}
        if (part === "") return { decision: "edit", "corrected.customer": "null", "corrected.rush": "true" }
        return part === "items[1]"
          ? { decision: "remove" }
          : { "corrected.items[].quantity": "12", "corrected.items[].product": "olive oil" }
      })
      const { differences } = await review.imported(pass(file))
      expect(differences).toEqual([])
      expect(
        Object.fromEntries(
          review.decisions().map(({ item, verdict, output: corrected }) => [item, [verdict, corrected]]),
        ),
      ).toEqual({
        [ids[0] as string]: ["accept", undefined],
        [ids[1] as string]: ["edit", { customer: null, items: [{ product: "olive oil", quantity: 12 }], rush: true }],
      })
    })
  },
)
