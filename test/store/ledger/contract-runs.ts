import { describe, expect, it } from "vitest"
import type { LedgerBench } from "./contract.ts"

const run = { run: "r", job: "j", task: "t", plan: "p" }
const event = { type: "metric-logged", step: 1, values: { loss: 1 } } as const

/** Runs, submissions, events and their cursor. */
export function runsContract(bench: () => LedgerBench): void {
  describe("runs", () => {
    it("are there once, newest first, by plan, job and task", async () => {
      const ledger = await bench().open()
      await ledger.runs.create(run)
      await ledger.runs.create({ ...run, plan: "another" })
      await ledger.runs.create({ ...run, run: "r2", plan: "p2" })
      const again = await bench().open()
      expect((await again.runs.list()).map(({ run: id, plan }) => [id, plan])).toEqual([
        ["r2", "p2"],
        ["r", "p"],
      ])
      expect(await again.runs.list({ plan: "p" })).toMatchObject([run])
      expect(await again.runs.list({ task: "elsewhere" })).toEqual([])
      expect(await again.runs.events("r")).toMatchObject([{ run: "r", sequence: 1, type: "planned", plan: "p" }])
    })

    it("keep the events of several writers at once, each once and without a gap", async () => {
      const writers = [await bench().open(), await bench().open()]
      await writers[0]?.runs.create(run)
      await Promise.all(
        Array.from({ length: 20 }, (_, step) => writers[step % 2]?.runs.appendEvents("r", [{ ...event, step }, event])),
      )
      const events = (await writers[0]?.runs.events("r")) ?? []
      expect(events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 41 }, (_, index) => index + 1))
      expect(new Set(events.map((found) => (found.type === "metric-logged" ? found.step : -1))).size).toBe(21)
    })

    it("take the events of one of several polls from the same cursor, and the others write nothing", async () => {
      const watchers = [await bench().open(), await bench().open(), await bench().open()]
      await watchers[0]?.runs.create(run)
      for (const [expected, next] of [
        [undefined, "5"],
        ["5", "9"],
      ] as const) {
        const taken = await Promise.all(
          watchers.map((ledger) => ledger.runs.appendEvents("r", [event], { expected, next })),
        )
        expect(taken.filter((isTaken) => isTaken)).toHaveLength(1)
        expect(await watchers[1]?.runs.cursor("r")).toBe(next)
      }
      expect(await watchers[0]?.runs.appendEvents("r", [event], { expected: undefined, next: "6" })).toBe(false)
      expect(await watchers[2]?.runs.events("r")).toHaveLength(3)
    })

    it("begin each attempt for one of several commands", async () => {
      const commands = [await bench().open(), await bench().open(), await bench().open()]
      await commands[0]?.runs.create(run)
      for (const attempt of [1, 2]) {
        const begun = await Promise.all(
          commands.map((ledger, index) => ledger.runs.beginSubmission("r", `key-${attempt}-${index}`, attempt)),
        )
        expect(begun.filter((outcome) => outcome === "begun")).toHaveLength(1)
        expect(begun.filter((outcome) => outcome === "taken")).toHaveLength(2)
      }
      expect(await commands[0]?.runs.beginSubmission("r", "key", 1)).toBe("taken")
      const events = (await commands[0]?.runs.events("r")) ?? []
      expect(events.flatMap((found) => (found.type === "submitting" ? [found.attempt] : []))).toEqual([1, 2])
    })

    it("take a person's word on the submission that is open, and on no other", async () => {
      const ledger = await bench().open()
      await ledger.runs.create(run)
      const word = (submissionKey: string) =>
        ledger.runs.resolveSubmission("r", submissionKey, [
          { type: "resolved", submissionKey, outcome: "not-created", by: "amara" },
        ])
      expect(await word("key-1")).toBe(false)
      await ledger.runs.beginSubmission("r", "key-1", 1)
      expect(await word("key-0")).toBe(false)
      expect(await word("key-1")).toBe(true)
      expect(await word("key-1")).toBe(false)
      await ledger.runs.beginSubmission("r", "key-2", 2)
      await ledger.runs.appendEvents("r", [
        { type: "submitted", job: { backend: "b", id: "job-2", submissionKey: "key-2" } },
      ])
      expect(await word("key-2")).toBe(false)
      expect((await ledger.runs.events("r")).filter(({ type }) => type === "resolved")).toHaveLength(1)
    })

    it("begin one lease at a time for a run, for one of several commands, and none above the ceiling", async () => {
      const commands = [await bench().open(), await bench().open(), await bench().open()]
      const [first] = commands
      const noon = Date.parse("2026-11-30T12:00:00Z")
      await first?.runs.create(run)
      await first?.runs.create({ ...run, run: "other" })
      const terms = (key: string, hours = 1) => ({
        ...({ key, purpose: "serving", hardware: "h100", usdPerHour: 4 } as const),
        ...{ asOf: "2026-11-30", source: "this test", until: new Date(noon + hours * 3_600_000).toISOString() },
      })
      expect(await first?.runs.beginLease("r", terms("dear", 2), 5)).toEqual({ reached: { limitUsd: 5, spentUsd: 0 } })
      const begun = await Promise.all(
        commands.map((ledger, index) => ledger.runs.beginLease("r", terms(`key-${index}`), 5)),
      )
      expect(begun.filter((outcome) => outcome === "begun")).toHaveLength(1)
      expect(begun.filter((outcome) => outcome === "taken")).toHaveLength(2)
      // What goes on counts to its end.
      expect(await first?.runs.beginLease("other", terms("o"), 5)).toMatchObject({ reached: { limitUsd: 5 } })
      const [lease] = (await first?.runs.leases("r")) ?? []
      expect(lease).toMatchObject({ run: "r", state: "uncertain", usdPerHour: 4 })
      const ended = { type: "undeployed", lease: lease?.key ?? "", endedAt: "2026-11-30T00:00:00Z", usd: 0.5 } as const
      await first?.runs.appendEvents("r", [ended])
      expect(await commands[1]?.runs.beginLease("other", terms("o"), 5)).toBe("begun")
      expect((await commands[2]?.runs.leases())?.map(({ run: of, state }) => [of, state])).toEqual([
        ["other", "uncertain"],
        ["r", "over"],
      ])
      expect(await first?.verify()).toEqual([])
    })

    it("begin no training that would pass a ceiling, and say what is spent and what is open", async () => {
      const { runs } = await bench().open()
      await runs.create(run)
      await runs.create({ ...run, run: "other", job: "other" })
      const ask = (id: string, attempt: number, estimateUsd: number | undefined, ceilings: object) =>
        runs.beginSubmission(id, `${id}-${attempt}`, attempt, { estimateUsd, ceilings })
      const job = (id: string, attempt: number) =>
        ({ type: "submitted", job: { backend: "b", id: `job-${id}`, submissionKey: `${id}-${attempt}` } }) as const
      const failed = { type: "state-changed", state: "failed" } as const

      expect(await ask("r", 1, 5, { jobUsd: 4.99 })).toEqual({
        reached: { scope: "job", limitUsd: 4.99, spending: { endedUsd: 0, openUsd: 0, unknown: 0 } },
      })
      expect(await runs.events("r")).toMatchObject([{ type: "planned" }])
      expect(await ask("r", 1, 5, { jobUsd: 5, workspaceUsd: 5 })).toBe("begun")
      expect(await ask("other", 1, 1, { jobUsd: 1, workspaceUsd: 5 })).toEqual({
        reached: { scope: "workspace", limitUsd: 5, spending: { endedUsd: 0, openUsd: 5, unknown: 0 } },
      })
      // It is over and cost less than was thought; of one that failed before it had a job nothing is owed.
      await runs.appendEvents("r", [job("r", 1), { type: "cost", usd: 2, source: "computed" }, failed])
      expect(await runs.spending()).toEqual({ endedUsd: 2, openUsd: 0, unknown: 0 })
      expect(await ask("other", 1, 3, { jobUsd: 3, workspaceUsd: 5 })).toBe("begun")
      await runs.appendEvents("other", [failed])
      expect([await runs.spending("other"), await runs.spending("j")]).toMatchObject([{ endedUsd: 0 }, { endedUsd: 2 }])
      // One that is over and of which nobody knows what it cost counts at its estimate.
      expect(await ask("other", 2, 3, { jobUsd: 3 })).toBe("begun")
      await runs.appendEvents("other", [job("other", 2), failed])
      expect(await runs.spending("other")).toEqual({ endedUsd: 3, openUsd: 0, unknown: 0 })
      // One without an estimate counts nothing until its cost is known, and is counted.
      expect(await ask("other", 3, undefined, { jobUsd: 3 })).toBe("begun")
      expect(await runs.spending("other")).toEqual({ endedUsd: 3, openUsd: 0, unknown: 1 })
    })
  })
}
