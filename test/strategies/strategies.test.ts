import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { load, names } from "../../src/cli/plugins.ts"
import { canonicalJson } from "../../src/core/canonical.ts"
import type { Seed } from "../../src/core/rows/example.ts"
import { estimatedTokens } from "../../src/core/asking/tokens.ts"
import { validatorOf } from "../../src/core/task/json-schema.ts"
import { inputIssues, outputIssues } from "../../src/core/task/output.ts"
import { chooseShots, shotText } from "../../src/core/growing/shots.ts"
import type { ModelStrategy, PlannedPrompt, Strategy, StrategyMaterial } from "../../src/core/contracts/strategy.ts"
import { taskKinds } from "../../src/core/task/task.ts"
import { materialOf, pairOf, seedsOf, tasks } from "./tasks.ts"

const all = await Promise.all(
  names("strategies").map(async (name) => ({ name, strategy: await load<Strategy>("strategies", name) })),
)
const asking = all.flatMap(({ name, strategy }) =>
  strategy.asksModel ? [{ name, strategy: strategy as ModelStrategy<never> }] : [],
)
const everyTask = asking.flatMap(({ name, strategy }) => taskKinds.map((kind) => [name, kind, strategy] as const))

function planned(
  strategy: ModelStrategy<never>,
  material: StrategyMaterial,
  options: Record<string, unknown> = {},
): PlannedPrompt[] {
  return [...strategy.plan(material, strategy.options.parse(options))]
}

describe("every strategy that asks a model", () => {
  it.each(asking.map(({ name, strategy }) => [name, strategy] as const))(
    "%s asks what it asked before (vitest -u takes a wished change over)",
    async (name, strategy) => {
      const text = taskKinds.map((kind) => {
        const prompt = planned(strategy, materialOf(tasks[kind]))[1]
        const { messages, schema, cell, given, wanted } = prompt as PlannedPrompt
        const turns = messages.map(({ role, content }) => `[${role}]\n${content}`).join("\n\n")
        return (
          `=== ${kind}: ${wanted} wanted, cell ${JSON.stringify(cell)}, given ` +
          `${JSON.stringify(given)}\n${turns}\n\n[schema]\n${JSON.stringify(schema)}`
        )
      })
      await expect(`${text.join("\n\n")}\n`).toMatchFileSnapshot(
        join(import.meta.dirname, "..", "golden", "prompts", `${name}.txt`),
      )
    },
  )

  it.each(everyTask)(
    "%s plans a %s task exactly: more candidates only add prompts at the end, whatever earlier rounds filled",
    (_name, kind, strategy) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 40 }),
          fc.integer({ min: 0, max: 30 }),
          fc.integer({ min: 0, max: 6 }),
          (count, more, asked) => {
            const material = materialOf(tasks[kind], { count })
            const prompts = planned(strategy, material)
            expect(planned(strategy, { ...material, count: count + more }).slice(0, prompts.length)).toEqual(prompts)
            const covered = new Map(prompts.map(({ cell }, index) => [JSON.stringify(cell), index]))
            expect(planned(strategy, { ...material, asked, covered })).toHaveLength(Math.max(0, prompts.length - asked))
            expect(new Set(prompts.map((prompt) => canonicalJson([prompt.messages, prompt.seed]))).size).toBe(
              prompts.length,
            )
          },
        ),
        { numRuns: 6 },
      )
    },
  )

  it.each(everyTask)(
    "%s asks of a %s task only what depends on a seed again when it is edited",
    (_name, kind, strategy) => {
      const task = tasks[kind]
      const seeds = seedsOf(task, 40)
      const options = "shots" in strategy.options.parse({}) ? { shots: 2 } : {}
      const before = planned(strategy, materialOf(task, { seeds, count: 40 }), options)
      for (const edited of seeds.slice(0, 3)) {
        const pair = pairOf(task, seeds.indexOf(edited) + 500)
        // Its label stays: then only its text is another.
        const changed = {
          ...edited,
          input: pair.input,
          ...(kind === "label" || kind === "multilabel" ? {} : { output: pair.output }),
        }
        const after = planned(
          strategy,
          materialOf(task, { seeds: seeds.map((seed) => (seed === edited ? changed : seed)), count: 40 }),
          options,
        )
        const shown = before.filter(({ messages }) =>
          messages.some(
            ({ content }) =>
              content.includes(shotText(edited)) ||
              content.includes(JSON.stringify(edited.input)) ||
              content === Object.values(edited.input)[0],
          ),
        )
        const asked = new Set(before.map((prompt) => canonicalJson([prompt.messages, prompt.seed])))
        const again = after.filter((prompt) => !asked.has(canonicalJson([prompt.messages, prompt.seed])))
        expect(again.length).toBeLessThanOrEqual(
          Math.max(shown.length, before.filter(({ parents }) => parents.includes(edited.id)).length),
        )
        expect(again.length).toBeLessThan(before.length / 2)
      }
    },
  )

  it.each(everyTask)(
    "%s keeps its shots of a %s task within the budget, also beside a seed that bursts it",
    (_name, kind, strategy) => {
      if (!("shotTokens" in strategy.options.parse({}))) return
      const task = tasks[kind]
      const long = { ...pairOf(task, 77, "long ".repeat(3000)), id: "seed_00000000000000ff" } as Seed
      for (const prompt of planned(strategy, materialOf(task, { seeds: [...seedsOf(task, 12), long] }), {
        shotTokens: 120,
      })) {
        const tokens = prompt.messages
          .flatMap(({ content }) => content.split("\n").filter((line) => line.startsWith('{"input"')))
          .reduce((sum, line) => sum + estimatedTokens(line), 0)
        expect(tokens).toBeLessThanOrEqual(120)
        expect(prompt.messages.some(({ content }) => content.includes("long long"))).toBe(false)
      }
    },
  )

  it.each(everyTask)(
    "%s throws at no answer of a %s task, and reads one in the form of its schema",
    (_name, kind, strategy) => {
      const task = tasks[kind]
      const material = materialOf(task)
      const [prompt] = planned(strategy, material) as [PlannedPrompt]
      const noise = fc.oneof(
        fc.string({ unit: "binary" }),
        fc.json(),
        fc
          .array(fc.constantFrom(...'{}[]",:\\\n `input', '"input"', '"output"', "null"))
          .map((parts) => parts.join("")),
      )
      fc.assert(
        fc.property(noise, (text) => void strategy.parse(text, prompt, material)),
        { numRuns: 60 },
      )
      const pair = pairOf(task, 3)
      const isLabelling = prompt.given?.input !== undefined
      const text = isLabelling
        ? typeof pair.output === "string"
          ? pair.output
          : Array.isArray(pair.output)
            ? pair.output.join(", ")
            : JSON.stringify(pair.output)
        : JSON.stringify({ examples: [prompt.given === undefined ? pair : { input: pair.input }] })
      if (prompt.schema !== undefined) {
        const validate = validatorOf({ ...prompt.schema })
        expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true)
      }
      const { drafts, problems } = strategy.parse(text, prompt, material)
      expect([drafts.length, problems]).toEqual([1, []])
      for (const draft of drafts) {
        expect([...inputIssues(task, draft.input), ...outputIssues(task, draft.output)]).toEqual([])
        expect(draft.parents.length).toBeGreaterThan(0)
      }
    },
  )
})

