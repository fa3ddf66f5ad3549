import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { asItStands, isExact, parseExact, parseJson } from "../../src/core/json-text.ts"

describe("a whole number beyond 2^53", () => {
  it.each([
    ["740245381351497731", "740245381351497731"],
    ["-9007199254740993", "-9007199254740993"],
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992],
    ["12", 12],
    ["1.5e300", 1.5e300],
    ["1e400", "1e400"],
    ["-1E+400", "-1E+400"],
    ["0.12345678901234567890", 0.12345678901234568],
    ['"740245381351497731"', "740245381351497731"],
  ])("%s is read as %j, never as another number", (text, value) => {
    expect(parseExact(text)).toEqual(value)
    expect(parseExact(`{"a":[{"id":${text}}]}`)).toEqual({ a: [{ id: value }] })
    expect(parseJson(text)).toEqual(value)
  })

  it("is written again as it stood", () => {
    const text = '{"id":740245381351497731,"text":"at 740245381351497731","n":[1,-9007199254740993]}'
    expect(JSON.stringify(parseExact(text, asItStands))).toBe(text)
  })

  it("changes nothing else: every value without one is read as before", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        const digits = /(?<![\d.e+-])-?\d{16,}(?![\d.e])/i.test(text)
        fc.pre(!digits)
        expect(parseExact(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it("of any length keeps every digit", () => {
    fc.assert(
      fc.property(fc.bigInt(), (number) => {
        expect(String(parseExact(String(number)))).toBe(String(number))
        if (isExact(String(number))) expect(String(Number(number))).toBe(String(number))
      }),
    )
  })

  it("is read in what is deep, and what is too deep to be gone through is no JSON", () => {
    const deep = (levels: number) => `{"n":740245381351497731,"x":${"[".repeat(levels)}${"]".repeat(levels)}}`
    expect(parseExact(deep(900))).toMatchObject({ n: "740245381351497731" })
    expect(() => parseExact(deep(5000))).toThrow(/more than 1000 deep/)
    expect(() => parseExact(`[${"[],".repeat(5000)}[]]`)).not.toThrow()
  })

  it("is no JSON where the text is none", () => {
    expect(() => parseExact('{"id":740245381351497731')).toThrow(SyntaxError)
    expect(parseJson('{"id":740245381351497731')).toBeUndefined()
  })
})

it("no number is taken for exact that is not, wherever it stands and however it is spaced", () => {
  const number = fc.oneof(
    fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }).map(String),
    fc.constantFrom("1e400", "-2.5E+309", "1E4000", "12.50e300", "0.12345678901234567", "9007199254740993.5"),
    fc.integer().map(String),
  )
  const space = fc.constantFrom("", " ", "\n", "\t", "\r\n")
  const text = fc
    .array(fc.tuple(space, number, space, fc.constantFrom('"e123"', '"x: 1234567890123456"', "null", "{}")))
    .chain((parts) =>
      fc.constantFrom(
        `[${parts.map(([before, value, after, other]) => `${before}${value}${after},${other}`).join(",")}]`,
        `{${parts.map(([before, value, after], at) => `"k${at}":${before}${value}${after}`).join(",")}}`,
        parts.map(([before, value, after]) => before + value + after)[0] ?? "1",
      ),
    )
  const always = (of: string) =>
    JSON.parse(of, ((_key: string, item: unknown, { source }: { source?: string }) =>
      typeof item === "number" && source !== undefined && !isExact(source) ? source : item) as never) as unknown
  fc.assert(
    fc.property(text, (of) => {
      expect(parseExact(of)).toEqual(always(of))
    }),
    { seed: 2, numRuns: 500 },
  )
})
