import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { buildThreads } from "../../../src/cli/threads.ts"
import type { Output, Seed } from "../../../src/core/rows/example.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { build } from "../../../src/stages/building/build.ts"
import { DraftChecks } from "../../../src/stages/growing/check-drafts.ts"
import { Versions } from "../../../src/store/rows/versions.ts"
import { seeded } from "../../seeded.ts"
import { workspaceWith } from "../in-process.ts"

type Kind = "text" | "chat" | "json"

function task(kind: Kind, manyAnswers?: boolean): TaskSpecification {
  const schema = { type: "object", properties: { joke: { type: "string" } }, required: ["joke"] }
  return taskSchema.parse({
    ...{ task: "jokes", kind, description: "Tell a joke." },
    ...(kind === "chat" ? {} : { input: { request: {} } }),
    output: { ...(kind === "json" ? { schema } : {}), ...(manyAnswers === undefined ? {} : { manyAnswers }) },
  })
}

const outputOf: Readonly<Record<Kind, (joke: string) => Output>> = {
  text: (joke) => joke,
  chat: (joke) => ({ role: "assistant", content: joke }),
  json: (joke) => ({ joke }),
}
const inputOf = (kind: Kind, request: string) =>
  kind === "chat" ? { messages: [{ role: "user", content: request }] } : { request }

const random = seeded(12)
const joke = () => Array.from({ length: 14 }, () => `word${Math.floor(random() * 5000)}`).join(" ")
const idOf = (number: number) => `seed_${number.toString(16).padStart(16, "0")}`
const request = "Tell me a joke about a penguin and a fridge, please"

/** So many jokes for one request, then one of them with a word more, one again, and one for another request. */
function jokes(kind: Kind, count: number): Seed[] {
  const all = Array.from({ length: count }, joke)
  const pairs = [
    ...all.map((each) => [request, each]),
    [`${request}!`, `${all[0]} indeed`],
    [request, all[1]?.toUpperCase()],
    ["What do you call a bear without teeth? I want to hear it", all[2]],
  ] as [string, string][]
  return pairs.map(([asked, told], at) => {
    return { id: idOf(at), input: inputOf(kind, asked), output: outputOf[kind](told) }
  })
}

async function built(kind: Kind, { manyAnswers, threads = 1 }: { manyAnswers?: boolean; threads?: number }) {
  const seeds = jokes(kind, 60)
  const splits = seeds.map(({ id }) => ({ id, split: "train" as const, stratum: "all" }))
  const made = workspaceWith(task(kind, manyAnswers), { seeds, splits })
  const options = { threads: { ...buildThreads, count: threads, leastBytes: 0 } }
  const result = await build(made.context, task(kind, manyAnswers), [], options)
  const versions = new Versions(made.context.workspace, "jokes")
  return { ...result, dropped: [...versions.each(result.manifest.id, "dropped.jsonl")] }
}

describe.each(["text", "chat", "json"] as const)("sixty jokes for one request, of kind %s", (kind) => {
  it("are all kept with output.manyAnswers, but for those that are near in both", async () => {
    const { manifest, conflicts, dropped } = await built(kind, { manyAnswers: true })
    expect([manifest.read, manifest.kept, conflicts.length, manifest.conflicts]).toEqual([63, 61, 0, 0])
    expect(manifest.recipe["manyAnswers"]).toBe(true)
    expect(dropped.map(({ reason }) => reason).every((reason) => /^(exact|near)-duplicate$/.test(reason))).toBe(true)
    const twins = new Set(dropped.flatMap(({ id, witness = "" }) => [id.slice(-2), witness.slice(-2)]))
    expect(twins).toEqual(new Set(["00", "3c", "01", "3d"]))
  })

  it("are one row and conflicts without it", async () => {
    const { manifest } = await built(kind, {})
    expect(manifest.kept).toBeLessThan(5)
    expect(manifest.dropped["conflict"]).toBeGreaterThan(50)
    expect(manifest.recipe["manyAnswers"]).toBeUndefined()
  })
})

it("threads keep the same jokes", async () => {
  const one = await built("text", { manyAnswers: true })
  const two = await built("text", { manyAnswers: true, threads: 2 })
  expect(two.dropped.length).toBe(one.dropped.length)
})

it("a candidate with another joke is news, one that is near in both is none, and none is near what is held out", () => {
  const seeds = jokes("text", 4).slice(0, 4)
  const held: Seed = {
    id: idOf(99),
    input: { request: "Why did the chicken cross the road, in one line?" },
    output: joke(),
  }
  const split = new Map([...seeds.map(({ id }) => [id, "train"] as const), [held.id, "test"] as const])
  const splits = [...split].map(([id, where]) => ({ id, split: where, stratum: "all" }))
  const verdicts = [true, undefined].map((manyAnswers) => {
    const of = task("text", manyAnswers)
    const { rows } = workspaceWith(of, { seeds: [...seeds, held], splits })
    const checks = new DraftChecks({ task: of, strategy: "made", filters: [] }, { rows, split })
    const other = joke()
    const drafts = [other, `${other} indeed`, `${(seeds[0] as Seed).output as string} indeed`].map((output) => ({
      ...{ input: { request }, output, parents: [idOf(0)] },
    }))
    const near = { input: held.input, output: joke(), parents: [idOf(0)] }
    return checks.check([...drafts, near]).map(({ isNovel }) => isNovel)
  })
  expect(verdicts).toEqual([
    [true, false, false, false],
    [false, false, false, false],
  ])
})

it("an import finds no conflict in another answer to a request that is there", async () => {
  const of = task("text", true)
  const made = workspaceWith(of, { seeds: jokes("text", 2).slice(0, 2) })
  const file = join(made.folder, "more.jsonl")
  writeFileSync(file, `${JSON.stringify({ input: { request }, output: joke() })}\n`)
  const options = { skipInvalid: false, withoutEqual: true }
  expect((await importSeeds(made.context, of, [file], options)).equal.conflicts).toEqual([])
})
