import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { answersTo, consensusOf } from "../../../src/curation/review/consensus.ts"
import { outcomeKey } from "../../../src/core/rows/migration.ts"
import type { Decision } from "../../../src/core/rows/example.ts"

const outcomeOf = ({ verdict, output }: Decision) => (verdict === "reject" ? "reject" : String(output))
const said = (reviewer: string, output: string, settles?: readonly string[]): Decision => ({
  item: "cand_0",
  verdict: output === "reject" ? "reject" : "edit",
  ...(output === "reject" ? {} : { output }),
  reviewer,
  guideline: "",
  revision: "",
  at: "2026-11-24T10:00:00Z",
  ...(settles === undefined ? {} : { settles: settles.map(outcomeKey) }),
})

const outputs = fc.constantFrom("x", "y", "z", "reject")
const reviews = fc.array(
  fc.tuple(fc.constantFrom("amara", "ben", "chidi"), outputs).map(([who, output]) => said(who, output)),
)

describe("what reviewers made of a question", () => {
  it("is agreed exactly where the last words of all reviewers are the same, however often each spoke", () => {
    fc.assert(
      fc.property(reviews, (decisions) => {
        const last = new Map(decisions.map((decision) => [decision.reviewer, outcomeOf(decision)]))
        const different = new Set(last.values()).size
        expect(consensusOf(decisions, outcomeOf).state).toBe(
          different === 0 ? "open" : different === 1 ? "agreed" : "disputed",
        )
      }),
    )
  })

  it("is what a third person chose between the answers, until somebody gives another answer", () => {
    fc.assert(
      fc.property(reviews, outputs, outputs, (decisions, choice, later) => {
        const answers = [...answersTo(decisions, outcomeOf).keys()]
        const settled = [...decisions, said("dora", choice, answers)]
        expect(consensusOf(settled, outcomeOf)).toMatchObject({ state: "agreed", decision: { reviewer: "dora" } })
        const after = consensusOf([...settled, said("amara", later)], outcomeOf)
        if (answers.includes(later)) expect(after).toMatchObject({ state: "agreed", decision: { reviewer: "dora" } })
        else expect(after).not.toMatchObject({ decision: { reviewer: "dora" } })
      }),
    )
  })
})
