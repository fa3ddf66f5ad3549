import { describe, expect, it } from "vitest"
import { answer, begun, sending } from "./asked.ts"
import type { LedgerBench } from "./contract.ts"

/** Requests, their attempts, batches and cost. */
export function asksContract(bench: () => LedgerBench): void {
  describe("attempts", () => {
    it("never pass a ceiling together, of the task or of the workspace, all of a call or none", async () => {
      const ledgers = [await bench().open(), await bench().open()]
      for (const [task, ceilings] of [
        ["t", { taskUsd: 6 }],
        ["t2", { workspaceUsd: 12 }],
      ] as const) {
        const results = await Promise.all(
          Array.from({ length: 10 }, (_, index) => {
            const pair = [sending(2 * index, { task }), sending(2 * index + 1, { task, worstUsd: 0.5 })]
            return ledgers[index % 2]?.requests.begin(pair, ceilings)
          }),
        )
        const attempts = results.flatMap((result) => (result && "attempts" in result ? [result.attempts] : []))
        expect(attempts.map(({ length }) => length)).toEqual([2, 2, 2, 2])
        const reached = results.flatMap((result) => (result && "reached" in result ? [result.reached] : []))
        const scope = task === "t" ? "task" : "workspace"
        const limitUsd = scope === "task" ? 6 : 12
        expect(reached).toEqual(Array.from({ length: 6 }, () => ({ scope, limitUsd, spentUsd: limitUsd })))
        expect(await ledgers[0]?.requests.spentUsd(task)).toBe(6)
      }
      expect(await ledgers[1]?.requests.spentUsd()).toBe(12)
    })

    it("count at their worst until it is known what they cost; an unknown price counts nothing", async () => {
      const ledger = await bench().open()
      const sendings = [1, 2, 3, 4].map((number) => sending(number, { worstUsd: number === 4 ? null : 1 }))
      const [first, second, third, fourth] = await begun(ledger, ...sendings)
      const keys = sendings.map(({ key }) => key)
      expect(await ledger.requests.spendingOf(keys)).toMatchObject({ attempts: 4, usd: 3, unpriced: 1, unknown: 0 })
      await ledger.requests.settle([
        { attempt: first ?? 0, outcome: "answered", answer: answer("one"), costUsd: 0.25 },
        { attempt: second ?? 0, outcome: "refused" },
        { attempt: third ?? 0, outcome: "unknown" },
        { attempt: fourth ?? 0, outcome: "answered", answer: answer("four"), costUsd: null },
      ])
      const spending = {
        attempts: 4,
        usd: 1.25,
        unpriced: 1,
        unknown: 1,
        uncounted: 0,
        inputTokens: 6,
        outputTokens: 4,
      }
      expect(await ledger.requests.spendingOf(keys)).toEqual(spending)
      expect(await ledger.requests.spendingByPurpose()).toEqual([{ task: "t", purpose: "self-instruct", ...spending }])
      expect(await ledger.requests.spendingOf([])).toMatchObject({ attempts: 0, usd: 0 })
      expect(await ledger.requests.totals("t")).toEqual({
        requests: 4,
        sent: 4,
        answered: 2,
        inputTokens: 6,
        outputTokens: 4,
      })
    })

    it("never earn money, whatever an earlier version booked, and say what nobody counted", async () => {
      const ledger = await bench().open()
      const sendings = [sending(1, { worstUsd: 1 }), sending(2, { worstUsd: 1 })]
      const [first = 0, second = 0] = await begun(ledger, ...sendings)
      await ledger.requests.settle([
        { attempt: first, outcome: "answered", answer: answer("one"), costUsd: -20_000 },
        { attempt: second, outcome: "answered", answer: { ...answer("two"), inputTokens: null }, costUsd: 1 },
      ])
      expect(await ledger.requests.spentUsd("t")).toBe(1)
      expect(await ledger.requests.spendingOf(sendings.map(({ key }) => key))).toMatchObject({ usd: 1, uncounted: 1 })
    })

    it("settle all or none", async () => {
      const ledger = await bench().open()
      const [attempt = 0] = await begun(ledger, sending(1))
      await expect(
        ledger.requests.settle([
          { attempt, outcome: "answered", answer: answer("one"), costUsd: 0.25 },
          { attempt: attempt + 99, outcome: "refused" },
        ]),
      ).rejects.toThrow(/attempt/)
      expect(await ledger.requests.spentUsd()).toBe(1)
      expect((await ledger.requests.answered([sending(1).key])).size).toBe(0)
    })

    it("that a dead process left are booked as unknown, once; those in a batch are not", async () => {
      const ledger = await bench().open()
      await begun(ledger, sending(1), sending(2))
      await begun(ledger, sending(3, { task: "t2" }))
      await ledger.requests.begin([sending(4)], {}, { baseUrl: "http://127.0.0.1:1/v1", name: "t-x" })
      expect(await ledger.requests.bookLost("t")).toEqual({ attempts: 2, usd: 2 })
      expect(await ledger.requests.bookLost("t")).toEqual({ attempts: 0, usd: 0 })
      expect(await ledger.requests.spendingOf([sending(1).key, sending(4).key])).toMatchObject({ usd: 2, unknown: 1 })
    })
  })

  describe("answers", () => {
    it("are kept for good, the first of a request, and come in bulk", async () => {
      const ledger = await bench().open()
      const attempts = await begun(ledger, sending(1), sending(2), sending(1))
      for (const [index, text] of ["one", "two", "another"].entries())
        await ledger.requests.settle([
          { attempt: attempts[index] ?? 0, outcome: "answered", answer: answer(text), costUsd: 0 },
        ])
      await begun(ledger, sending(3))
      const again = await bench().open()
      const keys = [3, 2, 1, 9].map((number) => sending(number).key)
      expect(new Map(await again.requests.answers(keys))).toEqual(
        new Map([
          [sending(1).key, answer("one")],
          [sending(2).key, answer("two")],
        ]),
      )
      expect(new Set(await again.requests.answered(keys))).toEqual(new Set([sending(1).key, sending(2).key]))
      const found = await again.requests.find(keys)
      expect(found.get(sending(1).key)).toMatchObject({
        task: "t",
        purpose: "self-instruct",
        attempts: 2,
        isErased: false,
        request: sending(1).request,
        answer: answer("one"),
      })
      expect(found.get(sending(3).key)).not.toHaveProperty("answer")
      expect(found.has(sending(9).key)).toBe(false)
      expect(await again.requests.recording("t")).toEqual([
        { request: sending(1).request, answer: answer("one") },
        { request: sending(2).request, answer: answer("two") },
      ])
      expect(await again.verify()).toEqual([])
    })

    it("that are reopened count as missing, and what they cost stays; of what was erased none is", async () => {
      const ledger = await bench().open()
      const attempts = await begun(ledger, sending(1), sending(2), sending(3))
      for (const attempt of attempts)
        await ledger.requests.settle([{ attempt, outcome: "answered", answer: answer(""), costUsd: 0.5 }])
      await ledger.requests.erase([sending(3).key])
      const keys = [1, 2, 3].map((number) => sending(number).key)
      await ledger.requests.reopen([keys[0] ?? "", keys[2] ?? "", "sha256:unknown"])
      expect(new Set(await ledger.requests.answered(keys))).toEqual(new Set(keys.slice(1)))
      const [again = 0] = await begun(ledger, sending(1))
      await ledger.requests.settle([{ attempt: again, outcome: "answered", answer: answer("said"), costUsd: 0.25 }])
      expect((await ledger.requests.answers(keys)).get(keys[0] ?? "")).toEqual(answer("said"))
      expect(await ledger.requests.spendingOf(keys)).toMatchObject({ attempts: 4, usd: 1.75 })
      expect(await ledger.verify()).toEqual([])
    })

    it("leave no thought and no refusal behind in an erasure", async () => {
      const ledger = await bench().open()
      const [attempt = 0] = await begun(ledger, sending(1))
      const said = { ...answer("Dear Ada"), thought: "Ada again", refusal: "not for Ada", finish: "stop" }
      await ledger.requests.settle([{ attempt, outcome: "answered", answer: said, costUsd: 0.5 }])
      await ledger.requests.erase([sending(1).key])
      expect(await ledger.requests.saying("t", ["Ada"])).toEqual([])
      const { inputTokens, outputTokens } = said
      expect((await ledger.requests.answers([sending(1).key])).get(sending(1).key)).toEqual({
        text: "",
        inputTokens,
        outputTokens,
        finish: "stop",
      })
    })

    it(
      "and what was asked are gone after an erasure, also when an " + "answer comes late; what it cost is not",
      async () => {
        const ledger = await bench().open()
        const [first = 0, late = 0] = await begun(ledger, sending(1), sending(2), sending(3))
        await ledger.requests.settle([
          { attempt: first, outcome: "answered", answer: answer('[{"body": "Dear \\"Ada\\""}]'), costUsd: 0.5 },
        ])
        expect(await ledger.requests.saying("t", ['Dear "Ada"', "Question 2?"])).toEqual(
          [sending(1).key, sending(2).key].sort(),
        )
        expect(await ledger.requests.saying("t2", ["Question 2?"])).toEqual([])
        await ledger.requests.erase([sending(1).key, sending(2).key])
        await ledger.requests.settle([{ attempt: late, outcome: "answered", answer: answer("late"), costUsd: 0.5 }])
        const found = await ledger.requests.find([sending(1).key, sending(2).key])
        expect(
          [...found.values()].map(({ isErased, request, answer: said }) => [isErased, request, said?.text ?? ""]),
        ).toEqual([
          [true, undefined, ""],
          [true, undefined, ""],
        ])
        expect(await ledger.requests.saying("t", ["Ada", "Question 1?", "late"])).toEqual([])
        expect(await ledger.requests.recording("t")).toEqual([])
        expect(await ledger.requests.spendingOf([sending(1).key, sending(2).key])).toMatchObject({
          usd: 1,
          attempts: 2,
        })
        expect(await ledger.verify()).toEqual([])
      },
    )
  })

  describe("batches", () => {
    const place = { baseUrl: "http://127.0.0.1:1/v1", name: "t-x" }

    it(
      "are there with their attempts before the provider hears of " + "them, under keys that never come again",
      async () => {
        const ledgers = [await bench().open(), await bench().open()]
        await Promise.all([1, 2].map((number) => ledgers[number - 1]?.requests.begin([sending(number)], {}, place)))
        const refused = await ledgers[0]?.requests.begin([sending(3)], { taskUsd: 2 }, place)
        expect(refused).toHaveProperty("reached")
        const open = (await ledgers[1]?.requests.openBatches("t")) ?? []
        expect(open.map(({ submissionKey, remote }) => [submissionKey, remote])).toEqual([
          ["t-x-0", undefined],
          ["t-x-1", undefined],
        ])
        expect(open.flatMap(({ attempts }) => attempts.map(({ request }) => request.seed)).sort()).toEqual([1, 2])
        expect(await ledgers[0]?.requests.openBatches("t2")).toEqual([])
      },
    )

    it("end with what was not settled at its worst", async () => {
      const ledger = await bench().open()
      await ledger.requests.begin([sending(1), sending(2), sending(3)], {}, place)
      const [batch] = await ledger.requests.openBatches("t")
      if (batch === undefined) throw new Error("no batch")
      await ledger.requests.batchSubmitted(batch.batch, "batch_7")
      await ledger.requests.settle([
        { attempt: batch.attempts[0]?.attempt ?? 0, outcome: "answered", answer: answer("one"), costUsd: 0.5 },
      ])
      await ledger.requests.erase([sending(2).key])
      const [open] = await ledger.requests.openBatches("t")
      expect(open).toMatchObject({ remote: "batch_7", attempts: [{ key: sending(3).key }] })
      await ledger.requests.batchEnded(batch.batch, "completed")
      expect(await ledger.requests.openBatches("t")).toEqual([])
      expect(await ledger.requests.spentUsd("t")).toBe(2.5)
    })
  })
}
