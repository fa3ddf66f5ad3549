import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { sameOutput } from "../../../src/core/task/output.ts"
import { taskKinds } from "../../../src/core/task/task.ts"
import { agreementOf } from "../../../src/curation/rows/output-agreement.ts"
import { pairOf, tasks } from "../../strategies/tasks.ts"

describe("the agreement of two outputs", () => {
  it.each(taskKinds)("of a %s task is the same both ways, between 0 and 1, and 1 for the same output alone", (kind) => {
    const task = tasks[kind]
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), (first, second) => {
        const [a, b] = [pairOf(task, first).output, pairOf(task, second).output]
        const agreement = agreementOf(task, a, b)
        expect(agreement).toBe(agreementOf(task, b, a))
        expect(agreement).toBeGreaterThanOrEqual(0)
        expect(agreement).toBeLessThanOrEqual(1)
        expect(agreement === 1).toBe(sameOutput(task, a, b))
      }),
    )
  })

  it("counts the labels, leaves and arguments that both have", () => {
    expect(agreementOf(tasks.multilabel, ["price", "time"], ["time"])).toBe(1 / 2)
    expect(
      agreementOf(tasks.json, { product: "a", items: [{ unit: "box" }] }, { product: "b", items: [{ unit: "box" }] }),
    ).toBe(1 / 3)
    const call = (given: unknown) => ({
      tool_calls: [{ type: "function", function: { name: "book_room", arguments: given } }],
    })
    expect(agreementOf(tasks.chat, call({ nights: 2 }), call('{"nights": 2}'))).toBe(1)
    expect(agreementOf(tasks.chat, call({ nights: 2 }), call({ nights: 3 }))).toBe(1 / 2)
    expect(agreementOf(tasks.chat, call({ nights: 2 }), { content: "no" })).toBe(0)
  })
})
