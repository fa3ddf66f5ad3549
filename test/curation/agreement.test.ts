import { describe, expect, it } from "vitest"
import { agreementOf } from "../../src/curation/agreement.ts"
import type { Decision } from "../../src/core/example.ts"

const decision = (item: number, reviewer: string, output: unknown, at = 0): Decision => ({
  item: `cand_${item}`,
  verdict: output === undefined ? "reject" : "edit",
  ...(output === undefined ? {} : { output }),
  reviewer,
  guideline: "",
  revision: "r",
  at: new Date(at).toISOString(),
})

describe("agreement of reviewers", () => {
  it("is Krippendorff's alpha: 0.743 on the nominal data of his 2011 paper", () => {
    const values: Readonly<Record<string, string>> = {
      a: "12332141 2...".replace(" ", ""),
      b: "123322412 5.3".replace(" ", ""),
      c: ".3332342251.",
      d: "12332441251.",
    }
    const rows = Object.entries(values).flatMap(([reviewer, text]) =>
      [...text].flatMap((value, unit) => (value === "." ? [] : [decision(unit, reviewer, value)])),
    )
    const found = agreementOf(rows)
    expect(found.alpha).toBeCloseTo(0.743, 3)
    expect(found).toMatchObject({ items: 11, reviewers: ["a", "b", "c", "d"] })
  })

  it("looks only at items that two people decided on, and at their last word", () => {
    const found = agreementOf([
      decision(1, "amara", "x", 1),
      decision(1, "ben", "y", 2),
      decision(1, "ben", "x", 3),
      decision(2, "amara", undefined),
      decision(2, "ben", undefined),
      decision(3, "amara", "x"),
    ])
    expect(found).toMatchObject({ items: 2, unanimous: 2 })
    expect(found.alpha).toBe(1)
  })

  it("is not defined without overlap, or where everybody always says the same", () => {
    expect(agreementOf([decision(1, "amara", "x")])).toEqual({ items: 0, reviewers: [], unanimous: 0, alpha: undefined })
    expect(agreementOf([decision(1, "amara", "x"), decision(1, "ben", "x")]).alpha).toBeUndefined()
  })
})
