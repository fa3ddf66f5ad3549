import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { Host } from "../../../src/cli/host.ts"
import { loadFilters } from "../../../src/cli/plugins.ts"
import type { FineTuneBackend, GenerationRequest } from "../../../src/core/contracts/backend.ts"
import type { TaskSpecification } from "../../../src/core/task/task.ts"
import type { JobSpecification } from "../../../src/core/training/job.ts"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { build } from "../../../src/stages/building/build.ts"
import { evaluate } from "../../../src/stages/evaluating/evaluate.ts"
import { train } from "../../../src/stages/training/train.ts"
import { writeAtomically } from "../../../src/store/files/files.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { sampleWorkspace } from "../../command-line.ts"
import { quickBackend, requestOf } from "./evaluating.ts"

const task = "ticket-triage"
const prepared = sampleWorkspace()
let run = ""

beforeAll(async () => {
  const host = new Host(["--quiet"])
  const workspace = Workspace.open(prepared)
  const context = host.context(workspace)
  const specification = workspace.readTask(task)
  const file = join(prepared, "gold.jsonl")
  const row = (n: number) => ({
    input: { body: `number ${n} is about word${n} and thing${n * 7}` },
    output: ["delivery", "return", "payment"][n % 3],
  })
  writeFileSync(file, Array.from({ length: 60 }, (_, n) => `${JSON.stringify(row(n))}\n`).join(""))
  await importSeeds(context, specification, [file], { skipInvalid: false })
  await build(context, specification, await loadFilters(specification))
  run = (await train(context, workspace.readJob(task), specification, quickBackend(new Map()))).run.run
  await host.close()
}, 60_000)

/** A copy of the workspace with a finished run, and evaluations in it. */
function copied() {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-answers-"))
  cpSync(prepared, folder, { recursive: true })
  const workspace = Workspace.open(folder)
  const host = new Host(["--quiet"])
  const context = host.context(workspace)
  const asked = new Map<string, string[]>()
  const requests: GenerationRequest[] = []
  const kept = new Map<string, string>()
  const backend = (changes: Partial<FineTuneBackend> = {}) => {
    const quick = quickBackend(asked, changes)
    return {
      ...quick,
      generate: async (request: GenerationRequest) => {
        requests.push(request)
        for (const { name, rows } of request.jobs) kept.set(name, readFileSync(rows, "utf8"))
        await quick.generate?.(request, () => undefined)
      },
    }
  }
  const evaluated = async (
    verdict: Partial<TaskSpecification["verdict"]> = {},
    evaluation: Partial<JobSpecification["evaluation"]> = {},
    changes: Partial<FineTuneBackend> = {},
  ) => {
    asked.clear()
    const specification = workspace.readTask(task)
    const job = workspace.readJob(task)
    const request = await requestOf(
      { ...specification, verdict: { ...specification.verdict, ...verdict } },
      { ...job, evaluation: { ...job.evaluation, ...evaluation } },
      run,
      backend(changes),
    )
    const { result, state } = await evaluate(context, request)
    return { result, state, labels: [...asked.keys()].sort() }
  }
  return { folder, workspace, context, evaluated, requests, kept, close: () => host.close() }
}

const all = ["few-shot", "tuned", "tuned-validation", "zero-shot"]
const never: Partial<FineTuneBackend> = {
  generate: async () => {
    throw new Error("a process was started")
  },
}

