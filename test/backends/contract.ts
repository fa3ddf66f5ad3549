import { existsSync, readFileSync, statSync } from "node:fs"
import { afterEach, beforeEach, describe, expect, it, type TestContext } from "vitest"
import type {
  FineTuneBackend,
  GenerationRequest,
  RunFiles,
  StoredThing,
  TrainingPlan,
} from "../../src/core/contracts/backend.ts"
import { ProviderError } from "../../src/core/errors.ts"
import { isTerminal, type RemoteJob, type RunState, type SentEvent } from "../../src/core/training/run.ts"

/** One backend over one real place where jobs live (a server, a machine), empty at first. */
export interface BackendCase {
  /** A backend with nothing in memory, as a new process would make it. The signal is that of Ctrl-C. */
  open(signal?: AbortSignal): FineTuneBackend
  readonly plan: TrainingPlan
  readonly files: RunFiles
  /** How many jobs (or pieces of generation) were begun there in all. */
  begun(): number | Promise<number>
  /** Lets the newest job report one more step, or end. */
  let(what: "step" | "succeed" | "fail"): Promise<void>
  /** A submit creates its job, and the caller never hears of it: it is killed, or its connection is cut. */
  submitUnheard?(submissionKey: string): Promise<void>
  /** The newest job's status becomes a word that nobody knows. */
  becomeStrange?(): Promise<void>
  /** From now on nothing there can be reached, or all of it again. */
  setReachable?(isReachable: boolean): Promise<void>
  /** Whether a job can be stopped; where not, a cancel says so. */
  readonly cannotCancel?: boolean
  /** How many files a job has there; two where it is not said. */
  readonly filesPerJob?: number
  /** Whether the service lists no jobs. */
  readonly listsNoJobs?: boolean
  /** A piece of generation that answers one row a `step`; only where the backend generates. */
  readonly generation?: GenerationRequest
  close(): Promise<void>
}

