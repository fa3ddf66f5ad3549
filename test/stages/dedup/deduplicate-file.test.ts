import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { tuneloop } from "../../command-line.ts"
import { fourGrams, similarityOf, textsWithCopies } from "../../curation/near/made-texts.ts"
import { readTable } from "../../../src/store/tables/table.ts"
import { seeded } from "../../seeded.ts"

const folder = () => mkdtempSync(join(tmpdir(), "tuneloop-dedup-"))
const lines = (path: string) => readFileSync(path, "utf8").trimEnd().split("\n")

interface ReportLine {
  readonly line: number
  readonly kept: boolean
  readonly reason: string
  readonly witnessLine: number
  readonly similarity: number
}

async function dedup(
  home: string,
  ...words: string[]
): Promise<{ result: Record<string, unknown>; report: ReportLine[] }> {
  const { code, stdout, stderr } = await tuneloop(home, [
    "dedup",
    ...words,
    "--json",
    "--report",
    join(home, "report.jsonl"),
    "--dropped",
    join(home, "dropped.jsonl"),
    "--out",
    join(home, "kept"),
  ]).outcome
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""])
  const result = JSON.parse(stdout) as { read: number; kept: number }
  const report = parsedLines(join(home, "report.jsonl"))
  const dropped = parsedLines(join(home, "dropped.jsonl"))
  expect(result.kept + dropped.length).toBe(result.read)
  // Of the report the dropped rows, as lines of a fixed form.
  expect(dropped).toEqual(report.flatMap(({ kept, ...row }) => (kept ? [] : [row])))
  for (const row of dropped) expect(Object.keys(row)).toEqual(["line", "reason", "witnessLine", "similarity"])
  return { result: { ...result }, report }
}

function parsedLines(path: string): ReportLine[] {
  return readFileSync(path, "utf8") === "" ? [] : lines(path).map((line) => JSON.parse(line) as ReportLine)
}

