import fc from "fast-check"
import { expect, it } from "vitest"
import { standingDecisions } from "../../../src/core/rows/decisions.ts"
import type { DecisionLine } from "../../../src/core/rows/example.ts"

const line = (
  verdict: DecisionLine["verdict"],
  reviewer = "amara",
  item = "cand_1",
  revision = "r1",
): DecisionLine => ({
  item,
  verdict,
  reviewer,
  revision,
  guideline: "g",
  at: "2026-11-24T10:00:00.000Z",
})

it("a withdrawal takes back the last decision only, and the one before it counts again", () => {
  const [accept, reject, withdraw] = [line("accept"), line("reject"), line("withdraw")]
  expect(standingDecisions([accept, reject, withdraw])).toEqual([accept])
  expect(standingDecisions([accept, reject, withdraw, withdraw])).toEqual([])
  expect(standingDecisions([accept, withdraw, reject])).toEqual([reject])
  expect(standingDecisions([withdraw, accept])).toEqual([accept])
})

it("a withdrawal reaches neither another reviewer's decision, nor another item, nor another revision", () => {
  const others = [line("accept", "ben"), line("accept", "amara", "cand_2"), line("accept", "amara", "cand_1", "r2")]
  expect(standingDecisions([...others, line("accept"), line("withdraw")])).toEqual(others)
})

it("decisions that are each taken back leave what was there before", () => {
  const verdicts = fc.constantFrom<DecisionLine["verdict"]>("accept", "reject", "edit")
  const lines = fc.array(
    fc.record({
      verdict: verdicts,
      reviewer: fc.constantFrom("amara", "ben"),
      item: fc.constantFrom("cand_1", "cand_2"),
    }),
  )
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const made = (rows: typeof before) => rows.map(({ verdict, reviewer, item }) => line(verdict, reviewer, item))
      const undone = made(after).toReversed()
      const withdrawals = undone.map(({ reviewer, item }) => line("withdraw", reviewer, item))
      expect(standingDecisions([...made(before), ...made(after), ...withdrawals])).toEqual(made(before))
    }),
  )
})
