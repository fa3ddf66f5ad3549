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
        expect(begun.filter((isBegun) => isBegun)).toHaveLength(1)
      }
      expect(await commands[0]?.runs.beginSubmission("r", "key", 1)).toBe(false)
      const events = (await commands[0]?.runs.events("r")) ?? []
      expect(events.flatMap((found) => (found.type === "submitting" ? [found.attempt] : []))).toEqual([1, 2])
    })
  })
}
