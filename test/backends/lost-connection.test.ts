import { join } from "node:path"
import { expect, it } from "vitest"
import { localTransport } from "../../src/backends/_local-transport.ts"
import { runner } from "../../src/backends/_runner.ts"
import type { Transport } from "../../src/backends/_transport.ts"
import { JobMayExistError, ProviderError } from "../../src/core/errors.ts"
import { contextOf, python, runnerCase } from "./runner-case.ts"

it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
  "a connection that is lost at step %i of a submit leaves no job, or one that is found; never two",
  { timeout: 120_000 },
  async (step) => {
    const subject = await runnerCase(join(import.meta.dirname, "open-local.ts"))
    const over = (transport: Transport) =>
      runner(contextOf(subject.workspace), {
        name: "elsewhere",
        transport,
        environment: () => ({ PATH: process.env["PATH"] ?? "" }),
        options: {},
        trainer: async (base) => ({ python, folder: join(subject.workspace, "trainer"), base }),
      })
    const submit = (transport: Transport) =>
      over(transport).submit(subject.plan, subject.files, { submissionKey: "key", resume: false })
    try {
      const error = await submit(losingAt(step)).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ProviderError)
      expect(error).toMatchObject({ isRetryable: true })
      // An error that does not say so says that no job was created.
      if (!(error instanceof JobMayExistError)) {
        // Time enough for one to show.
        await new Promise((done) => setTimeout(done, 1000))
        expect(await subject.begun()).toBe(0)
      }
      const job = (await over(localTransport).find("key", subject.files)) ?? (await submit(localTransport))
      await subject.let("succeed")
      let state = ""
      while (state !== "succeeded") state = (await over(localTransport).poll(job, subject.files)).state
      expect(await subject.begun()).toBe(1)
    } finally {
      await subject.close()
    }
  },
)

/** This machine's transport, which reaches nothing from the step on; a start is done, and its answer is lost. */
function losingAt(step: number): Transport {
  let left = step
  const lost = () => new ProviderError("the connection is lost", { provider: "elsewhere", isRetryable: true })
  const unlessLost = async <Value>(call: () => Promise<Value>): Promise<Value> => {
    left--
    if (left <= 0) throw lost()
    return call()
  }
  return {
    ...localTransport,
    put: (local, remote) => unlessLost(() => localTransport.put(local, remote)),
    read: (remote, offset) => unlessLost(() => localTransport.read(remote, offset)),
    isAlive: (process) => unlessLost(() => localTransport.isAlive(process)),
    async start(command) {
      const started = await localTransport.start(command)
      try {
        return await unlessLost(async () => started)
      } catch (error) {
        throw new JobMayExistError("the answer is lost", { provider: "elsewhere", isRetryable: true, cause: error })
      }
    },
  }
}
