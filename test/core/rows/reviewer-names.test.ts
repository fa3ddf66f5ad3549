import { expect, it } from "vitest"
import { alikeName } from "../../../src/core/rows/reviewer-names.ts"

it.each([
  ["jo", ["Jo"], "Jo"],
  ["JO  Ann ", ["Jo Ann"], "Jo Ann"],
  ["Zoe\u0301", ["Zo\u00e9"], "Zo\u00e9"],
  ["Jo", ["Jo", "jo"], undefined],
  ["Joe", ["Jo"], undefined],
  ["jo", [], undefined],
])("%j among %j is asked about as %j", (name, known, alike) => expect(alikeName(name, known)).toBe(alike))
