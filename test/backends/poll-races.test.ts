import { existsSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { localTransport } from "../../src/backends/_local-transport.ts"
import { pollTraining } from "../../src/backends/_training.ts"
import type { Transport } from "../../src/backends/_transport.ts"
import type { SentEvent } from "../../src/core/training/run.ts"
import { runnerCase, until } from "./runner-case.ts"

it.each([1, 2, 3, 4])(
  "a training that ends after look %i of a poll has succeeded, with its last step and its model",
  { timeout: 120_000 },
  async (look) => {
    const subject = await runnerCase(join(import.meta.dirname, "open-local.ts"))
    try {
      const job = await subject.open().submit(subject.plan, subject.files, { submissionKey: "key", resume: false })
      const end = async () => {
        await subject.let("step")
        await subject.let("succeed")
        await until(() => existsSync(join(subject.files.folder, "trainer", "exit.json")) && !subject.isWorking())
      }
      const events: SentEvent[] = []
      const first = await pollTraining(endingAfter(look, end), job, subject.files, undefined)
      expect(first.state).toMatch(/running|succeeded/)
      events.push(...first.events)
      // A run that is over is not asked again: what was not seen by then is lost.
      if (first.state === "running") {
        const second = await pollTraining(localTransport, job, subject.files, first.cursor)
        expect(second.state).toBe("succeeded")
        events.push(...second.events)
      }
      expect(events.map(({ type }) => type)).toEqual(["started", "metric-logged", "model-ready"])
    } finally {
      await subject.close()
    }
  },
)

/** This machine's transport; the training ends when it has been looked at so many times. */
function endingAfter(looks: number, end: () => Promise<void>): Transport {
  let left = looks
  const counted = async <Seen>(seen: Promise<Seen>): Promise<Seen> => {
    const value = await seen
    left--
    if (left === 0) await end()
    return value
  }
  return {
    ...localTransport,
    read: (remote, offset) => counted(localTransport.read(remote, offset)),
    isAlive: (process) => counted(localTransport.isAlive(process)),
  }
}
