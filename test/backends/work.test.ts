import { execFileSync } from "node:child_process"
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { FineTuneBackend } from "../../src/core/contracts/backend.ts"
import { parseJson } from "../../src/core/json-text.ts"
import type { RemoteJob } from "../../src/core/training/run.ts"
import { open } from "./open-local.ts"
import { contextOf, python, runnerCase, until } from "./runner-case.ts"

/** What goes on in the files of a run, with the stand-in for the trainer. */
describe("a training of the local runner", { timeout: 120_000 }, () => {
  let subject: Awaited<ReturnType<typeof runnerCase>>
  let backend: FineTuneBackend
  const state = () => join(subject.files.folder, "trainer")
  const submit = (submissionKey: string) =>
    backend.submit(subject.plan, subject.files, { submissionKey, resume: false })
  beforeEach(async () => {
    subject = await runnerCase(join(import.meta.dirname, "open-local.ts"))
    backend = subject.open()
  })
  afterEach(() => subject.close())

  it("runs in a folder of its own, finds no code in the workspace, and sees no key", async () => {
    for (const name of ["json.py", "_process.py", "torch.py"])
      for (const folder of [subject.workspace, state()]) {
        mkdirSync(folder, { recursive: true })
        writeFileSync(join(folder, name), "raise SystemExit('code of the workspace was run')\n")
      }
    const context = contextOf(subject.workspace)
    const environment = { ...context.environment, HOME: join(subject.workspace, "home") }
    const ofUser = execFileSync(python, ["-c", "import site; print(site.getusersitepackages())"], {
      env: { HOME: environment.HOME },
      encoding: "utf8",
    }).trim()
    mkdirSync(ofUser, { recursive: true })
    writeFileSync(join(ofUser, "usercustomize.py"), "raise SystemExit('code of the user was run')\n")
    backend = open({ ...context, environment })
    await submit("key-1")
    await until(() => existsSync(join(state(), "seen.json")))
    await until(() => readFileSync(join(state(), "seen.json"), "utf8").endsWith("}"))
    const seen = parseJson(readFileSync(join(state(), "seen.json"), "utf8")) as {
      folder: string
      path: string[]
      environment: Record<string, string>
    }
    expect(seen.folder).toBe(state())
    expect(seen.path.filter((path) => path === "" || path.startsWith(subject.workspace))).toEqual([
      join(subject.workspace, "trainer"),
    ])
    expect(Object.values(seen.environment)).not.toContain("a key for models")
    await subject.let("succeed")
  })

  it("hands over no event of a line that is still being written, and passes over what is none", async () => {
    const job = await submit("key-1")
    await subject.let("step")
    const log = join(state(), "events.jsonl")
    await until(() => existsSync(log) && readFileSync(log, "utf8").includes("metrics"))
    const before = await backend.poll(job, subject.files)
    appendFileSync(log, '{"type":"checkp')
    expect(await backend.poll(job, subject.files, before.cursor)).toMatchObject({ events: [], cursor: before.cursor })
    appendFileSync(log, 'oint","step":1,"at":"2026-11-30T10:00:00.000Z"}\nno event\n[1]\n{"type":7}\n')
    const after = await backend.poll(job, subject.files, before.cursor)
    expect(after.events).toEqual([{ type: "checkpoint-saved", step: 1, sentAt: "2026-11-30T10:00:00.000Z" }])
    expect((await backend.poll(job, subject.files, after.cursor)).events).toEqual([])
    await subject.let("succeed")
  })

  it("reports the trainer's own times and machine, and only figures that are numbers", async () => {
    const job = await submit("key-1")
    await subject.let("step")
    await subject.let("succeed")
    const { events, since } = await untilOver(job)
    const log = readFileSync(join(state(), "events.jsonl"), "utf8").split("\n").slice(0, -1)
    const times = log.map((line) => (parseJson(line) as { at: string }).at)
    expect(events[0]).toEqual({ type: "started", totalSteps: 3, details: { machine: "a stand-in" }, sentAt: times[0] })
    expect(events[1]).toEqual({
      type: "metric-logged",
      step: 1,
      totalSteps: 3,
      values: { loss: 1 },
      sentAt: times[1],
    })
    const exit = parseJson(readFileSync(join(state(), "exit.json"), "utf8")) as { at: string }
    expect(since).toBe(exit.at)
    expect(events.at(-1)).toEqual({
      type: "model-ready",
      model: { kind: "adapter", base: { model: "/models/tiny", revision: null }, location: subject.files.adapter },
      sentAt: exit.at,
    })
  })

  it("misses nothing that was written between two polls before the end", async () => {
    const job = await submit("key-1")
    const { cursor } = await backend.poll(job, subject.files)
    for (const order of ["step", "step", "succeed"] as const) await subject.let(order)
    await until(() => existsSync(join(state(), "exit.json")))
    const last = await backend.poll(job, subject.files, cursor)
    expect(last.state).toBe("succeeded")
    expect(last.events.flatMap((event) => (event.type === "metric-logged" ? [event.step] : []))).toEqual([1, 2])
  })

  it("that was killed has failed; cancelled and killed, it is cancelled; the next attempt is neither", async () => {
    const first = await submit("key-1")
    process.kill(processOf().pid, "SIGKILL")
    expect(await untilOver(first)).toMatchObject({ state: "failed", message: expect.stringContaining("killed") })
    const second = await submit("key-2")
    writeFileSync(join(state(), "cancelled"), "key-2\n")
    process.kill(processOf().pid, "SIGKILL")
    expect((await untilOver(second)).state).toBe("cancelled")
    const third = await submit("key-3")
    process.kill(processOf().pid, "SIGKILL")
    expect((await untilOver(third)).state).toBe("failed")
  })

  it("that does not start says why, and leaves a log that can be read without a job", async () => {
    writeFileSync(join(subject.workspace, "trainer", "train.py"), "raise SystemExit('no such wheel')\n")
    await expect(submit("key-1")).rejects.toThrow(/did not start: .*no such wheel/)
    expect((await backend.logs?.(undefined, subject.files))?.text).toContain("no such wheel")
    expect(await backend.find("key-1", subject.files)).toBeUndefined()
  })

  it("names a Python that is not there", async () => {
    const context = contextOf(subject.workspace)
    const missing = { ...context, environment: { ...context.environment, TUNELOOP_PYTHON: "/nonexistent/python" } }
    await expect(
      open(missing).submit(subject.plan, subject.files, { submissionKey: "key-1", resume: false }),
    ).rejects.toThrow(/nonexistent/)
  })

  it("hands over a log in whole characters, wherever a call falls", async () => {
    const log = join(subject.files.folder, "trainer.log")
    writeFileSync(log, Buffer.from("grü").subarray(0, 3))
    const first = await backend.logs?.(undefined, subject.files)
    writeFileSync(log, "grüße €𝄞")
    const second = await backend.logs?.(undefined, subject.files, first?.cursor)
    expect([first?.text, second?.text]).toEqual(["gr", "üße €𝄞"])
    for (const cut of [1, 2, 3]) {
      writeFileSync(log, Buffer.from("a𝄞").subarray(0, 1 + cut))
      expect(await backend.logs?.(undefined, subject.files)).toEqual({ text: "a", cursor: "1" })
    }
  })

  const processOf = () => parseJson(readFileSync(join(state(), "process.json"), "utf8")) as { pid: number }
  const untilOver = async (job: RemoteJob) => {
    for (;;) {
      const snapshot = await backend.poll(job, subject.files)
      if (["succeeded", "failed", "cancelled"].includes(snapshot.state)) return snapshot
      await new Promise((done) => setTimeout(done, 20))
    }
  }
})
