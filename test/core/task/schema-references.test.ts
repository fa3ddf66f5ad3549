import { expect, it } from "vitest"
import { schemaProblems, validatorOf } from "../../../src/core/task/json-schema.ts"

const tree = {
  type: "object",
  properties: { children: { type: "array", items: { $ref: "#" } } },
  required: ["children"],
}

it.each([
  ["asynchronous", { $async: true, type: "object" }, ["$async"], /unknown keyword/],
  ["of another dialect", { $schema: "http://json-schema.org/draft-07/schema#" }, ["$schema"], /2020-12/],
  ["that refers to a server", { $ref: "https://example.com/s.json" }, ["$ref"], /a part of this schema/],
  ["that refers to the standard", { $ref: "https://json-schema.org/draft/2020-12/schema" }, ["$ref"], /a part of this/],
  ["that refers to nothing", { items: { $ref: "#/$defs/a" } }, ["items", "$ref"], /a part of this schema/],
  ["that is itself", { $ref: "#" }, ["$ref"], /never ends/],
  ["that is itself by a union", { anyOf: [{ type: "null" }, { $ref: "#" }] }, ["anyOf", 1, "$ref"], /never ends/],
  [
    "of two parts that are each other",
    { $defs: { a: { $ref: "#/$defs/b" }, b: { not: { $ref: "#/$defs/a" } } } },
    ["$defs", "a", "$ref"],
    /never ends/,
  ],
  ["of a part with an address", { $defs: { a: { $id: "x" } } }, ["$defs", "a", "$id"], /no \$id of its own/],
])("a schema %s is refused, and never compiled", (_name, schema, path, message) => {
  expect(schemaProblems(schema)).toMatchObject([{ path, message: expect.stringMatching(message) }])
  expect(() => validatorOf(schema)).toThrow(/a JSON Schema cannot be used/)
})

it("a schema may refer to itself where a value is within another, to anchors, and to what is always right", () => {
  expect(validatorOf(tree)({ children: [{ children: [] }] })).toBe(true)
  expect(validatorOf(tree)({ children: [{}] })).toBe(false)
  const named = { $defs: { "a/b": { $anchor: "one", enum: [1] }, any: true }, items: { $ref: "#one" } }
  expect(validatorOf(named)([1])).toBe(true)
  expect(validatorOf({ ...named, items: { $ref: "#/$defs/a~1b" } })([2])).toBe(false)
  expect(validatorOf({ ...named, items: { $ref: "#/$defs/any" } })([2])).toBe(true)
})

it("what only looks like a reference is none: names of properties, examples, constants", () => {
  const schema = { properties: { $ref: { type: "string" }, $id: {} }, default: { $ref: "x" }, enum: [{ $ref: "y" }] }
  expect(schemaProblems(schema)).toEqual([])
})
