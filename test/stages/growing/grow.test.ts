import { writeFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { load, names } from "../../../src/cli/plugins.ts"
import { digest as digestOf } from "../../../src/core/canonical.ts"
import type { Candidate, QuarantinedAnswer, Split } from "../../../src/core/rows/example.ts"
import type { Failure } from "../../../src/core/rows/failure.ts"
import type { ModelRequest } from "../../../src/core/contracts/model.ts"
import { formatOutput, inputText } from "../../../src/core/task/output.ts"
import type { ModelStrategy } from "../../../src/core/contracts/strategy.ts"
import { taskKinds } from "../../../src/core/task/task.ts"
import type { StageContext } from "../../../src/stages/context.ts"
import { erase } from "../../../src/stages/versions/erase.ts"
import { taskExamples } from "../../../src/stages/standing/task-examples.ts"
import { linesOf } from "../../command-line.ts"
import { inputsOf, pairOf, seedsOf, tasks, textOf } from "../../strategies/tasks.ts"
import { ScriptedModel, workspaceWith } from "../in-process.ts"
import { task, examples, isLabelling, grow, splitAll, train, candidatesOf } from "./growing.ts"

describe("nothing held out", () => {
  it.each(taskKinds)(
    "is a shot, a parent, a target or an answer's input, of any strategy, in a %s task",
    async (kind) => {
      const failures = (ids: readonly string[]): Failure[] => [
        { description: "gives a wrong answer", rows: 2, near: ids },
      ]
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom<Split>("train", "validation", "test"), { minLength: 18, maxLength: 18 }),
          async (drawn) => {
            const of = tasks[kind]
            const [seeds, inputs] = [seedsOf(of, 18), inputsOf(of, 9)]
            const splits = [
              ...splitAll(seeds, (index) => (index === 0 ? "train" : (drawn[index] ?? "train"))),
              ...splitAll(inputs, (index) => drawn[17 - index] ?? "train"),
            ]
            const at = workspaceWith(of, { seeds, inputs, splits })
            const model = new ScriptedModel((request) =>
              isLabelling(request) ? formatOutput(of, pairOf(of, 3).output) : examples(request, of),
            )
            for (const name of names("strategies").filter((other) => other !== "recombine"))
              await grow(at, model, name, { of, count: 3, failures: failures(seeds.map(({ id }) => id)) })
            const heldOut = new Set(splits.flatMap(({ id, split }) => (split === "train" ? [] : [id])))
            const said = model.asked.map((request) => JSON.stringify(request)).join("\n")
            for (const { id, input } of [...seeds, ...inputs])
              if (heldOut.has(id))
                expect(said.includes(JSON.stringify(inputText(of, input)).slice(1, -1)), id).toBe(false)
            for (const { parents, answers } of at.rows.grown.candidates())
              for (const id of [...parents, ...(answers === undefined ? [] : [answers])])
                expect(heldOut.has(id)).toBe(false)
            expect(model.asked.length).toBeGreaterThan(8)
          },
        ),
        { numRuns: 1 },
      )
    },
  )
})