describe("tuneloop dedup", () => {
  test(
    "keeps what exhaustive greedy keep-first keeps, with any number of threads, and the kept lines as they " + "are",
    async () => {
      const home = folder()
      const random = seeded(4)
      // Large enough for several batches; some lines are blank, some have carriage returns, some are longer than others
      // by what is not compared.
      const texts = textsWithCopies(800, 31)
      const row = (text: string) =>
        JSON.stringify({ id: Math.floor(random() * 1e9), text, note: "x".repeat(Math.floor(random() * 3000)) })
      const file = texts
        .map((text) => `${row(text)}${random() < 0.1 ? "\r" : ""}\n${random() < 0.05 ? " \n" : ""}`)
        .join("")
      writeFileSync(join(home, "texts.jsonl"), `\ufeff${file}`)
      const lineOf = file.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [index + 1]))
      const kept: number[] = []
      const grams = texts.map(fourGrams)
      const removed = texts.flatMap((_, place) => {
        if (kept.some((other) => similarity(grams[place] as Set<string>, grams[other] as Set<string>) >= 0.7))
          return [place]
        kept.push(place)
        return []
      })
      const first = await dedup(home, "texts.jsonl", "--threads", "1")
      const dropped = first.report.filter((decision) => !decision.kept)
      expect(first.result).toMatchObject({
        read: 800,
        kept: 800 - dropped.length,
        conflicts: 0,
        shingles: "char-4",
        threshold: 0.7,
      })
      const agreed = dropped.filter(({ line }) => removed.includes(lineOf.indexOf(line)))
      expect(removed.length).toBeGreaterThan(60)
      expect(agreed.length / dropped.length).toBeGreaterThanOrEqual(0.999)
      expect(agreed.length / removed.length).toBeGreaterThanOrEqual(0.999)
      for (const { line, witnessLine, similarity } of dropped) {
        const [text, witness] = [line, witnessLine].map((number) => texts[lineOf.indexOf(number)] ?? "") as [
          string,
          string,
        ]
        expect(similarityOf(text, witness)).toBeCloseTo(similarity, 3)
        expect(witnessLine).toBeLessThan(line)
        expect(dropped.some((decision) => decision.line === witnessLine)).toBe(false)
      }
      const gone = new Set(dropped.map(({ line }) => line))
      const expected = file.split("\n").filter((line, index) => line.trim() !== "" && !gone.has(index + 1))
      expect(readFileSync(join(home, "kept"), "utf8")).toBe(expected.map((line) => `${line}\n`).join(""))
      for (const threads of ["2", "4"])
        expect((await dedup(home, "texts.jsonl", "--threads", threads)).report).toEqual(first.report)
    },
  )

  test("a file that would need more memory than it may is read twice, with the same decisions, and refused " +
    "where that is too little as well", async () => {
    const home = folder()
    // Mostly texts that are near no other.
    const random = seeded(12)
    const alone = () => Array.from({ length: 12 }, () => Math.floor(random() * 1e9).toString(36)).join(" ")
    const texts = textsWithCopies(300, 33).flatMap((text) => [text, alone(), alone(), alone(), alone()])
    writeFileSync(join(home, "texts.jsonl"), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""))
    const whole = await dedup(home, "texts.jsonl")
    expect(whole.report.length).toBeGreaterThan(30)
    const { result, report } = await dedup(home, "texts.jsonl", "--memory", "1MB")
    expect(report).toEqual(whole.report)
    expect(result).toMatchObject({ read: 1500, kept: whole.result["kept"] })
    const { code, stderr } = await tuneloop(home, [
      "dedup",
      "texts.jsonl",
      "--memory",
      "0.1MB",
      "--report",
      join(home, "none.jsonl"),
    ]).outcome
    expect([code, existsSync(join(home, "none.jsonl"))]).toEqual([1, false])
    expect(stderr).toContain("Give more --memory")
  }, 20_000)

  test("rows whose outputs differ are conflicts and stay, those that agree go", async () => {
    const home = folder()
    const chat = (question: string, answer: string, system = "Be kind.") =>
      JSON.stringify({
        messages: [
          { role: "system", content: system },
          { role: "user", content: question },
          { role: "assistant", content: answer },
        ],
      })
    const question = "where is the card that I have ordered two weeks ago"
    const rows = [
      chat(question, "It is on its way."),
      chat(`${question}?`, "It is lost."),
      chat(`${question} please`, "It is  LOST.", "Answer in one word."),
      chat("how do I close my account at your bank", "It is on its way."),
    ]
    writeFileSync(join(home, "chats.jsonl"), rows.join("\n"))
    const { result, report } = await dedup(home, "chats.jsonl")
    expect(report.map(({ line, kept, reason, witnessLine }) => [line, kept, reason, witnessLine])).toEqual([
      [2, true, "conflict", 1],
      [3, false, "near-duplicate", 2],
    ])
    expect(result).toMatchObject({
      read: 4,
      kept: 3,
      dropped: { "exact-duplicate": 0, "near-duplicate": 1 },
      conflicts: 1,
    })
    const byAll = await dedup(home, "chats.jsonl", "--threshold", "0.05")
    expect(byAll.result).toMatchObject({ threshold: 0.05 })
  })

  test("numbers that differ make two rows, are counted, and make one with --numbers drop", async () => {
    const home = folder()
    const rows = Array.from({ length: 300 }, (_, n) => JSON.stringify({ text: `Where is my order ${1000 + n}?` }))
    writeFileSync(join(home, "orders.jsonl"), rows.join("\n"))
    expect((await dedup(home, "orders.jsonl")).result).toMatchObject({
      ...{ read: 300, kept: 300, numbers: "keep" },
      differInNumbers: { of: 300, rows: 300 },
    })
    expect((await dedup(home, "orders.jsonl", "--numbers", "drop")).result).toMatchObject({ kept: 1, numbers: "drop" })
    const { stdout } = await tuneloop(home, ["dedup", "orders.jsonl"]).outcome
    expect(stdout).toContain("300 of them differ from another one in numbers alone: they are two rows")
  })

  test("reads CSV, and any field by its path", async () => {
    const home = folder()
    writeFileSync(
      join(home, "tickets.csv"),
      'body,team\n"my card, please",a\n"My card , PLEASE",a\nclose the account,b\n',
    )
    const { result, report } = await dedup(home, "tickets.csv", "--field", "body")
    expect(report).toEqual([{ line: 3, kept: false, reason: "exact-duplicate", witnessLine: 2, similarity: 1 }])
    expect(result).toMatchObject({ read: 3, kept: 2 })
    expect(readFileSync(join(home, "kept"), "utf8")).toBe('body,team\n"my card, please",a\nclose the account,b\n')
    writeFileSync(join(home, "t.tsv"), 'text\tlabel\n"Go on, he said.\ta\nThe 19" rim\tb\n"Go on," she said\tc\n')
    const { code } = await tuneloop(home, ["dedup", "t.tsv", "--out", join(home, "again.tsv")]).outcome
    expect([code, readTable(join(home, "again.tsv")).rows]).toEqual([0, readTable(join(home, "t.tsv")).rows])
    writeFileSync(
      join(home, "deep.jsonl"),
      '{"input":{"body":"where is it"}}\n{"input":{"body":"Where is it?"}}\n{"input":{"body":"something else"}}\n',
    )
    expect((await dedup(home, "deep.jsonl", "--field", "input.body")).result).toMatchObject({ read: 3, kept: 2 })
    expect((await dedup(home, "deep.jsonl")).result).toMatchObject({ read: 3, kept: 2 })
  })

  test("rows are compared by all of their input, and stay where any part of the output differs", async () => {
    const home = folder()
    const write = (name: string, rows: readonly object[]) =>
      writeFileSync(join(home, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    write("alpaca.jsonl", [
      { instruction: "Is two an even number?", input: "", output: "Yes" },
      { instruction: "Is the sky blue on a clear day?", input: "", output: "Yes" },
      { instruction: "Translate the word into French.", input: "dog", output: "chien" },
      { instruction: "Classify the animal.", input: "dog", output: "mammal" },
      { instruction: "Is two an even number?", input: null, output: "Yes" },
    ])
    const alpaca = await dedup(home, "alpaca.jsonl")
    expect(alpaca.report.map(({ line, reason }) => [line, reason])).toEqual([[5, "exact-duplicate"]])
    expect(alpaca.result["compared"]).toEqual({ text: ["instruction", "input"], output: ["output"], ignored: [] })
    write("dpo.jsonl", [
      { prompt: "How do I boil an egg well?", chosen: "Seven minutes in boiling water.", rejected: "No." },
      { prompt: "How do I boil an egg well?", chosen: "Start it cold, then six minutes.", rejected: "Use the oven." },
    ])
    expect((await dedup(home, "dpo.jsonl")).result).toMatchObject({ kept: 2, conflicts: 1 })
    writeFileSync(join(home, "i.csv"), "text,queue\nmy card is not here yet,a\nmy card is not here yet.,b\n")
    expect((await dedup(home, "i.csv", "--field", "text")).result).toMatchObject({ kept: 2, conflicts: 1 })
    expect((await dedup(home, "i.csv", "--output-field", "none")).result).toMatchObject({ kept: 1, conflicts: 0 })
    write("big.jsonl", [
      { text: "where is my card today", label: 740245381351497700 },
      { text: "where is my card today", label: 1 },
    ])
    const big = readFileSync(join(home, "big.jsonl"), "utf8").replace('":1}', '":740245381351497731}')
    writeFileSync(join(home, "big.jsonl"), big)
    expect((await dedup(home, "big.jsonl")).result).toMatchObject({ kept: 2, conflicts: 1 })
  })

  test("a row that cannot be read is named with its line, and nothing is written", async () => {
    const home = folder()
    const good = Array.from({ length: 9000 }, (_, n) => `{"text":"number ${n} of many ${n * 7} rows"}`)
    writeFileSync(
      join(home, "bad.jsonl"),
      Buffer.concat([Buffer.from([...good, "{", '{"body":1}', "[]", '{"text":"'].join("\n")), Buffer.from([0xff, 10])]),
    )
    const { code, stderr } = await tuneloop(home, [
      "dedup",
      "bad.jsonl",
      "--report",
      join(home, "report.jsonl"),
      "--dropped",
      join(home, "dropped.jsonl"),
      "--out",
      join(home, "kept"),
    ]).outcome
    expect(code).toBe(1)
    expect(stderr).toContain("4 of 9004 rows cannot be read; nothing was written")
    for (const [line, what] of [
      [9001, "not valid JSON"],
      [9002, 'no field "text"; the row has body'],
      [9003, "expected a JSON object"],
      [9004, "bytes that are not UTF-8"],
    ] as const)
      expect(stderr).toMatch(new RegExp(`bad.jsonl:${line}: ${what}`))
    expect([existsSync(join(home, "report.jsonl")), existsSync(join(home, "kept"))]).toEqual([false, false])
    expect(readdirSync(home)).toEqual(["bad.jsonl"])
  })

  test.each([
    [["nothing.jsonl"], 1, "there is no file"],
    [["empty.jsonl"], 1, "has no rows"],
    [["x.parquet"], 1, "cannot tell the format"],
    [["empty.jsonl", "--memory", "many"], 2, "must be a size such as 4GB or 500MB"],
    [["empty.jsonl", "--dropped", "x", "--out", "./x"], 2, "name one file twice"],
    [["empty.jsonl", "--threshold", "1.5"], 2, "must be a number above 0, up to 1"],
  ] as const)("%j ends with %d", async (words, expected, message) => {
    const home = folder()
    writeFileSync(join(home, "empty.jsonl"), "\n")
    writeFileSync(join(home, "x.parquet"), "x")
    const { code, stderr } = await tuneloop(home, ["dedup", ...words]).outcome
    expect([code, stderr.includes(message)], stderr).toEqual([expected, true])
  })
})

function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = a.intersection(b).size
  return shared / (a.size + b.size - shared)
}

test("an output field that no row has is refused, for all rows would agree in it", async () => {
  const home = folder()
  const rows = ["A", "B", "A"].map((dept) => ({ text: "where is my parcel", Abteilung: dept }))
  writeFileSync(join(home, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  writeFileSync(
    join(home, "rows.csv"),
    `text,Abteilung\n${rows.map((row) => `${row.text},${row.Abteilung}\n`).join("")}`,
  )
  for (const file of ["rows.jsonl", "rows.csv"]) {
    const words = [
      "dedup",
      join(home, file),
      "--field",
      "text",
      "--output-field",
      "Abteilun",
      "--out",
      join(home, "kept"),
    ]
    const { code, stderr } = await tuneloop(home, words).outcome
    expect(code).not.toBe(0)
    expect(stderr).toContain('no row has the field "Abteilun" of --output-field')
    expect(stderr).toContain('did you mean "Abteilung"?')
    expect(existsSync(join(home, "kept"))).toBe(false)
  }
})
