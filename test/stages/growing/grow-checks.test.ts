import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { seedsOf } from "../../strategies/tasks.ts"
import { ScriptedModel, workspaceWith } from "../in-process.ts"
import { task, examples, newText, isLabelling, grow, splitAll, train } from "./growing.ts"

describe("checks that ask a model", () => {
  const seeds = seedsOf(task, 12)
  const checks = {
    secondPass: { minimum: 0.5, shots: 2, shotTokens: 500 },
    judge: { rubric: "Names a thing.", minimum: 0.75 },
  }
  const of = { ...task, expand: { ...task.expand, checks } }

  it("are asked about what passed the others, leave their reasons, and give the confidence", async () => {
    const at = workspaceWith(of, { seeds, splits: train(seeds) })
    const model = new ScriptedModel((request) => {
      if (isLabelling(request)) return "order"
      if (request.messages[0]?.content.startsWith("You judge"))
        return `Sure: {"reason": "names nothing", "score": ${request.seed % 2 === 0 ? 5 : 3}}`
      return examples(request)
    })
    const result = await grow(at, model, "self-instruct", { of, count: 9, options: { perRequest: 3 } })
    const grown = at.rows.grown.candidates()
    expect(grown).toHaveLength(9)
    for (const { output, checks: found, confidence } of grown) {
      const second = found.find(({ name }) => name === "second-pass")
      const judge = found.find(({ name }) => name === "judge")
      expect(second).toMatchObject(
        output === "order" ? { ok: true, value: 1 } : { ok: false, value: 0, detail: 'the second pass gave "order"' },
      )
      expect(judge).toMatchObject({ ok: judge?.value === 1, detail: "names nothing" })
      expect(confidence).toBe(Math.min(second?.value ?? 1, judge?.value ?? 1))
    }
    expect(result.failedChecks["second-pass"]).toBe(6)
    // A rubric of its own is in what is asked, and nothing that failed is asked about.
    expect(model.asked.filter(({ messages }) => messages[0]?.content.includes("Names a thing."))).toHaveLength(9)
    const again = new ScriptedModel(model.answer)
    expect(
      await grow(
        workspaceWith(of, { seeds: seeds.map((seed) => ({ ...seed })), splits: train(seeds) }),
        again,
        "self-instruct",
        {
          of,
          count: 9,
          options: { perRequest: 3 },
        },
      ),
    ).toMatchObject({ cells: result.cells })
  })
})

describe("a copy", () => {
  it("of a held-out row or of a run of words is no candidate, and only the id says of what", async () => {
    const long = Array.from({ length: 40 }, (_, index) => `word${index}`)
    const seeds = [
      ...seedsOf(task, 6),
      { id: "seed_00000000000000bb", input: { body: long.join(" ") }, output: "order" },
    ]
    const at = workspaceWith(task, { seeds, splits: splitAll(seeds, (index) => (index < 3 ? "train" : "test")) })
    const heldOut = seeds[4]
    const model = new ScriptedModel(() =>
      JSON.stringify({
        examples: [
          { input: heldOut?.input, output: "order" },
          {
            input: { body: `${long.slice(5, 20).join(" ")} and ${newText(1)} ${newText(2)} ${newText(3)}` },
            output: "order",
          },
          { input: { body: newText(4) }, output: "order" },
        ],
      }),
    )
    const result = await grow(at, model, "self-instruct", { count: 3, options: { perRequest: 3 } })
    expect(result).toMatchObject({ grown: 3, passed: 1, failedChecks: { novelty: 1, copied: 1 } })
    const failed = at.rows.grown
      .candidates()
      .flatMap(({ checks }) => checks.flatMap(({ ok, detail }) => (ok ? [] : [detail])))
    expect(failed).toEqual([`near ${heldOut?.id}`, "13 words in a row as in seed_00000000000000bb"])
  })
})

it("what is held in the yield is what was counted, and nothing is written by a dry run or where there is nothing to grow from", async () => {
  const seeds = seedsOf(task, 12)
  const at = workspaceWith(task, { seeds, splits: train(seeds) })
  const model = new ScriptedModel((request) => examples(request))
  expect(await grow(at, model, "label")).toMatchObject({
    state: "nothing",
    reason: expect.stringContaining("tuneloop input import"),
  })
  expect(await grow(at, model, "counter-examples")).toMatchObject({
    state: "nothing",
    reason: expect.stringContaining("--from-evaluation"),
  })
  await grow(at, model, "evolve", { dryRun: true })
  expect(model.asked).toEqual([])
  expect(existsSync(join(at.rows.folder, "yields"))).toBe(false)
  const { batch, cells } = await grow(at, model, "evolve", { count: 6 })
  expect(JSON.parse(readFileSync(join(at.rows.folder, "yields", `${batch}.json`), "utf8"))).toMatchObject({
    batch,
    strategy: "evolve",
    requests: 6,
    cells,
  })
})
