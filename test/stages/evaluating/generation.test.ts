import { appendFileSync, existsSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { taskSchema } from "../../../src/core/task/task.ts"
import { jobSchema } from "../../../src/core/training/job.ts"
import type { StageContext } from "../../../src/stages/context.ts"
import { withLength } from "../../../src/stages/evaluating/answer-length.ts"
import { generate, stopGenerations, type GeneratedQuestion } from "../../../src/stages/evaluating/generation.ts"
import { generationWorks } from "../../../src/store/rows/answers.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { plan as training, runnerCase, until } from "../../backends/runner-case.ts"
import { contextOf } from "../../web/serving.ts"

const run = "mood-1"
const openLocal = join(import.meta.dirname, "..", "..", "backends", "open-local.ts")

describe("a generation whose command is interrupted", { timeout: 120_000 }, () => {
  let subject: Awaited<ReturnType<typeof runnerCase>>
  beforeEach(async () => {
    subject = await runnerCase(openLocal)
  })
  afterEach(async () => {
    await stopGenerations(contextOf(subject.workspace), run, subject.open())
    await subject.close()
  })

  it("goes on and says so, with its log and what stops it; then it is stopped once, and can go on", async () => {
    const { workspace } = subject
    const { said, context, interrupt } = interruptible(workspace)
    const refused = expect(asked(context, interrupt.signal)).rejects.toThrow()
    const work = () => generationWorks(Workspace.open(workspace), run)[0] ?? ""
    await until(() => existsSync(join(work(), "begun")))
    interrupt.abort(new Error("interrupted"))
    await refused
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/goes on by itself \(its log: jobs\/runs\/mood-1\/generation\/\w+\/work\/generate\.log\)/)
    expect(said[0]).toMatch(/run the same command again .* tuneloop runs cancel mood-1/)
    const backend = subject.open()
    expect(await backend.generating?.(work())).toContain("generate.log")

    expect(await stopGenerations(contextOf(workspace), run, backend)).toBe(1)
    expect(await backend.generating?.(work())).toBeUndefined()
    expect(await stopGenerations(contextOf(workspace), run, backend)).toBe(0)

    const again = asked(contextOf(workspace))
    appendFileSync(join(work(), "control"), "succeed\n")
    await again
    expect(existsSync(question(workspace).file)).toBe(true)
  })

  it("says nothing where it never began", async () => {
    const { said, context, interrupt } = interruptible(subject.workspace)
    interrupt.abort(new Error("interrupted"))
    await expect(asked(context, interrupt.signal)).rejects.toThrow()
    expect(said).toEqual([])
  })

  function asked(context: StageContext, signal?: AbortSignal): Promise<void> {
    const job = withLength(jobSchema.parse({ job: "mood", task: "mood", baseModel: training.baseModel }), 16)
    const questions = [question(subject.workspace)]
    const task = taskSchema.parse({ task: "mood", kind: "text", description: "d", input: { body: {} } })
    return generate(context, { run, task, job, training, backend: subject.open(signal) }, questions, questions)
  }
})

function interruptible(workspace: string) {
  const interrupt = new AbortController()
  const said: string[] = []
  const plain = contextOf(workspace)
  const report = { ...plain.report, warn: (message: string) => void said.push(message) }
  return { said, interrupt, context: { ...plain, signal: interrupt.signal, report } }
}

function question(workspace: string): GeneratedQuestion {
  const base = { kind: "base", model: training.baseModel, revision: null } as const
  const provenance = { parents: [], strategy: "gold", acceptedBy: "gold" }
  return {
    label: "zero-shot",
    contender: "zero-shot",
    rows: [{ id: "ex_1", input: { text: "a" }, output: "glad", provenance }],
    work: { kind: "generate", model: base, question: () => [{ role: "user", content: "a" }] },
    latency: false,
    key: "0123456789abcdef",
    file: join(workspace, "answers.jsonl"),
    fileOfRun: join(workspace, "answers-of-run.jsonl"),
    rowsDigest: "sha256:0",
    isBaseOfRun: true,
    model: base,
  }
}