describe("rounds", () => {
  it(
    "that were broken off at any request and gone on with grow " + "the same candidates, and ask nothing twice",
    async () => {
      const seeds = seedsOf(task, 20)
      const of = {
        ...task,
        expand: { ...task.expand, roundSize: 2, checks: { secondPass: { minimum: 0, shots: 2, shotTokens: 500 } } },
      }
      const answer = (request: ModelRequest) =>
        isLabelling(request)
          ? "order"
          : request.seed % 3 === 0 && !JSON.stringify(request.messages).includes("could not be read")
            ? "no JSON"
            : examples(request)
      const calm = workspaceWith(of, { seeds, splits: train(seeds) })
      const whole = new ScriptedModel(answer)
      const expected = await grow(calm, whole, "grid", { of, count: 18 })
      expect(expected).toMatchObject({ state: "grown", requests: 6, rounds: 3 })
      expect(expected.repaired).toBeGreaterThan(0)
      for (let at = 1; at <= whole.asked.length; at += 5) {
        const broken = workspaceWith(of, { seeds, splits: train(seeds) })
        const model = new ScriptedModel((request, number) => {
          if (number === at) throw new Error("the machine died")
          return answer(request)
        })
        await expect(grow(broken, model, "grid", { of, count: 18 })).rejects.toThrow("the machine died")
        expect(candidatesOf(broken)).toEqual({})
        await grow(broken, model, "grid", { of, count: 18 })
        expect(candidatesOf(broken)).toEqual(candidatesOf(calm))
        // What was in flight when it died may be asked again, and nothing else.
        expect(model.asked.length).toBeLessThanOrEqual(whole.asked.length + 4)
        expect(await grow(broken, model, "grid", { of, count: 18 })).toMatchObject({
          state: "unchanged",
          cells: expected.cells,
        })
      }
    },
  )

  it("ask for the cells that the rounds before left empty", async () => {
    const seeds = seedsOf(task, 12)
    const of = { ...task, expand: { ...task.expand, attributes: { tone: ["calm", "angry"] }, roundSize: 6 } }
    const at = workspaceWith(of, { seeds, splits: train(seeds) })
    // An angry mail about an invoice always comes out as the same text.
    const isHard = (request: ModelRequest) =>
      /"invoice"\. [\s\S]*tone: angry/.test(request.messages.at(-1)?.content ?? "")
    const model = new ScriptedModel((request) =>
      isHard(request)
        ? JSON.stringify({ examples: [{ input: seeds[0]?.input, output: "invoice" }] })
        : examples(request),
    )
    const result = await grow(at, model, "grid", { of, count: 27, options: { shots: 0 } })
    expect(result.rounds).toBe(2)
    expect(model.asked.slice(6).filter(isHard).length).toBeGreaterThan(model.asked.slice(0, 6).filter(isHard).length)
    expect(result.emptyCells).toEqual(["label=invoice, tone=angry"])
    const hard = result.cells.find(({ cell }) => cell["label"] === "invoice" && cell["tone"] === "angry")
    expect(hard).toMatchObject({ passed: 0, novel: 0 })
    expect(hard?.parsed).toBe(model.asked.filter(isHard).length)
    for (const { asked, answered, parsed, novel, passed } of result.cells) {
      expect(answered).toBe(asked)
      expect(novel).toBeLessThanOrEqual(parsed)
      expect(passed).toBeLessThanOrEqual(novel)
    }
  })
})

describe("an answer that cannot be read", () => {
  it("is repaired once, or put aside with its reason where people can read it", async () => {
    const seeds = seedsOf(task, 12)
    const at = workspaceWith(task, { seeds, splits: train(seeds) })
    const stubborn = new Set<number>()
    const model = new ScriptedModel((request, number) => {
      const isRepair = JSON.stringify(request.messages).includes("could not be read")
      if (!isRepair && number === 1) stubborn.add(request.seed)
      if (isRepair && !stubborn.has(request.seed)) return examples(request)
      return number <= 2 || isRepair ? "I would rather not." : examples(request)
    })
    const result = await grow(at, model, "self-instruct", { count: 20 })
    expect(result).toMatchObject({ requests: 4, repaired: 1, quarantined: 1 })
    expect(model.asked).toHaveLength(6)
    const [put, ...more] = linesOf<QuarantinedAnswer>(at.rows.grown.quarantineFile(result.batch))
    expect(more).toEqual([])
    expect(put).toMatchObject({
      answer: "I would rather not.",
      reason: "the answer holds no JSON object with input and output",
      strategy: "self-instruct",
    })
    expect(await answerTo(at.context, put?.request)).toBe("I would rather not.")
    expect(put?.parents.length).toBeGreaterThan(0)
    // An erasure of a seed that the prompt showed takes the answer with it, here and in the ledger.
    await erase(at.context, task, { ids: [put?.parents[0] ?? ""], matching: undefined, why: undefined, yes: true })
    expect(linesOf(at.rows.grown.quarantineFile(result.batch))).toEqual([])
    expect(await answerTo(at.context, put?.request)).toBe("")
  })

  it("is read by a parser that learnt to, without a call", async () => {
    const seeds = seedsOf(task, 12)
    const at = workspaceWith(task, { seeds, splits: train(seeds) })
    const model = new ScriptedModel((request) => `${examples(request)}`.replaceAll('"input"', '"Eingabe"'))
    expect(await grow(at, model, "self-instruct")).toMatchObject({ grown: 0, quarantined: 3 })
    const asked = model.asked.length
    const old = (await load<ModelStrategy<never>>("strategies", "self-instruct")) as ModelStrategy<never>
    const better: ModelStrategy<never> = {
      ...old,
      semantics: old.semantics + 1,
      parse: (text, prompt, material) => old.parse(text.replaceAll('"Eingabe"', '"input"'), prompt, material),
    }
    const result = await grow(at, model, "self-instruct", { strategy: better })
    expect(result).toMatchObject({ state: "grown", requests: 3, answeredBefore: 3, grown: 9, quarantined: 0 })
    expect(model.asked).toHaveLength(asked)
    expect(at.rows.grown.candidates()).toHaveLength(9)
  })
})

