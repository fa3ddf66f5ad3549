import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { load } from "../../src/cli/plugins.ts"
import type { Seed } from "../../src/core/rows/example.ts"
import type { Embedder } from "../../src/core/asking/embedding.ts"
import type { DatasetFormat } from "../../src/core/contracts/format.ts"
import type { TaskSpecification } from "../../src/core/task/task.ts"
import { jobSchema } from "../../src/core/training/job.ts"
import { build } from "../../src/stages/building/build.ts"
import { Asking } from "../../src/stages/asking/asking.ts"
import { prepareSemanticSearch } from "../../src/stages/building/semantic-search.ts"
import { askingTerms } from "../../src/stages/growing/asking-terms.ts"
import { proposeAttributes } from "../../src/stages/growing/propose-attributes.ts"
import { planRecording } from "../../src/stages/models/record.ts"
import { exportReview } from "../../src/stages/reviewing/review-export.ts"
import { planTraining } from "../../src/stages/training/plan-training.ts"
import { exportDataset } from "../../src/stages/versions/export-dataset.ts"
import { requirePrivate } from "../../src/stages/privacy.ts"
import { ReviewSession } from "../../src/web/review-session.ts"
import { grow, newText, task, train } from "./growing/growing.ts"
import { ScriptedModel, workspaceWith } from "./in-process.ts"
import { seedsOf } from "../strategies/tasks.ts"

const address = "zoe.quack@example.com"
type Policy = TaskSpecification["privacy"]["personalData"]
const under = (policy: Policy): TaskSpecification => ({ ...task, privacy: { personalData: policy, names: [] } })

/** Rows that came in, and were frozen, while personal data was only flagged. */
async function flagged() {
  const seeds = seedsOf(task, 24).map((seed, index): Seed => {
    const text = `${newText(500 + index)}${index % 6 === 0 ? ` write to ${address}` : ""}`
    return { ...seed, input: Object.fromEntries(Object.keys(seed.input).map((key) => [key, text])) }
  })
  const splits = train(seeds).map((row, index) => ({ ...row, split: (index > 17 ? "test" : "train") as "train" }))
  const at = workspaceWith(task, { seeds, splits })
  const { manifest } = await build(at.context, task, [])
  return { ...at, version: manifest.id }
}

