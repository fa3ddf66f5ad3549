import fc from "fast-check"
import { expect, it } from "vitest"
import { repeatedKey } from "../../src/core/json-keys.ts"

const found = (text: string) => repeatedKey(text, JSON.parse(text))

it.each([
  ['{"a":1,"a":2}', "a"],
  ['{"a":{"b":1,"c":2,"b":3}}', "b"],
  ['[{"a":1},{"a":1,"a" : 1}]', "a"],
  ['{"\\u0061":1,"a":2}', "a"],
  ['{"__proto__":1,"__proto__":2}', "__proto__"],
  ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', undefined],
  ['{"a":"\\"b\\":1, \\"b\\":2","b":3}', undefined],
  ['{"a":"{\\"a\\":1}"}', undefined],
  ["[1,2]", undefined],
])("%s repeats %j", (text, key) => {
  expect(found(text)).toBe(key)
})

it("no text that was written from a value repeats a key, and each does once one is added", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
      const text = JSON.stringify(value)
      expect(found(text)).toBeUndefined()
      const [key] = Object.keys(value) as [string]
      expect(found(`${text.slice(0, -1)},${JSON.stringify(key)}:0}`)).toBe(key)
    }),
  )
})