it("a batch that put answers aside is read again by a parser that reads more, and no other batch is", async () => {
  const seeds = seedsOf(task, 12)
  const at = workspaceWith(task, { seeds, splits: train(seeds) })
  const model = new ScriptedModel((request) =>
    request.seed % 2 === 0 ? examples(request) : examples(request).replaceAll('"input"', '"Eingabe"'),
  )
  const old = (await load<ModelStrategy<never>>("strategies", "self-instruct")) as ModelStrategy<never>
  const first = await grow(at, model, "self-instruct", { count: 30, strategy: old })
  expect(first.quarantined).toBeGreaterThan(0)
  const before = at.rows.grown.candidates()
  const asked = model.asked.length
  const better: ModelStrategy<never> = {
    ...old,
    learnt: (old.learnt ?? 0) + 1,
    parse: (text, prompt, material) => old.parse(text.replaceAll('"Eingabe"', '"input"'), prompt, material),
  }
  const again = await grow(at, model, "self-instruct", { count: 30, strategy: better })
  expect(again).toMatchObject({ batch: first.batch, state: "grown", quarantined: 0 })
  expect(model.asked).toHaveLength(asked)
  expect(at.rows.grown.candidates()).toEqual(expect.arrayContaining(before))
  expect(again.fresh).toBe(at.rows.grown.candidates().length - before.length)
  expect(again.fresh).toBeGreaterThan(0)
  expect(await grow(at, model, "self-instruct", { count: 30, strategy: better })).toMatchObject({ state: "unchanged" })
})