/** What every backend promises, tried on a real place; `make` is called anew for each test. */
export function backendContract(
  name: string,
  make: () => Promise<BackendCase>,
  options: { readonly isSkipped?: boolean } = {},
): void {
  describe.skipIf(options.isSkipped === true)(`the backend ${name}`, { timeout: 2 * patienceMs }, () => {
    let subject: BackendCase
    beforeEach(async () => {
      subject = await make()
    })
    afterEach(() => subject.close())
    const submit = (submissionKey: string, backend = subject.open()) =>
      backend.submit(subject.plan, subject.files, { submissionKey, resume: false })

    describe("submit and find", () => {
      it("create one job for a key, whoever asks and however often", async () => {
        const job = await submit("key-1")
        expect(job).toMatchObject({ submissionKey: "key-1" })
        expect(await submit("key-1")).toEqual(job)
        expect(await subject.open().find("key-1", subject.files)).toEqual(job)
        expect(await subject.begun()).toBe(1)
      })

      it("know of no job with a key that was never submitted", async () => {
        expect(await subject.open().find("key-1", subject.files)).toBeUndefined()
        await submit("key-1")
        expect(await subject.open().find("key-2", subject.files)).toBeUndefined()
      })

      it("find the job of a caller that was killed before it heard of it, and do not create another", async (test) => {
        const submitUnheard = needs(test, subject.submitUnheard)
        await submitUnheard("key-1")
        expect(await subject.begun()).toBe(1)
        const found = await subject.open().find("key-1", subject.files)
        expect(found).toMatchObject({ submissionKey: "key-1" })
        expect(await submit("key-1")).toEqual(found)
        expect(await subject.begun()).toBe(1)
      })

      it("return the same job after it has ended, without another one", async () => {
        const job = await submit("key-1")
        await subject.let("fail")
        expect((await watch(subject, job)).state).toBe("failed")
        expect(await submit("key-1")).toEqual(job)
        // Time enough for another one to begin.
        await pause(1000)
        expect(await subject.begun()).toBe(1)
        expect((await subject.open().poll(job, subject.files)).state).toBe("failed")
      })
    })

    describe("poll", () => {
      it("hands over each event once, in order, and returns at once", async () => {
        const job = await submit("key-1")
        const seen: SentEvent[] = []
        let cursor: string | undefined
        for (const what of ["step", "step", "step", "succeed"] as const) {
          await subject.let(what)
          for (let turn = 0; turn < 2; turn++) {
            const before = performance.now()
            const snapshot = await subject.open().poll(job, subject.files, cursor)
            expect(performance.now() - before).toBeLessThan(15_000)
            seen.push(...snapshot.events)
            cursor = snapshot.cursor
          }
        }
        const end = await watch(subject, job, cursor)
        seen.push(...end.events)
        const whole = await subject.open().poll(job, subject.files)
        expect(seen).toEqual(whole.events)
        expect(seen.flatMap((event) => (event.type === "metric-logged" ? [event.step] : []))).toEqual([1, 2, 3])
        expect(await subject.open().poll(job, subject.files, end.cursor)).toMatchObject({
          state: "succeeded",
          events: [],
          cursor: end.cursor,
        })
      })

      it("says once which model has come of it, and when", async () => {
        const job = await submit("key-1")
        await subject.let("step")
        await subject.let("succeed")
        const end = await watch(subject, job)
        const again = await subject.open().poll(job, subject.files, end.cursor)
        expect([...end.events, ...again.events].filter(({ type }) => type === "model-ready")).toHaveLength(1)
        expect(end.since).toMatch(isoTime)
        for (const event of end.events) if (event.sentAt !== undefined) expect(event.sentAt).toMatch(isoTime)
      })

      it("says why a job failed", async () => {
        const job = await submit("key-1")
        await subject.let("fail")
        const end = await watch(subject, job)
        expect(end).toMatchObject({ state: "failed", message: expect.stringMatching(/./) })
        expect(end.events.filter(({ type }) => type === "model-ready")).toEqual([])
      })

      it("ends no run for a status that nobody knows", async (test) => {
        const becomeStrange = needs(test, subject.becomeStrange)
        const job = await submit("key-1")
        await becomeStrange()
        const snapshot = await subject.open().poll(job, subject.files)
        expect(isTerminal(snapshot.state)).toBe(false)
        expect(snapshot.providerStatus).toMatch(/./)
        await subject.let("succeed")
        expect((await watch(subject, job)).state).toBe("succeeded")
      })

      it("fails and may be tried again while nothing can be reached; it takes nothing for over", async (test) => {
        const setReachable = needs(test, subject.setReachable)
        const job = await submit("key-1")
        await subject.let("step")
        await setReachable(false)
        const asked = [
          () => subject.open().poll(job, subject.files),
          () => subject.open().find("key-1", subject.files),
          () => submit("key-2"),
        ]
        for (const ask of asked) {
          const error = await ask().then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
          expect(error).toBeInstanceOf(ProviderError)
          expect(error).toMatchObject({ isRetryable: true })
        }
        await setReachable(true)
        await subject.let("succeed")
        expect((await watch(subject, job)).state).toBe("succeeded")
        expect(await subject.begun()).toBe(1)
      })
    })

    describe("cancel", () => {
      it("may come twice", async () => {
        const job = await submit("key-1")
        await subject.let("step")
        if (subject.cannotCancel === true) {
          await expect(subject.open().cancel(job, subject.files)).rejects.toMatchObject({ code: "unsupported" })
          return
        }
        await subject.open().cancel(job, subject.files)
        await subject.open().cancel(job, subject.files)
        expect((await watch(subject, job)).state).toBe("cancelled")
      })

      it("changes nothing of a job that is over", async () => {
        const job = await submit("key-1")
        await subject.let("succeed")
        await watch(subject, job)
        await subject.open().cancel(job, subject.files)
        expect((await watch(subject, job)).state).toBe("succeeded")
      })

      it.each(["cancel", "fail"] as const)("or failure (%s) leaves the way free for another attempt", async (how) => {
        if (how === "cancel" && subject.cannotCancel === true) return
        const first = await submit("key-1")
        expect(await subject.begun()).toBe(1)
        if (how === "cancel") await subject.open().cancel(first, subject.files)
        else await subject.let("fail")
        const over = await watch(subject, first)
        const second = await submit("key-2")
        expect(second.submissionKey).toBe("key-2")
        expect(isTerminal((await subject.open().poll(second, subject.files, over.cursor)).state)).toBe(false)
        await subject.let("succeed")
        expect((await watch(subject, second)).state).toBe("succeeded")
        expect(await subject.begun()).toBe(2)
      })
    })

    describe("what was sent", () => {
      it("is noted, listed with its job, and gone when it was purged, however often", async (test) => {
        const { uploads, stored, purge } = subject.open()
        const listed = async () => {
          const things: StoredThing[] = []
          for await (const thing of needs(test, stored)()) things.push(thing)
          return things
        }
        const job = await submit("key-1")
        await subject.let("fail")
        await submit("key-2")
        const sent = (await needs(test, uploads)(subject.files)).map(({ remoteId }) => remoteId)
        // Each attempt has files of its own, and the notes keep those of both.
        expect(new Set(sent).size).toBe(2 * (subject.filesPerJob ?? 2))
        const things = await listed()
        const jobs = things.filter(({ kind }) => kind === "job")
        expect(things.flatMap(({ kind, id }) => (kind === "file" ? [id] : [])).sort()).toEqual(sent.toSorted())
        if (subject.listsNoJobs !== true) {
          expect(jobs.flatMap(({ files = [] }) => files).sort()).toEqual(sent.toSorted())
          expect(jobs.find(({ id }) => id === job.id)?.isOpen).toBe(false)
          expect(jobs.find(({ id }) => id !== job.id)?.isOpen).toBe(true)
        }
        for (let time = 0; time < 2; time++) for (const id of sent.slice(0, 1)) await needs(test, purge)(id)
        expect((await listed()).some(({ id }) => id === sent[0])).toBe(false)
      })
    })

    describe("a job that a person names", () => {
      it("is confirmed where it is that of the submission, and refused where it is none or another", async (test) => {
        const confirm = needs(test, subject.open().confirm)
        const job = await submit("key-1")
        expect(await confirm(job.id, subject.plan, subject.files, "key-1")).toEqual(job)
        const another = { ...subject.plan, baseModel: "another" }
        const hint = subject.listsNoJobs === true ? /the run's model: https:|--not-created/ : /tuneloop runs ls --on/
        for (const refused of [
          confirm("ft-none", subject.plan, subject.files, "key-1"),
          confirm(job.id, another, subject.files, "key-2"),
        ])
          await expect(refused).rejects.toMatchObject({ hint: expect.stringMatching(hint) })
      })
    })

    describe("pause and resume", () => {
      it("may come twice each, and the job goes on to its end", async (test) => {
        const pauseJob = needs(test, subject.open().pause)
        const resumeJob = needs(test, subject.open().resume)
        const job = await submit("key-1")
        await subject.let("step")
        for (let time = 0; time < 2; time++) await pauseJob(job, subject.files)
        expect((await subject.open().poll(job, subject.files)).state).toBe("paused")
        for (let time = 0; time < 2; time++) await resumeJob(job, subject.files)
        expect((await subject.open().poll(job, subject.files)).state).toBe("running")
        await subject.let("succeed")
        expect((await watch(subject, job)).state).toBe("succeeded")
        await expect(pauseJob(job, subject.files)).rejects.toBeInstanceOf(ProviderError)
        await expect(resumeJob(job, subject.files)).rejects.toBeInstanceOf(ProviderError)
      })
    })

    describe("logs and files", () => {
      it("are read from the cursor on, also of a run whose job is not known", async (test) => {
        const log = async (job: RemoteJob | undefined, cursor?: string) =>
          needs(test, subject.open().logs?.bind(subject.open()))(job, subject.files, cursor)
        await log(undefined)
        const job = await submit("key-1")
        await subject.let("step")
        const first = await log(job)
        await subject.let("succeed")
        await watch(subject, job)
        const second = await log(job, first.cursor)
        expect(first.text + second.text).toBe((await log(job)).text)
        expect(await log(job, second.cursor)).toEqual({ text: "", cursor: second.cursor })
      })

      it("of a finished job are brought once", async (test) => {
        const fetch = () => needs(test, subject.open().fetch?.bind(subject.open()))(job, subject.files)
        const job = await submit("key-1")
        await subject.let("succeed")
        await watch(subject, job)
        const first = await fetch()
        for (const { path, bytes, digest } of first) {
          expect(existsSync(path)).toBe(true)
          expect(bytes).toBeGreaterThan(0)
          expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
        }
        const times = first.map(({ path }) => statSync(path).mtimeMs)
        expect(await fetch()).toEqual(first)
        expect(first.map(({ path }) => statSync(path).mtimeMs)).toEqual(times)
      })
    })

    describe("generation", () => {
      it("outlives an interrupt, and the next call goes on with it", async (test) => {
        const request = needs(test, subject.generation)
        const interrupt = new AbortController()
        const counts: number[] = []
        const first = subject.open(interrupt.signal).generate?.(request, (_name, done) => counts.push(done))
        const refused = expect(first).rejects.toThrow()
        await subject.let("step")
        await until(() => counts.includes(1))
        interrupt.abort()
        await refused
        expect(existsSync(request.jobs[0]?.predictions ?? "")).toBe(false)
        const second = subject.open().generate?.(request, (_name, done) => counts.push(done))
        await subject.let("succeed")
        await second
        expect(await subject.begun()).toBe(1)
        expect(counts.at(-1)).toBe(answers(request).length)
        // What is there is not asked for again.
        await subject.open().generate?.(request, () => undefined)
        expect(await subject.begun()).toBe(1)
      })

      it("is done once for two callers at the same time", async (test) => {
        const request = needs(test, subject.generation)
        const both = [0, 1].map(() => subject.open().generate?.(request, () => undefined))
        await subject.let("succeed")
        await Promise.all(both)
        expect(await subject.begun()).toBe(1)
        expect(answers(request).length).toBeGreaterThan(0)
      })

      it("that failed says why, and may be begun again", async (test) => {
        const request = needs(test, subject.generation)
        const failed = subject.open().generate?.(request, () => undefined)
        const refused = expect(failed).rejects.toMatchObject({ message: expect.stringContaining("generation failed") })
        await subject.let("fail")
        await refused
        const again = subject.open().generate?.(request, () => undefined)
        await subject.let("succeed")
        await again
        expect(answers(request).length).toBeGreaterThan(0)
      })
    })
  })
}

