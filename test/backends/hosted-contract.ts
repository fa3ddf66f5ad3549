import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { BackendContext, FineTuneBackend } from "../../src/core/contracts/backend.ts"
import { JobMayExistError, ProviderError } from "../../src/core/errors.ts"
import { isTerminal } from "../../src/core/training/run.ts"
import { backendContract, type BackendCase } from "./contract.ts"
import type { Fault, WireServer } from "./wire-server.ts"

/** A backend over a service whose server misbehaves when it is told to. */
export interface HostedCase extends BackendCase {
  /** A backend as a new process would make it, in other circumstances. */
  openIn(circumstances: Partial<BackendContext>): FineTuneBackend
  readonly server: WireServer
  /** The call that creates a job, the one that looks at it, and the one that lists jobs where there is one. */
  readonly calls: { readonly create: RegExp; readonly look: RegExp; readonly list?: RegExp }
}

const dayMs = 86_400_000

/** What every hosted backend promises: that of any backend, and what holds when its service misbehaves. */
export function hostedContract(name: string, make: () => Promise<HostedCase>): void {
  backendContract(name, make)

  describe(`the backend ${name}, whose service misbehaves`, { timeout: 60_000 }, () => {
    let subject: HostedCase
    let stranger: Awaited<ReturnType<typeof listening>>
    beforeEach(async () => {
      subject = await make()
      stranger = await listening()
    })
    afterEach(async () => {
      stranger.server.close()
      await subject.close()
    })
    const submit = (submissionKey = "key-1", backend = subject.open()) =>
      backend.submit(subject.plan, subject.files, { submissionKey, resume: false })
    const poll = (job: Awaited<ReturnType<typeof submit>>) => subject.open().poll(job, subject.files)
    const fault = (what: keyof HostedCase["calls"], when: Fault["when"], answer: Fault["answer"], times = 1) => {
      const call = subject.calls[what]
      if (call !== undefined)
        for (let time = 0; time < times; time++) subject.server.faults.push({ call, when, answer })
    }
    const failure = (work: Promise<unknown>) =>
      work.then(
        () => undefined,
        (error: unknown) => error as Error,
      )

    it("waits as long as a busy service asks for, and creates one job", async () => {
      const waits: number[] = []
      const sleep = async (milliseconds: number) => void waits.push(milliseconds)
      fault("create", "before", { status: 429, headers: { "retry-after": "7" } })
      await submit("key-1", subject.openIn({ sleep }))
      expect(waits).toContain(7000)
      expect(await subject.begun()).toBe(1)
    })

    it.each<[string, Fault["answer"]]>([
      ["answers with an error", { status: 500 }],
      ["answers with a gateway's page", { status: 504, body: "<html>gateway</html>" }],
      ["hangs up", "cut"],
      ["breaks off in its answer", "truncated"],
      ["answers with something else", { status: 200, body: "null" }],
    ])("never creates a second job after one that was created when it %s", async (_how, answer) => {
      fault("create", "after", answer)
      expect(await failure(submit())).toBeInstanceOf(JobMayExistError)
      // Where the service can say that there is one, the next command has it.
      const next = await failure(submit())
      if (next !== undefined) expect(next).toMatchObject({ code: "provider" })
      if (subject.listsNoJobs !== true) expect(next).toBeUndefined()
      expect(await subject.begun()).toBe(1)
    })

    it.each<[string, Fault["answer"]]>([
      ["answers with an error", { status: 500 }],
      ["hangs up", "cut"],
    ])("creates the job in the end where it %s before it did anything", async (_how, answer) => {
      if (subject.listsNoJobs === true) return
      fault("create", "before", answer)
      expect(await failure(submit())).toBeInstanceOf(JobMayExistError)
      await submit()
      expect(await subject.begun()).toBe(1)
    })

    it("takes a refusal for what it is, shows no key that it repeats, and may submit again", async () => {
      const { key } = subject.server
      const body = JSON.stringify({ error: { message: `not with ${key}` }, message: `not with ${key}`, detail: key })
      fault("create", "before", { status: 400, body })
      const refused = await failure(submit())
      expect(refused).not.toBeInstanceOf(JobMayExistError)
      expect(refused).toMatchObject({ mayHaveCost: false })
      expect(`${refused?.message} ${JSON.stringify(refused)}`).not.toContain(key)
      await submit("key-2")
      expect(await subject.begun()).toBe(1)
    })

    it.each<[string, Fault["answer"]]>([
      ["is busy", { status: 429, headers: { "retry-after": "1" } }],
      ["fails", { status: 503 }],
      ["hangs up", "cut"],
      ["breaks off in its answers", "truncated"],
      ["answers with a page", { status: 200, body: "<html>hello</html>" }],
      ["answers with nothing that is known", { status: 200, body: "{}" }],
    ])("takes nothing for over while it %s, and is asked again", async (_how, answer) => {
      const job = await submit()
      await subject.let("step")
      fault("look", "after", answer, 10)
      const error = await failure(poll(job))
      expect(error).toBeInstanceOf(ProviderError)
      expect(error).toMatchObject({ isRetryable: true })
      subject.server.faults.length = 0
      expect(isTerminal((await poll(job)).state)).toBe(false)
      await subject.let("succeed")
      await expect.poll(async () => (await poll(job)).state).toBe("succeeded")
    })

    it("breaks on no null, and takes none for an end", async () => {
      const job = await submit()
      await subject.let("step")
      fault("look", "after", "nulls", 10)
      const seen = await poll(job).catch((error: unknown) => error)
      if (seen instanceof Error) expect(seen).toMatchObject({ isRetryable: true })
      else expect(isTerminal((seen as Awaited<ReturnType<typeof poll>>).state)).toBe(false)
      subject.server.faults.length = 0
      await subject.let("succeed")
      await expect.poll(async () => (await poll(job)).state).toBe("succeeded")
    })

    it("reads a list of jobs of which some say hardly anything, and creates what is not among them", async () => {
      await submit()
      fault("list", "after", "nulls", 10)
      expect(await subject.open().find("key-2", subject.files)).toBeUndefined()
      await submit("key-2")
      expect(await subject.begun()).toBe(2)
    })

    it("waits for an answer that comes in pieces", async () => {
      fault("create", "after", "slow")
      const job = await submit()
      fault("look", "after", "slow")
      expect(isTerminal((await poll(job)).state)).toBe(false)
      expect(await subject.begun()).toBe(1)
    })

    it("sends its key to no other address, wherever it is sent on to", async () => {
      const away = { status: 307, headers: { location: `${stranger.url}/v1/away` } }
      fault("create", "before", away)
      expect(await failure(submit())).toBeInstanceOf(ProviderError)
      expect(stranger.seen).toEqual([])
      const job = await submit("key-2")
      fault("look", "before", away)
      await failure(poll(job))
      expect(stranger.seen.join()).not.toContain(subject.server.key)
      expect(await subject.begun()).toBe(1)
    })

    it.each([-dayMs, dayMs])("finds its job by a clock that is %i ms off, and creates no other", async (offMs) => {
      const job = await submit()
      const off = () => subject.openIn({ now: () => new Date(Date.now() + offMs) })
      expect(await off().find("key-1", subject.files)).toEqual(job)
      expect(await submit("key-1", off())).toEqual(job)
      expect(isTerminal((await off().poll(job, subject.files)).state)).toBe(false)
      expect(await subject.begun()).toBe(1)
    })
  })
}

/** A server at another address, and what it was sent. */
async function listening(): Promise<{ readonly server: Server; readonly url: string; readonly seen: string[] }> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      seen.push(`${request.method} ${JSON.stringify(request.headers)} ${Buffer.concat(chunks).toString("utf8")}`)
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}
