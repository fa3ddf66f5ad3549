import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  foldForComparison,
  normalisedJson,
  normaliseStrings,
  normaliseText,
} from "../../../src/curation/text/normalise.ts"

describe("normaliseText", () => {
  test("makes NFC with LF, without control characters and outer white space", () => {
    expect(normaliseText("  cafe\u0301 \t\r\nsecond\u0000 line\u0007  \r third\t\tcell\n\n")).toBe(
      "café\nsecond line\n third\t\tcell",
    )
  })
  test("composes what a control character had divided", () => {
    expect(normaliseText("e\u0000\u0301")).toBe("é")
  })
  test("is idempotent", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 40 }),
        (text) => normaliseText(normaliseText(text)) === normaliseText(text),
      ),
      { seed: 1, numRuns: 500 },
    )
  })
  test("reaches every string of a structure and changes nothing else", () => {
    expect(normaliseStrings({ a: " x ", b: [1, null, "y\r\n"], c: { d: true } })).toEqual({
      a: "x",
      b: [1, null, "y"],
      c: { d: true },
    })
  })
})

test("normalisedJson gives what normaliseStrings gives, and its JSON", () => {
  const texts = fc.string({ unit: fc.constantFrom(...'a b\n\t\r\f\b\\"u/\u0000\u007fé\u0301'), maxLength: 12 })
  fc.assert(
    fc.property(
      fc.oneof(texts, fc.dictionary(texts, fc.oneof(texts, fc.array(texts), fc.integer(), fc.constant(null)))),
      (value) => {
        const { value: normal, json } = normalisedJson<unknown>(value)
        expect(normal).toEqual(normaliseStrings(value))
        expect(json).toBe(JSON.stringify(normaliseStrings(value)))
      },
    ),
    { seed: 5, numRuns: 3000 },
  )
})

describe("foldForComparison", () => {
  test.each([
    ["Where is my card?", "where is  my CARD ?"],
    ["it’s – “late”…", 'IT\'S - "late"...'],
    ["48-6", "48 − 6"],
    ["5′ 10″", "5' 10\""],
    ["10 %", "10%"],
    ["a\u00a0b\u202fc", "a b c"],
    ["ﬁne １２", "fine 12"],
    ["Ｃ＋＋", "c++"],
    ["𝐂𝐥𝐚𝐢𝐦 ℝ", "claim r"],
    ["٤٨ ๑๒", "48 12"],
    ["ｶﾞｽ", "ガス"],
    ["1⁄2", "1/2"],
    ["zero\u200bwidth", "zerowidth"],
    ["❤️", "❤"],
    ["a\fb", "a\nb"],
    ["e\u200d\u0301", "é"],
  ])("%j and %j are the same", (a, b) => expect(foldForComparison(a)).toBe(foldForComparison(b)))
  test.each([
    // Mathematics.
    ["48 - 6", "48 * 6"],
    ["a / b", "a * b"],
    ["-5", "5"],
    ["x<y", "x>y"],
    ["1.5", "15"],
    ["2³", "23"],
    ["2³", "2²"],
    ["x₁", "x1"],
    ["½", "1/2"],
    ["1½", "11/2"],
    ["(a)(b)", "a b"],
    ["5!", "5"],
    // Code, paths, versions, regular expressions.
    ["C#", "C"],
    ["C++", "C"],
    ["!ready", "ready"],
    ["a == b", "a = b"],
    ["a->b", "a>b"],
    ["snake_case", "snake case"],
    ["1.2.3", "12.3"],
    ["a/b", "a\\b"],
    ["./run", "/run"],
    ["^a.b$", "a.b"],
    ["a+", "a*"],
    ["[a-z]", "a-z"],
    // Units, money, percent.
    ["10%", "10"],
    ["$5", "€5"],
    ["$5", "5"],
    ["5°", "5"],
    ["5′", "5″"],
    ["m²", "m2"],
    // Chess, emoticons, signs.
    ["Nf3+", "Nf3#"],
    ["O-O", "OO"],
    [":)", ":("],
    ["?", "!"],
    ["!!!", "???"],
    ["good 👍", "good 👎"],
    ["👍🏽", "👍"],
    // Letters.
    ["resume", "résumé"],
    ["①", "1"],
    ["no where", "nowhere"],
    ["ไม่ดี", "ไมดี"],
    ["ガス", "カス"],
  ])("%j and %j are not", (a, b) => expect(foldForComparison(a)).not.toBe(foldForComparison(b)))
  test("does not depend on normalisation before it", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 30 }),
        (text) => foldForComparison(normaliseText(text)) === foldForComparison(text),
      ),
      { seed: 2, numRuns: 500 },
    )
  })
  test("is for plain texts what it is for all others", () => {
    const character = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code))
    const text = fc
      .array(fc.oneof({ weight: 4, arbitrary: character }, fc.constantFrom("\n", "\t", " ", ".")), { maxLength: 30 })
      .map((parts) => parts.join(""))
    // An invisible character takes the longer way and leaves no trace.
    fc.assert(
      fc.property(
        text,
        fc.nat(30),
        (plain, place) =>
          foldForComparison(plain) === foldForComparison(`${plain.slice(0, place)}\u200b${plain.slice(place)}`),
      ),
      { seed: 3, numRuns: 2000 },
    )
  })
})

test("a text of many megabytes folds as its parts do, wherever a run of it is cut", () => {
  const part = "ﬁn e\u0301 Ａ１ "
  const times = 2 ** 21
  expect(foldForComparison(part.repeat(times))).toBe(`${foldForComparison(part)} `.repeat(times).trim())
})
