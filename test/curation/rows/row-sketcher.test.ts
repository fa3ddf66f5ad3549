import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { comparedFields, type ComparedFields } from "../../../src/curation/text/compared-fields.ts"
import { mostLineBytes, RowSketcher } from "../../../src/curation/rows/row-sketcher.ts"

const textAlone: ComparedFields = { text: ["text"], output: [], ignored: ["n"], others: "output" }
const plan = { shingles: "char-4", bands: { count: 3, rows: 2 } } as const

/** What becomes of the lines; with `isValid` false each is read by JSON.parse and `comparedText`. */
function outcomeOf(
  text: string | Buffer,
  isValid: boolean,
  { fields = textAlone, room = 1 << 16 }: { fields?: ComparedFields; room?: number } = {},
) {
  const rows: number[][] = []
  const problems: [number, string][] = []
  const lines = new RowSketcher(plan, fields, room).sketchLines(Buffer.from(text), isValid, {
    publish: (part) => {
      let at = 0
      for (let row = 0; row < part.rows; row += 1) {
        const end = at + 12 + plan.bands.count + (part.numbers[at + 1] as number)
        rows.push([...part.numbers.subarray(at, end)])
        at = end
      }
      expect(at).toBe(part.numbers.length)
    },
    complain: (line, problem) => void problems.push([line, problem]),
  })
  return { rows, problems, lines }
}

// Texts that need escapes, folding by the host, or surrogates; blank ones too.
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'ab Éß"\\/\n\t\b\u0001é我👍Σ\ud800\udc00'), maxLength: 40 }),
  fc.constantFrom("", " ", "?"),
)
const turn = fc.record({ role: fc.constantFrom("system", "user", "assistant", "developer", "tool"), content: text })
const chat = fc.record({ messages: fc.array(turn, { maxLength: 5 }) })
const value = fc.oneof(
  text,
  fc.constant(null),
  fc.jsonValue({ maxDepth: 2 }),
  fc.array(turn, { minLength: 1, maxLength: 3 }),
)
const names = [
  "messages",
  "conversations",
  "instruction",
  "chosen",
  "prompt",
  "text",
  "input",
  "output",
  "completion",
  "response",
  "answer",
  "label",
  "a.b",
  "other",
]
const anyRow = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...names), value), { selector: ([name]) => name, maxLength: 6 })
  .map(Object.fromEntries)
// As other writers do it: escapes where none are needed, spaces between.
const dressed = fc.tuple(fc.oneof(chat, anyRow), fc.nat(3)).map(([row, style]) => {
  const plainText = JSON.stringify(row)
  if (style === 1)
    return plainText
      .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .replaceAll("/", "\\/")
  if (style === 2) return JSON.stringify(row, null, 1).replaceAll("\n", " \t\r")
  return style === 3 ? ` ${plainText}\r` : plainText
})
const broken = fc
  .tuple(dressed, fc.nat(), fc.constantFrom("", '"', "\\", "}", ",", "x", "\u0002", "0", ":"))
  .map(([line, place, what]) => {
    const cut = place % (line.length + 1)
    return line.slice(0, cut) + what + line.slice(cut + (place % 3))
  })

describe("lines read in WebAssembly are the rows that JSON.parse and comparedText give", () => {
  test.each([
    [undefined, undefined],
    ["text", undefined],
    ["label", undefined],
    ["a.b", undefined],
    ["text", ["label", "answer"]],
    ["text", []],
    ["a name that is longer than there is room for", undefined],
  ])("of the field %s with the output %s", (field, outputFields) => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 3, arbitrary: dressed }, { weight: 1, arbitrary: broken }), { maxLength: 6 }),
        fc.array(anyRow, { maxLength: 4 }),
        (lines, sample) => {
          const fields = comparedFields(sample as Record<string, unknown>[], { field, outputFields })
          const bytes = lines.map((line) => line.replaceAll("\n", " ").toWellFormed()).join("\n")
          expect(outcomeOf(bytes, true, { fields }), bytes).toEqual(outcomeOf(bytes, false, { fields }))
        },
      ),
      { seed: 21, numRuns: field === undefined ? 400 : 100 },
    )
  })

  test.each([
    ['{"text":"where is my card"}', 1],
    ['{"text":"where is my card","text":"where was my card"}', 1],
    ['{"text":"where is my card","n":[1,-0.5e+3,{"a":[true,false,null]}]}', 1],
    ['{"text":"where is my card","n":01}', 0],
    ['{"text":"where is my card","n":1.}', 0],
    ['{"text":"where is my card","n":-}', 0],
    ['{"text":"where is my card","n":[1,]}', 0],
    ['{"text":"where is my card",}', 0],
    ['{"text":"where is my card"} x', 0],
    ['{"text":"where is \\x my card"}', 0],
    ['{"text":"where is \\u12 my card"}', 0],
    ['{"text":"where is my card', 0],
    [`{"text":"where is my card","n":${"[".repeat(100)}${"]".repeat(100)}}`, 1],
  ])("%s", (line, rows) => {
    const outcome = outcomeOf(line, true)
    expect(outcome).toEqual(outcomeOf(line, false))
    expect([outcome.rows.length, outcome.problems.length]).toEqual([rows, 1 - rows])
  })

  test("lines of any length go through in parts, and what has no room is named", () => {
    const long = (words: number) =>
      JSON.stringify({ text: Array.from({ length: words }, (_, n) => `word${n}`).join(" ") })
    const bytes = [long(10), long(3000), "", long(20), long(9000), long(30)].join("\n")
    const outcome = outcomeOf(bytes, true, { room: 1 << 13 })
    expect(outcome.rows.map(([line]) => line)).toEqual([0, 1, 3, 5])
    expect(outcome.problems).toEqual([[4, expect.stringContaining("at most about a million words or characters")]])
    expect(outcome).toEqual(outcomeOf(bytes, false, { room: 1 << 13 }))
  })

  test("a line that is too long for the memory is named, and those around it are rows", () => {
    const row = (text: string) => JSON.stringify({ text })
    const bytes = Buffer.from([row("a b c"), row("x".repeat(mostLineBytes)), "{", row("d e f")].join("\n"))
    const { rows, problems, lines } = outcomeOf(bytes, true)
    expect([rows.map(([line]) => line), lines]).toEqual([[0, 3], 4])
    expect(problems).toEqual([
      [1, `a line of ${mostLineBytes + 12} bytes; at most ${mostLineBytes} can be compared`],
      [2, expect.any(String)],
    ])
  })

  test("bytes that are not UTF-8 are named with their line", () => {
    const bytes = Buffer.concat([
      Buffer.from('{"text":"a b c"}\n{"text":"'),
      Buffer.from([0xff]),
      Buffer.from('"}\n{"text":"d"}'),
    ])
    const { rows, problems, lines } = outcomeOf(bytes, false)
    expect([rows.map(([line]) => line), problems, lines]).toEqual([[0, 2], [[1, "bytes that are not UTF-8"]], 3])
  })
})
