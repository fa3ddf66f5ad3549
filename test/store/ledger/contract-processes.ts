import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { seeded } from "../../seeded.ts"
import { sending } from "./asked.ts"
import type { LedgerBench } from "./contract.ts"

/** What holds between processes, and when one is killed. */
export function processesContract(bench: () => LedgerBench): void {
  describe("two processes at once", { timeout: 120_000 }, () => {
    const run = { run: "r", job: "j", task: "t", plan: "p" }

    it("never pass a ceiling together, and spend all of it", async () => {
      const done = await together(bench(), "ceilings")
      const ledger = await bench().open()
      expect(done).toHaveLength(30)
      expect(new Set(done).size).toBe(30)
      expect(await ledger.requests.spentUsd("t")).toBe(30)
      expect(await ledger.verify()).toEqual([])
    })

    it("never pass a ceiling on trainings together, and spend all of it", async () => {
      const done = await together(bench(), "trainings")
      const ledger = await bench().open()
      expect(done).toHaveLength(30)
      expect(await ledger.runs.spending()).toEqual({ endedUsd: 0, openUsd: 30, unknown: 0 })
      expect(await ledger.verify()).toEqual([])
    })

    it("begin each submission once", async () => {
      const ledger = await bench().open()
      await ledger.runs.create(run)
      const done = await together(bench(), "submissions")
      const events = await ledger.runs.events("r")
      const submitted = events.flatMap((event) => (event.type === "submitting" ? [event.attempt] : []))
      expect(submitted).toEqual([...new Set(submitted)])
      expect(done.map(Number).sort((a, b) => a - b)).toEqual(submitted)
    })

    it("take one word on each submission", async () => {
      const ledger = await bench().open()
      const runs = Array.from({ length: 30 }, (_, number) => `r${number}`)
      for (const [number, name] of runs.entries()) {
        await ledger.runs.create({ ...run, run: name })
        await ledger.runs.beginSubmission(name, `key-${number}`, 1)
      }
      expect((await together(bench(), "words")).map((line) => JSON.parse(line)).sort()).toEqual(runs.toSorted())
      for (const name of runs) {
        const said = (await ledger.runs.events(name)).filter(({ type }) => type === "resolved")
        expect(said).toHaveLength(1)
      }
    })

    it("take the events of a cursor once, and lose none", async () => {
      const ledger = await bench().open()
      await ledger.runs.create(run)
      const done = await together(bench(), "cursors")
      const events = await ledger.runs.events("r")
      const steps = events.flatMap((event) => (event.type === "metric-logged" ? [event.step] : []))
      expect(steps).toEqual(Array.from({ length: done.length }, (_, index) => index + 1))
      expect(await ledger.runs.cursor("r")).toBe(String(done.length))
    })
  })

  describe("a process that is killed", { timeout: 120_000 }, () => {
    it("leaves everything that was done, at most one thing half begun, and a sound ledger", async () => {
      const random = seeded(14)
      const ledger = await bench().open()
      await ledger.runs.create({ run: "r", job: "j", task: "t", plan: "p" })
      const { child, lines } = start(bench(), "endless", 0)
      const ended = new Promise((done) => child.on("close", done))
      const enough = 6 + Math.floor(random() * 20)
      while (lines.length < enough && child.exitCode === null) await new Promise((done) => setTimeout(done, 5))
      child.kill("SIGKILL")
      await ended
      const reported = lines.map((line) => JSON.parse(line) as { begun?: number; answered?: number })
      const begun = reported.filter((line) => line.begun !== undefined).length
      const answered = reported.filter((line) => line.answered !== undefined).length
      expect(await ledger.verify()).toEqual([])
      const totals = await ledger.requests.totals("t")
      expect(totals.requests - begun).toBeGreaterThanOrEqual(0)
      expect(totals.requests - begun).toBeLessThanOrEqual(1)
      expect(totals.answered).toBeGreaterThanOrEqual(answered)
      const polled = (await ledger.runs.events("r")).filter(({ type }) => type === "checkpoint-saved").length
      expect(polled).toBeGreaterThanOrEqual(answered)
      expect(await ledger.runs.cursor("r")).toBe(String(polled - 1))
      // What was in flight counts at its worst until somebody says what it cost.
      const inFlight = totals.requests - totals.answered
      expect(await ledger.requests.spentUsd("t")).toBe(totals.answered * 0.5 + inFlight)
      expect(await ledger.requests.bookLost("t")).toEqual({ attempts: inFlight, usd: inFlight })
      expect((await ledger.requests.answered([sending(0).key])).size).toBe(1)
    })
  })
}

/** What both processes did, in the order of their lines. */
async function together(bench: LedgerBench, work: string): Promise<string[]> {
  // Both begin at the same moment, when both are ready.
  const at = Date.now() + 3000
  const both = [start(bench, work, at), start(bench, work, at)]
  const codes = await Promise.all(both.map(({ child }) => new Promise((done) => child.on("close", done))))
  expect(codes).toEqual([0, 0])
  return both.flatMap(({ lines }) => lines)
}

function start(bench: LedgerBench, work: string, at: number): { child: ChildProcess; lines: string[] } {
  const script = join(import.meta.dirname, "ledger-process.ts")
  const child = spawn(process.execPath, [script, bench.opener, bench.folder, work, String(at)], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const lines: string[] = []
  let rest = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n")
    rest = parts.pop() ?? ""
    lines.push(...parts)
  })
  return { child, lines }
}