describe("never twice", () => {
  it(
    "an edited seed asks again only for the prompts that show " + "it, and a candidate that is there stays one",
    async () => {
      const seeds = seedsOf(task, 30)
      const at = workspaceWith(task, { seeds, splits: train(seeds) })
      const model = new ScriptedModel((request) => examples(request))
      const options = { shots: 3, perRequest: 3 }
      await grow(at, model, "self-instruct", { count: 60, options })
      const before = at.rows.grown.candidates()
      const [edited] = seeds
      const shown = model.asked.filter(({ messages }) =>
        messages.some(({ content }) => content.includes(String(edited?.input["body"]))),
      )
      expect(shown.length).toBeGreaterThan(0)
      expect(shown.length).toBeLessThan(8)
      at.rows.writeSeeds(
        seeds.map((seed) => (seed === edited ? { ...seed, input: { body: `${textOf(4321)} quite another` } } : seed)),
      )
      const first = model.asked.length
      expect(await grow(at, model, "self-instruct", { count: 60, options })).toMatchObject({
        state: "grown",
        requests: 20,
        answeredBefore: 20 - shown.length,
      })
      expect(model.asked.length - first).toBe(shown.length)
      const ids = at.rows.grown.candidates().map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids).toEqual(expect.arrayContaining(before.map(({ id }) => id)))
    },
  )

  it("what a preview asked, a larger count or a deleted batch", async () => {
    const seeds = seedsOf(task, 12)
    const at = workspaceWith(task, { seeds, splits: train(seeds) })
    const model = new ScriptedModel((request) => examples(request))
    const seen = await grow(at, model, "persona", { preview: 4 })
    expect(seen).toMatchObject({ state: "previewed", candidates: { length: 4 } })
    expect([candidatesOf(at), model.asked.length]).toEqual([{}, 2])
    await grow(at, model, "persona", { count: 12 })
    expect(model.asked).toHaveLength(4)
    expect(at.rows.grown.candidates().slice(0, 4)).toMatchObject(seen.candidates as object[])
    await grow(at, model, "persona", { count: 15 })
    expect(model.asked).toHaveLength(5)
    expect(at.rows.grown.candidates()).toHaveLength(15)
  })

  it(
    "what reviewers turned down is told to the model where the specification says so, and only then other " +
      "questions are asked",
    async () => {
      const seeds = seedsOf(task, 12)
      const at = workspaceWith(task, { seeds, splits: train(seeds) })
      const model = new ScriptedModel((request) => examples(request))
      await grow(at, model, "persona", { count: 6 })
      const before = model.asked.length
      const of = { ...task, expand: { ...task.expand, avoid: ["sounds like an assistant"] } }
      await grow(at, model, "persona", { of, count: 6 })
      const told = model.asked.map(({ messages }) => messages[0]?.content.includes("- sounds like an assistant"))
      expect(told).toEqual(model.asked.map((_, index) => index >= before))
      expect(model.asked).toHaveLength(2 * before)
    },
  )

  it("a dry run says what it will be, and asks nothing", async () => {
    const seeds = seedsOf(task, 12)
    const of = { ...task, expand: { ...task.expand, checks: { judge: { rubric: "It is good.", minimum: 0.5 } } } }
    const at = workspaceWith(of, { seeds, splits: train(seeds) })
    const model = new ScriptedModel((request) =>
      request.messages[0]?.content.startsWith("You judge") ? '{"reason": "fine", "score": 4}' : examples(request),
    )
    const { plan } = await grow(at, model, "grid", { of, dryRun: true })
    expect(model.asked).toEqual([])
    expect(plan?.lines.map(({ step, requests }) => [step, requests])).toEqual([
      ...[1, 2, 3, 4].map(() => ["grow", 1]),
      ["judge", 12],
    ])
    // A server on this machine costs nothing, unless the workspace says otherwise.
    expect(plan?.costUsd).toBe(0)
    writeFileSync(
      join(at.folder, "prices.yaml"),
      "models:\n  - { match: m, inputUsd: 1, outputUsd: 10, asOf: 2026-11-24, source: test }\n",
    )
    const priced = (await grow(at, model, "grid", { of, dryRun: true })).plan
    expect(priced?.costUsd).toBeCloseTo(((plan?.inputTokens ?? 0) + 10 * (plan?.outputTokens ?? 0)) / 1e6, 9)
    expect(plan).toMatchObject({ requests: 16, candidates: 12, samples: { length: 3 } })
    for (const line of plan?.lines ?? []) expect(Math.min(line.inputTokens, line.outputTokens)).toBeGreaterThan(0)
    const { requests } = await grow(at, model, "grid", { of })
    expect([requests, model.asked.length]).toEqual([4, 16])
    expect(model.asked[0]?.messages).toEqual(plan?.samples[0]?.messages)
  })
})

