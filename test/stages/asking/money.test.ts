import { describe, expect, it } from "vitest"
import type { Ledger } from "../../../src/core/contracts/ledger.ts"
import { BudgetError } from "../../../src/core/errors.ts"
import { type Budget, Money } from "../../../src/stages/asking/money.ts"
import { askingTerms } from "../../../src/stages/growing/asking-terms.ts"
import type { StageContext } from "../../../src/stages/context.ts"
import { seeded } from "../../seeded.ts"
import { delayed } from "../../store/ledger/delayed.ts"
import { type AskingBench, askingBench } from "./asking-context.ts"

const ceilingUsd = 1
const prices = `models:\n  - { match: m, inputUsd: 100, outputUsd: 1000, asOf: 2026-11-24, source: test }\n`

/** A bench whose ledger is far away; `near` is what stands in it at the moment. */
function benchWith(seed: number, scope: "command" | "task" | "workspace"): AskingBench & { readonly near: Ledger } {
  const bench = askingBench("http://127.0.0.1:1/v1", {
    files: {
      "prices.yaml": prices,
      ...(scope === "workspace" ? { "tuneloop.yaml": `budgets: { requestsUsd: ${ceilingUsd} }\n` } : {}),
    },
    ...(scope === "task" ? { expand: { budgetUsd: ceilingUsd } } : {}),
  })
  const near = bench.context.ledger()
  const far = delayed(near, seeded(seed), 3)
  const context: StageContext = { ...bench.context, ledger: () => far, readLedger: () => far }
  return { ...bench, context, near }
}

describe("money with a ledger that takes its time", () => {
  it.each(["command", "task", "workspace"] as const)(
    "never passes the ceiling of the %s, whatever happens at once, and stops only when nothing more fits",
    async (scope) => {
      for (const seed of [1, 2, 3, 4]) {
        const bench = benchWith(seed, scope)
        const random = seeded(seed)
        const budgetUsd = scope === "command" ? ceilingUsd : undefined
        const money = new Money(bench.context, budgetOf(bench, budgetUsd))
        const requests = bench.requests(80)
        await money.include(requests, requests)
        const worstUsd = money.worstUsd(requests[0]?.request ?? never()) ?? never()
        let mostUsd = 0
        const ask = async (planned: (typeof requests)[number]) => {
          const [booked = never()] = await money.begin([planned], "s", () => undefined)
          mostUsd = Math.max(mostUsd, await bench.near.requests.spentUsd())
          await new Promise((done) => setTimeout(done, 5 * random()))
          const mood = random()
          if (mood < 0.5) await money.settle([{ ...booked, outcome: "refused" }])
          else {
            const answer = { text: "a", inputTokens: 10, outputTokens: 60 }
            await money.settle([{ ...booked, outcome: "answered", answer }])
          }
        }
        const outcomes = await Promise.allSettled(requests.map(ask))
        const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []))
        expect(failed.filter((reason) => !(reason instanceof BudgetError))).toEqual([])
        expect(mostUsd).toBeLessThanOrEqual(ceilingUsd)
        expect(failed.length).toBeGreaterThan(0)
        expect(await bench.near.requests.spentUsd()).toBeGreaterThan(ceilingUsd - worstUsd)
      }
    },
  )

  it("gives back what the ledger had no room for", async () => {
    const bench = benchWith(1, "task")
    const { requests: ledger } = bench.context.ledger()
    const [other = never(), ...requests] = bench.requests(11)
    const elsewhere = await ledger.begin([{ ...other, task: "t", purpose: "s", worstUsd: 0.95 }])
    const money = new Money(bench.context, budgetOf(bench, 0.5))
    await money.include(requests, requests)
    const beginAll = () => Promise.allSettled(requests.map((planned) => money.begin([planned], "s", () => undefined)))
    const refused = await beginAll()
    expect(refused.map(({ status }) => status)).toEqual(requests.map(() => "rejected"))
    // Now there is room for the task, and for four below the command's ceiling.
    const attempt = "attempts" in elsewhere ? (elsewhere.attempts[0] ?? never()) : never()
    await ledger.settle([{ attempt, outcome: "refused" }])
    const four = requests.slice(0, 4).map((planned) => money.begin([planned], "s", () => undefined))
    const booked = (await Promise.all(four)).flat()
    expect(new Set(booked.map(({ attempt: number }) => number)).size).toBe(4)
  })
})

function budgetOf({ task }: AskingBench, budgetUsd: number | undefined): Budget {
  return { ...askingTerms(task), budgetUsd, isBatch: false }
}

function never(): never {
  throw new Error("there is no such thing")
}
