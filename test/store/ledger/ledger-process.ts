// A process of the ledger's contract: `node ledger-process.ts <opener> <folder> <work> <start>` does the work as fast
// as it can from the moment `start` on, and prints a line of JSON for each thing that is done.
import type { Ledger } from "../../../src/core/contracts/ledger.ts"
import { answer, sending } from "./asked.ts"

const [opener = "", folder = "", work = "", start = "0"] = process.argv.slice(2)
const { default: open } = (await import(opener)) as { default: (folder: string) => Ledger | Promise<Ledger> }
const ledger = await open(folder)
const done = (what: unknown) => process.stdout.write(`${JSON.stringify(what)}\n`)

const works: Readonly<Record<string, () => Promise<void>>> = {
  /** Begins attempts until the task's ceiling is reached. */
  async ceilings() {
    for (let number = 0; ; number++) {
      const result = await ledger.requests.begin([sending(number)], { taskUsd: 30 })
      if ("reached" in result) return
      done(result.attempts[0])
    }
  },
  /** Begins what another has not begun. */
  async submissions() {
    for (let attempt = 1; attempt <= 30; attempt++)
      if ((await ledger.runs.beginSubmission("r", `${process.pid}-${attempt}`, attempt)) === "begun") done(attempt)
  },
  /** Says of one submission after another whether it has a job. */
  async words() {
    for (let number = 0; number < 30; number++) {
      const [run, key] = [`r${number}`, `key-${number}`]
      const word = { type: "resolved", submissionKey: key, outcome: "not-created", by: String(process.pid) } as const
      if (await ledger.runs.resolveSubmission(run, key, [word])) done(run)
    }
  },
  /** Begins trainings of runs of its own until the workspace's ceiling is reached. */
  async trainings() {
    for (let number = 0; ; number++) {
      const run = `${process.pid}-${number}`
      await ledger.runs.create({ run, job: "j", task: "t", plan: "p" })
      const reservation = { estimateUsd: 1, ceilings: { workspaceUsd: 30 } }
      if ((await ledger.runs.beginSubmission(run, run, 1, reservation)) !== "begun") return
      done(run)
    }
  },
  /** Polls from where the last poll ended. */
  async cursors() {
    for (let poll = 0; poll < 60; poll++) {
      const expected = await ledger.runs.cursor("r")
      const next = String(Number(expected ?? 0) + 1)
      const bodies = [{ type: "metric-logged", step: Number(next), values: {} } as const]
      if (await ledger.runs.appendEvents("r", bodies, { expected, next })) done(next)
    }
  },
  /** Asks and polls until it is killed. */
  async endless() {
    for (let number = 0; ; number++) {
      const begun = await ledger.requests.begin([sending(number)])
      if ("reached" in begun) throw new Error("there is no ceiling")
      done({ begun: number })
      const attempt = begun.attempts[0] ?? 0
      await ledger.requests.settle([{ attempt, outcome: "answered", answer: answer(`${number}`), costUsd: 0.5 }])
      const cursor = { expected: number === 0 ? undefined : String(number - 1), next: String(number) }
      await ledger.runs.appendEvents("r", [{ type: "checkpoint-saved", step: number }], cursor)
      done({ answered: number })
    }
  },
}

while (Date.now() < Number(start));
await works[work]?.()
await ledger.close()
