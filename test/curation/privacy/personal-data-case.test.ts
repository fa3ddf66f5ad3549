import { expect, it } from "vitest"
import { findPersonalData } from "../../../src/curation/privacy/personal-data.ts"
import { caseRows, describeCase } from "../../shared-cases.ts"

describeCase("21-pii", () => {
  it("finds all 32 personal texts, and none in identifiers, times, orders, versions and books", () => {
    const rows = caseRows<{ input: { text: string }; source: string }>("21-pii", "a.jsonl")
    const found = rows.filter(({ input }) => findPersonalData(input.text).length > 0)
    expect(found.map(({ input }) => input.text)).toEqual(
      rows.filter(({ source }) => source === "yes").map(({ input }) => input.text),
    )
    expect(found).toHaveLength(32)
  })
})