describe("an answer is asked for once", () => {
  it("so that a new rule starts no process, and is an opening of its own", async () => {
    const at = copied()
    const first = await at.evaluated()
    expect(first.labels).toEqual(all)
    const second = await at.evaluated({ margin: 0.02, bootstrap: 400 }, { batchSize: 7 }, never)
    expect(second.state).toBe("evaluated")
    expect(second.labels).toEqual([])
    expect(second.result.evaluation).not.toBe(first.result.evaluation)
    // Times as well: those of the linear model would differ if it answered again.
    expect(second.result.contenders.map(({ latencyMs }) => latencyMs)).toEqual(
      first.result.contenders.map(({ latencyMs }) => latencyMs),
    )
    expect(second.result.answers).toEqual(first.result.answers)
    for (const file of Object.values(first.result.answers ?? {})) {
      expect(file).toMatch(/^\.tuneloop\/answers\/ticket-triage\/[a-z-]+-[0-9a-f]{16}\.jsonl$/)
      expect(existsSync(join(at.folder, file))).toBe(true)
    }
    expect(await at.context.ledger().openings.of(first.result.holdout)).toHaveLength(2)
    expect((await at.evaluated({}, {}, never)).state).toBe("unchanged")
    expect(await at.context.ledger().openings.of(first.result.holdout)).toHaveLength(2)
    await at.close()
  })

  it("and again only where it would be another one", async () => {
    const at = copied()
    const { result } = await at.evaluated()
    expect((await at.evaluated({}, { shotsPerLabel: 2 })).labels).toEqual(["few-shot"])
    expect((await at.evaluated({}, { latencyRows: 3 })).labels).toEqual(["few-shot", "tuned", "zero-shot"])
    expect((await at.evaluated({}, { maxNewTokens: 17 })).labels).toEqual(all)
    const adapter = join(at.workspace.runFolder(run), "adapter")
    writeFileSync(join(adapter, "README.md"), "says nothing of the weights")
    expect((await at.evaluated({ margin: 0.01 }, {}, never)).labels).toEqual([])
    writeFileSync(join(adapter, "adapter_model.safetensors"), "other weights")
    expect((await at.evaluated({ margin: 0.02 })).labels).toEqual(["tuned", "tuned-validation"])
    writeFileSync(join(at.folder, result.answers?.["zero-shot"] ?? ""), "")
    expect((await at.evaluated({ margin: 0.03 })).labels).toEqual(["zero-shot"])
    await at.close()
  })

  it("of a base model that is what it was", async () => {
    const at = copied()
    await at.evaluated()
    // The pin became known: it is still the base that the run was trained on.
    const pinned = { ...never, pin: async () => "a" }
    expect((await at.evaluated({ margin: 0.01 }, {}, pinned)).labels).toEqual([])
    rmSync(join(at.folder, ".tuneloop", "answers"), { recursive: true })
    expect((await at.evaluated({ margin: 0.02 }, {}, { pin: async () => "a" })).labels).toEqual(all)
    expect((await at.evaluated({ margin: 0.03 }, {}, { pin: async () => "b" })).labels).toEqual(all)
    expect((await at.evaluated({ margin: 0.04 }, {}, pinned)).labels).toEqual([])
    await at.close()
    const changed = copied()
    await changed.evaluated()
    const seen = { schemaVersion: 1, model: "m", revision: null, pin: "a", pinnedAt: "2026-11-30", source: "quick" }
    writeAtomically(join(changed.workspace.runFolder(run), "base.json"), JSON.stringify(seen))
    expect((await changed.evaluated({ margin: 0.02 }, {}, { pin: async () => "b" })).labels).toEqual(all)
    expect((await changed.evaluated({ margin: 0.03 }, {}, pinned)).labels).toEqual([])
    await changed.close()
  })

  it("also when the work was interrupted: it goes on in the same folder", async () => {
    const at = copied()
    const dying = (request: GenerationRequest) =>
      quickBackend(new Map()).generate?.({ ...request, jobs: request.jobs.slice(0, 2) }, () => undefined)
    await expect(
      at.evaluated(
        {},
        {},
        {
          generate: async (request) => {
            await dying(request)
            throw new Error("killed")
          },
        },
      ),
    ).rejects.toThrow("killed")
    const { labels } = await at.evaluated({ margin: 0.01 })
    expect(labels).toEqual(["few-shot", "tuned-validation"])
    // Where the work is done elsewhere nothing is known of answers that are kept here.
    expect(at.requests.at(-1)?.jobs.map(({ name }) => name)).toEqual(["few-shot", "tuned-validation"])
    expect(new Set(at.requests.map(({ folder }) => folder)).size).toBe(1)
    for (const { rows } of at.requests.flatMap(({ jobs }) => jobs)) expect(existsSync(rows)).toBe(false)
    await at.close()
  })

  it("and an answer to some rows only is none", async () => {
    const at = copied()
    const partly: Partial<FineTuneBackend> = {
      generate: async ({ jobs }) => {
        for (const { predictions } of jobs) writeAtomically(predictions, "")
      },
    }
    await expect(at.evaluated({}, {}, partly)).rejects.toMatchObject({ code: "incomplete-answers" })
    expect((await at.evaluated()).labels).toEqual(all)
    await at.close()
  })
})