/** How long a machine that is busy with other tests may take for anything. */
const patienceMs = 60_000
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

/** The first job's answers, one line each. */
function answers(request: GenerationRequest): string[] {
  return readFileSync(request.jobs[0]?.predictions ?? "", "utf8")
    .split("\n")
    .slice(0, -1)
}

/** What the case has to have for this test; the test is skipped where it has not. */
function needs<Value>(test: TestContext, value: Value | undefined): Value {
  if (value === undefined) test.skip("this backend has no such thing")
  return value as Value
}

/** Polls until the job is over; all events from the cursor on. */
async function watch(
  subject: BackendCase,
  job: RemoteJob,
  from?: string,
): Promise<{
  state: RunState
  message?: string | undefined
  since?: string | undefined
  events: SentEvent[]
  cursor: string
}> {
  const events: SentEvent[] = []
  const backend = subject.open()
  const deadline = performance.now() + patienceMs
  for (let cursor = from; performance.now() < deadline; ) {
    const snapshot = await backend.poll(job, subject.files, cursor)
    events.push(...snapshot.events)
    cursor = snapshot.cursor
    if (isTerminal(snapshot.state)) return { ...snapshot, events, cursor }
    await pause()
  }
  throw new Error("the job did not end in a minute")
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("waited a minute in vain")
    await pause()
  }
}

function pause(milliseconds = 30): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}
