import fc from "fast-check"
import { expect, it } from "vitest"
import { schemaProblems, validatorOf } from "../../../src/core/task/json-schema.ts"
import { linearPattern, patternProblem } from "../../../src/core/task/linear-pattern.ts"
import { fitsWildcard } from "../../../src/core/wildcard.ts"

/** What patterns are made of, each a whole by itself. */
const atoms = fc.constantFrom(
  ...[
    "a",
    "b",
    "\\d",
    "\\w",
    "\\s",
    "\\S",
    ".",
    "[ab]",
    "[^a]",
    "[\\s\\S]",
    "[\\d\\s]",
    "[^\\s]",
    "\\.",
    "é",
    "\\u00e9",
  ],
  ...["\\p{L}", "\\P{Lu}", "(?:a|b)", "(a)", "\\b", "\\u{1F600}", "[\\u00a0-\\u00ff]", "\\t", "\\/", "[.]"],
)
const sources = fc
  .array(fc.tuple(atoms, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,3}", "+?")), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.map(([atom, times]) => (atom === "\\b" ? atom : atom + times)).join(""))
const anchored = fc.tuple(fc.boolean(), sources, fc.boolean()).map(([a, s, z]) => `${a ? "^" : ""}${s}${z ? "$" : ""}`)
const texts = fc
  .array(fc.constantFrom(..."ab1 _.é\u00a0\u2028\n\r\t/\ufeffX", "\u{1f600}"), { maxLength: 8 })
  .map((letters) => letters.join(""))

it("a pattern means what JavaScript means by it", () => {
  fc.assert(
    fc.property(anchored, texts, (source, text) => {
      expect(linearPattern(source).test(text)).toBe(new RegExp(source, "u").test(text))
    }),
    { numRuns: 3000 },
  )
})

it.each(["^(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y", "^(a|a)*$", "(.*a){20}"])(
  "a long text keeps nobody waiting for %s",
  (source) => {
    const validate = validatorOf({ type: "string", pattern: source })
    const start = performance.now()
    expect(validate(`${"a".repeat(50_000)}!`)).toBe(source === "(.*a){20}")
    expect(performance.now() - start).toBeLessThan(1000)
  },
)

it.each(["email", "hostname", "uri", "uri-reference", "uri-template", "date-time", "duration", "ipv6", "uuid"])(
  "a long text keeps nobody waiting for the format %s",
  (format) => {
    const validate = validatorOf({ type: "string", format })
    const start = performance.now()
    for (const text of ["a@" + "a".repeat(70_000), "a-".repeat(40_000), ":".repeat(70_000), "1".repeat(70_000)])
      validate(text)
    expect(performance.now() - start).toBeLessThan(1000)
  },
)

it.each([
  ["^(?=a)b$", /lookahead or lookbehind/],
  ["(?<!a)b", /lookahead or lookbehind/],
  ["(a)\\1", /refers to a group/],
  ["a{2,5000}", /more than 1000 times/],
  ["(", /Unterminated group/],
  ["\\p{Nothing}", /Invalid property name/],
])("the pattern %s is refused, and said why", (source, message) => {
  expect(patternProblem(source)).toMatch(message)
  const patternProperties = { [source]: {} }
  expect(schemaProblems({ type: "object", patternProperties })).toMatchObject([
    { path: ["patternProperties", source], message: expect.stringMatching(message) },
  ])
})

it("a wildcard fits what a regular expression of it fits", () => {
  const letters = fc.array(fc.constantFrom("a", "B", ".", "-"), { maxLength: 8 }).map((list) => list.join(""))
  const patterns = fc.array(fc.constantFrom("a", "b", "*", ".", "-"), { maxLength: 8 }).map((list) => list.join(""))
  fc.assert(
    fc.property(patterns, letters, (pattern, name) => {
      const expected = new RegExp(`^${pattern.replaceAll(".", "\\.").replace(/\*+/g, ".*")}$`, "is")
      expect(fitsWildcard(pattern, name)).toBe(expected.test(name))
    }),
  )
  const start = performance.now()
  expect(fitsWildcard(`${"*a".repeat(40)}b`, "a".repeat(250))).toBe(false)
  expect(performance.now() - start).toBeLessThan(100)
})