describe("labelling real inputs", () => {
  const seeds = seedsOf(task, 12)
  const inputs = inputsOf(task, 8)
  const splits = [...train(seeds), ...splitAll(inputs, (index) => (index === 0 ? "test" : "train"))]
  /** Two passes that agree on all inputs but the last. */
  const passes = new ScriptedModel((request) => {
    const body = request.messages.at(-1)?.content
    return body === inputs[7]?.input["body"] &&
      passes.asked.filter(({ messages }) => messages.at(-1)?.content === body).length > 1
      ? "Other."
      : "order"
  })

  it(
    "two passes give each train input an output and a " + "confidence, and what a person takes is one example",
    async () => {
      const at = workspaceWith(task, { seeds, inputs, splits })
      const result = await grow(at, passes, "label", { count: 100 })
      expect(result).toMatchObject({ requests: 7, grown: 7, passed: 7 })
      expect(passes.asked).toHaveLength(14)
      const grown = at.rows.grown.candidates()
      expect(new Set(grown.map(({ answers }) => answers))).toEqual(new Set(inputs.slice(1).map(({ id }) => id)))
      expect(grown.map(({ parents, answers }) => parents[0] === answers && parents.length === 1)).not.toContain(false)
      expect(Object.fromEntries(grown.map(({ answers, confidence }) => [answers, confidence]))).toEqual(
        Object.fromEntries(inputs.slice(1).map(({ id }) => [id, id === inputs[7]?.id ? 0 : 1])),
      )
      // Two passes show different seeds, or the same in another order.
      const shots = passes.asked.map(({ messages }) => JSON.stringify(messages))
      expect(new Set(shots).size).toBe(14)

      const open = () => taskExamples(task, at.rows).open.map(({ id }) => id)
      const [first, second, third] = grown as Candidate[] as [Candidate, Candidate, Candidate]
      expect(open().sort()).toEqual([inputs[0]?.id, ...grown.map(({ id }) => id)].sort())
      const decide = (
        session: string,
        item: Candidate,
        verdict: "accept" | "edit" | "reject",
        about: "candidate" | "input",
        output?: unknown,
      ) => {
        const items = taskExamples(task, at.rows).open
        const revision =
          items.find(({ id }) => id === (about === "candidate" ? item.id : item.answers))?.revision ??
          inputRevision(item)
        at.rows.review.writeSession(session, [
          {
            item: about === "candidate" ? item.id : (item.answers ?? ""),
            verdict,
            ...(output === undefined ? {} : { output }),
            reviewer: "amara",
            guideline: "g",
            revision,
            at: "2026-11-24T12:00:00Z",
          },
        ])
      }
      decide("a", first, "accept", "candidate")
      decide("b", second, "reject", "candidate")
      expect(open()).not.toContain(first.id)
      expect(open()).not.toContain(first.answers)
      // A proposal that was turned down leaves the input to be answered by hand.
      expect(open()).toContain(second.answers)
      decide("c", second, "edit", "input", "invoice")
      decide("d", third, "edit", "input", "invoice")
      const { train: rows } = taskExamples(task, at.rows)
      const bodies = rows.map(({ input }) => input["body"])
      expect(new Set(bodies).size).toBe(bodies.length)
      for (const [candidate, output] of [
        [first, "order"],
        [second, "invoice"],
        [third, "invoice"],
      ] as const)
        expect(rows.filter(({ input }) => input["body"] === candidate.input["body"]).map((row) => row.output)).toEqual([
          output,
        ])
      expect(open()).not.toContain(third.id)
    },
  )

  it("asks about an input once where real inputs repeat", async () => {
    const [one] = inputs.slice(1)
    const twin = { id: "input_00000000000000aa", input: { body: `${String(one?.input["body"])}!` } }
    const at = workspaceWith(task, {
      seeds,
      inputs: [...inputs.slice(1, 3), twin],
      splits: [...train(seeds), ...train([...inputs, twin])],
    })
    const result = await grow(at, new ScriptedModel(() => "order"), "label")
    expect(result).toMatchObject({ grown: 3, passed: 2, failedChecks: { novelty: 1 } })
  })
})

/** The revision of an input that is not open any more. */
function inputRevision({ input }: Candidate): string {
  return digestOf({ input, output: null })
}

async function answerTo(context: StageContext, key = ""): Promise<string | undefined> {
  return (await context.ledger().requests.answers([key])).get(key)?.text
}