describe("a policy that was set after the rows came in holds for every way out", () => {
  const grown = async (policy: Policy) => {
    const at = await flagged()
    const model = new ScriptedModel(() => "[]")
    await grow(at, model, "paraphrase", { of: under(policy), count: 60 })
    return JSON.stringify(model.asked)
  }
  const refused = {
    code: "gate",
    message: expect.stringMatching(/personal data or secrets \(email[^)]*\) and may not leave/),
  }

  it("a model that grows: refused, or asked with pseudonyms", async () => {
    await expect(grown("refuse")).rejects.toMatchObject(refused)
    expect(await grown("flag")).toContain(address)
    for (const policy of ["drop", "pseudonymise"] as const) expect(await grown(policy)).not.toContain(address)
    const at = await flagged()
    const asking = { model: () => new ScriptedModel(() => "{}"), environmentModel: "m", asking: undefined as never }
    await expect(proposeAttributes(at.context, under("refuse"), asking)).rejects.toMatchObject(refused)
  })

  it.each(["refuse", "drop", "pseudonymise"] as const)("%s: what trains, an export and a recording", async (policy) => {
    const { context, version } = await flagged()
    const of = under(policy)
    const job = jobSchema.parse({ job: "j", task: task.task, baseModel: "b", backend: { name: "openai-compatible" } })
    expect(() => planTraining(context, job, of)).toThrow(expect.objectContaining(refused))
    const format = { name: "messages", module: await load<DatasetFormat>("formats", "messages") }
    const output = join(context.workspace.root, "out")
    const options = { version, format, output, withTest: true, force: false }
    await expect(exportDataset(context, of, options as never)).rejects.toMatchObject(refused)
    const asked = { name: "old", model: "m", baseUrl: "http://127.0.0.1:1/v1", maxTokens: 9, concurrency: 1 }
    const none = { holdout: undefined, inputs: undefined, budgetUsd: undefined, command: "c" }
    await expect(planRecording(context, { task: of, ...asked, ...none })).rejects.toMatchObject(refused)
    if (policy === "refuse") return
    // A build under the policy makes rows that may go.
    await build(context, of, [])
    expect(() => planTraining(context, job, of)).not.toThrow()
    await expect(planRecording(context, { task: of, ...asked, ...none })).resolves.toBeDefined()
  })

  it("a recording of a file's inputs asks with pseudonyms", async () => {
    const { context } = await flagged()
    const of = under("pseudonymise")
    await build(context, of, [])
    const file = join(context.workspace.root, "more.jsonl")
    const input = Object.fromEntries(
      Object.keys(seedsOf(task, 1)[0]?.input ?? {}).map((key) => [key, `ask ${address}`]),
    )
    writeFileSync(file, `${JSON.stringify({ input })}\n`)
    const asked = { name: "old", model: "m", baseUrl: "http://127.0.0.1:1/v1", maxTokens: 9, concurrency: 1 }
    const rest = { holdout: undefined, inputs: file, budgetUsd: undefined, command: "c" }
    const { missing } = await planRecording(context, { task: of, ...asked, ...rest })
    const said = JSON.stringify(missing.map(({ request }) => request))
    expect([said.includes("[EMAIL_1]"), said.includes(address)]).toEqual([true, false])
  })

  it("a sheet and the page show nobody what is refused", async () => {
    const at = await flagged()
    const pairs = [0, 1].map((number) => ({
      ...{
        id: `cand_000000000000000${number}`,
        request: "sha256:0",
        parents: [],
        strategy: "x",
        model: "m",
        checks: [],
      },
      input: Object.fromEntries(
        Object.keys(seedsOf(task, 1)[0]?.input ?? {}).map((key) => [
          key,
          `${newText(number)} ${number === 0 ? address : ""}`,
        ]),
      ),
      output: seedsOf(task, 1)[0]?.output as string,
    }))
    at.rows.grown.writeBatch("b", pairs)
    const sheet = async (policy: Policy) => {
      const out = join(at.folder, `${policy}.csv`)
      const options = { out, limit: undefined, reviewer: undefined, only: "candidate" as const }
      const { rows, withheld } = await exportReview(at.context, under(policy), options)
      return [rows, withheld, readFileSync(out, "utf8").includes(address)]
    }
    expect(await sheet("refuse")).toEqual([1, expect.any(Number), false])
    expect(await sheet("pseudonymise")).toEqual([2, 0, true])
    const page = new ReviewSession(at.context, under("refuse"), "s")
    expect([page.item("cand_0000000000000000"), page.item("cand_0000000000000001")?.id]).toEqual([
      undefined,
      "cand_0000000000000001",
    ])
  })

  it("vectors are asked for with pseudonyms, or not at all", async () => {
    const { context } = await flagged()
    const texts: string[] = []
    const sought = (policy: Policy) => {
      const semantic = { model: "v", baseUrl: "http://127.0.0.1:1/v1", threshold: 0.9, drop: false }
      const of = { ...under(policy), build: { ...task.build, semantic } } as TaskSpecification
      const embed: Embedder["embed"] = async (request) => {
        texts.push(...request.texts)
        return { vectors: request.texts.map(() => Float32Array.of(1)), inputTokens: 1 }
      }
      const open = () => ({ baseUrl: semantic.baseUrl, embed })
      return prepareSemanticSearch(context, of, { open, asking: new Asking(context, askingTerms(of, {})) })
    }
    await expect(sought("refuse")).rejects.toMatchObject(refused)
    expect(texts).toEqual([])
    await sought("pseudonymise")
    expect([texts.length > 0, texts.join().includes("[EMAIL_1]"), texts.join().includes(address)]).toEqual([
      ...[true, true, false],
    ])
  })

  it("names a few of the rows, and lets pass what only is flagged", () => {
    const rows = Array.from({ length: 9 }, (_, n) => ({ id: `seed_${n}`, input: { body: address } }))
    expect(() => requirePrivate(under("refuse"), rows)).toThrow(/^9 rows have .*seed_4 and 4 more$/)
    expect(() => requirePrivate(under("flag"), rows)).not.toThrow()
    expect(() => requirePrivate(under("pseudonymise"), rows)).not.toThrow()
  })
})