describe("answers that an earlier version kept under the evaluation", () => {
  /** A workspace whose answers lie where they used to: under the evaluation with the default rule. */
  async function earlier() {
    const at = copied()
    const { result } = await at.evaluated()
    const folder = join(at.workspace.runFolder(run), "predictions", result.evaluation)
    for (const [label, rows] of at.kept) {
      writeAtomically(join(folder, "rows", `${label}.jsonl`), rows)
      const answers = readFileSync(join(at.folder, result.answers?.[label] ?? ""), "utf8")
      writeAtomically(join(folder, `${label}.jsonl`), answers)
    }
    const { latencyRows, jobs } = at.requests[0] ?? { latencyRows: 0, jobs: [] }
    const asked = jobs.map(({ name, maxNewTokens, latency }) => ({ name, maxNewTokens, latency, adapter: null }))
    const request = join(folder, "work", "request.json")
    writeAtomically(request, JSON.stringify({ schemaVersion: 1, latencyRows, jobs: asked }))
    rmSync(join(at.folder, ".tuneloop", "answers"), { recursive: true })
    return { ...at, predictions: folder, request, id: result.evaluation }
  }

  it("are carried over to a new rule", async () => {
    const at = await earlier()
    const { state, labels, result } = await at.evaluated({ margin: 0.02 }, {}, never)
    expect({ state, labels }).toEqual({ state: "evaluated", labels: [] })
    expect(basename(result.answers?.["tuned"] ?? "")).toMatch(/^tuned-/)
    rmSync(at.predictions, { recursive: true })
    expect((await at.evaluated({ margin: 0.03 }, {}, never)).labels).toEqual([])
    await at.close()
  })

  it("are carried over to the evaluation itself, where it was interrupted before its result", async () => {
    const at = await earlier()
    rmSync(join(at.workspace.runFolder(run), "evaluations"), { recursive: true })
    rmSync(at.request)
    rmSync(join(at.predictions, "few-shot.jsonl"))
    const { result, labels } = await at.evaluated()
    expect(labels).toEqual(["few-shot"])
    expect(result.evaluation).toBe(at.id)
    expect(await at.context.ledger().openings.of(result.holdout)).toHaveLength(1)
    await at.close()
  })

  it("are not, where they were asked otherwise or it is not known how", async () => {
    const at = await earlier()
    expect((await at.evaluated({}, { maxNewTokens: 17 })).labels).toEqual(all)
    expect((await at.evaluated({}, { latencyRows: 3 })).labels).toEqual(["few-shot", "tuned", "zero-shot"])
    rmSync(at.request)
    expect((await at.evaluated({ margin: 0.02 })).labels).toEqual(all.filter((label) => label !== "tuned-validation"))
    await at.close()
    const other = await earlier()
    const rows = join(other.predictions, "rows", "zero-shot.jsonl")
    writeFileSync(rows, readFileSync(rows, "utf8").replace("number", "count"))
    expect((await other.evaluated({ margin: 0.02 })).labels).toEqual(["zero-shot"])
    await other.close()
  })
})