describe("an answer with examples", () => {
  const { strategy } = asking.find(({ name }) => name === "self-instruct") as (typeof asking)[number]
  const material = materialOf(tasks.label)
  const [prompt] = planned(strategy, material) as [PlannedPrompt]
  const one = { input: { body: 'a {brace} and a " quote' }, output: "order" }
  const two = { input: { body: "two" }, output: "Invoice." }
  const read = (text: string) => strategy.parse(text, prompt, material)

  it.each([
    ["as asked for", JSON.stringify({ examples: [one, two] })],
    ["as an array", JSON.stringify([one, two])],
    ["one a line", `${JSON.stringify(one)}\n${JSON.stringify(two)}`],
    [
      "one a line with commas, in a fence",
      `Sure! "Here" you go:\n\`\`\`json\n${JSON.stringify(one)},\n${JSON.stringify(two)}\n\`\`\`\nAnything else?`,
    ],
    ["indented", JSON.stringify({ examples: [one, two] }, null, 2)],
    ["cut after the second", `{"examples": [${JSON.stringify(one)}, ${JSON.stringify(two)}, {"input": {"body": "cut`],
    [
      "with a broken one",
      `{"examples": [${JSON.stringify(one)}, {"input": {"body": "x"} "output": }, ${JSON.stringify(two)}]}`,
    ],
    ["under another name", JSON.stringify({ data: [one, two] })],
    [
      "with the only field as a text",
      JSON.stringify({
        examples: [
          { ...one, input: one.input.body },
          { ...two, input: "two" },
        ],
      }),
    ],
  ])("is read %s", (_name, text) => {
    const found = read(text).drafts
    expect(found.map(({ input, output }) => ({ input, output }))).toEqual([one, { ...two, output: "invoice" }])
    expect(found.map(({ cell }) => cell)).toEqual([{ label: "order" }, { label: "invoice" }])
  })

  it("says what is missing", () => {
    expect(read("I am sorry.").problems).toEqual(["the answer holds no JSON object with input and output"])
    expect(read('{"input": "x"}')).toMatchObject({
      drafts: [],
      problems: [expect.stringContaining("without input and output")],
    })
  })

  it("takes time in proportion to its length", () => {
    expect(read("{".repeat(200_000)).drafts).toEqual([])
    expect(read("{".repeat(50_000) + "}".repeat(50_000)).drafts).toEqual([])
  })
})

describe("shots", () => {
  it("are within the budget, at most as many as wished for, half preferred; a new seed enters few", () => {
    const seeds = seedsOf(tasks.label, 60)
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 1, max: 300 }),
        (key, count, tokens) => {
          const shots = chooseShots(seeds, { key, count, tokens, prefer: ({ output }) => output === "order" })
          expect(shots.length).toBeLessThanOrEqual(count)
          expect(shots.reduce((sum, seed) => sum + estimatedTokens(shotText(seed)), 0)).toBeLessThanOrEqual(tokens)
          expect(new Set(shots).size).toBe(shots.length)
          if (tokens === 300 && count >= 2)
            expect(shots.filter(({ output }) => output === "order").length).toBeGreaterThanOrEqual(
              Math.min(count / 2, 4),
            )
        },
      ),
    )
  })
})
