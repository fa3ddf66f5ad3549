import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { GenerationRequest } from "../../src/core/contracts/backend.ts"
import { parseJson } from "../../src/core/json-text.ts"
import { runnerCase, until } from "./runner-case.ts"

describe("generation by the local runner", { timeout: 120_000 }, () => {
  let subject: Awaited<ReturnType<typeof runnerCase>>
  beforeEach(async () => {
    subject = await runnerCase(join(import.meta.dirname, "open-local.ts"))
  })
  afterEach(() => subject.close())

  it("waits for other rows that are being answered in its folder, and then asks for its own", async () => {
    const interrupt = new AbortController()
    const first = subject.open(interrupt.signal).generate?.(subject.generation, () => undefined)
    const refused = expect(first).rejects.toThrow()
    await until(() => subject.isWorking())
    interrupt.abort()
    await refused
    const other = withPredictions(join(subject.workspace, "predictions", "few-shot.jsonl"))
    const second = subject.open().generate?.(other, () => undefined)
    for (const _piece of [1, 2]) await subject.let("succeed")
    await second
    for (const { jobs } of [subject.generation, other]) expect(existsSync(jobs[0]?.predictions ?? "")).toBe(true)
    expect(await subject.begun()).toBe(2)
  })

  it("goes on after its process was killed", async () => {
    const failed = subject.open().generate?.(subject.generation, () => undefined)
    const refused = expect(failed).rejects.toThrow("generation failed")
    await until(() => subject.isWorking())
    process.kill(processOf().pid, "SIGKILL")
    await refused
    const again = subject.open().generate?.(subject.generation, () => undefined)
    await subject.let("succeed")
    await again
    expect(existsSync(subject.generation.jobs[0]?.predictions ?? "")).toBe(true)
  })

  it("cannot answer with a model that is elsewhere, and says so before anything starts", async () => {
    const [job] = subject.generation.jobs
    if (job === undefined) throw new Error("there is no job")
    const hosted = {
      ...subject.generation,
      jobs: [{ ...job, model: { kind: "hosted", backend: "x", id: "m" } as const }],
    }
    await expect(subject.open().generate?.(hosted, () => undefined)).rejects.toThrow("hosted model cannot answer here")
    expect(existsSync(subject.generation.folder)).toBe(false)
  })

  const withPredictions = (predictions: string): GenerationRequest => ({
    ...subject.generation,
    jobs: subject.generation.jobs.map((job) => ({ ...job, predictions })),
  })
  const processOf = () =>
    parseJson(readFileSync(join(subject.generation.folder, "process.json"), "utf8")) as { pid: number }
})
