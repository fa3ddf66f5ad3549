import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { digestText } from "../../../src/core/canonical.ts"
import { load } from "../../../src/cli/plugins.ts"
import type { Example, Output, Split } from "../../../src/core/rows/example.ts"
import type { HoldoutId } from "../../../src/core/rows/frozen-ids.ts"
import { formatOutput } from "../../../src/core/task/output.ts"
import type { Strategy } from "../../../src/core/contracts/strategy.ts"
import { type TaskKind, type TaskSpecification, taskKinds } from "../../../src/core/task/task.ts"
import { failureKinds } from "../../../src/evaluation/scores/failure-kinds.ts"
import { expand } from "../../../src/stages/growing/expand.ts"
import { failuresOf } from "../../../src/stages/growing/failures.ts"
import { toJsonLines, writeAtomically } from "../../../src/store/files/files.ts"
import { Versions } from "../../../src/store/rows/versions.ts"
import { pairOf, seedsOf, tasks } from "../../strategies/tasks.ts"
import { planWith } from "../../training-plan.ts"
import { ScriptedModel, workspaceWith } from "../in-process.ts"

const order = (product: string, items: readonly object[]) => ({ product, items })
const call = (name: string, given: object) => ({
  tool_calls: [{ type: "function", function: { name, arguments: given } }],
})

const cases: Readonly<Record<TaskKind, readonly (readonly [Output, Output | undefined, string])[]>> = {
  label: [
    ["invoice", "order", 'gives "order" where "invoice" is right'],
    ["invoice", undefined, "gives an answer that is no output of the task"],
  ],
  multilabel: [
    [["price"], ["price", "time"], 'gives "time" where it does not belong'],
    [["price", "time"], ["price"], 'leaves "time" out where it belongs'],
  ],
  json: [
    [order("secret-lamp", []), order("kettle", []), 'gets "product" wrong'],
    [order("x", [{ unit: "box" }]), order("x", [{ unit: "secret-bag" }]), 'gets "items[].unit" wrong'],
    [order("x", [{ unit: "box" }]), order("x", []), 'gets "items[]" wrong'],
    [{ ...order("x", []), "secret-key": 1 }, order("x", []), 'gets "*" wrong'],
  ],
  text: [
    ["a secret answer of some length", "short", "answers too briefly"],
    ["secret", "a very long answer indeed", "answers at too great a length"],
    ["secret answer", "another thing", "gives a wrong answer"],
  ],
  chat: [
    [call("wake", {}), call("book_room", { nights: 2 }), 'calls "book_room" where it should call "wake"'],
    [
      call("book_room", { nights: 77_001 }),
      call("book_room", { nights: 2 }),
      'calls "book_room" with a wrong "nights"',
    ],
    [{ content: "secret" }, call("wake", {}), 'calls "wake" where it should reply'],
    [call("wake", {}), { content: "x" }, 'replies where it should call "wake"'],
    [{ content: "secret" }, { content: "x" }, "gives a wrong reply"],
  ],
}

describe("kinds of error", () => {
  it.each(taskKinds)("of a %s task say what went wrong and nothing that a row says", (kind) => {
    const task = tasks[kind]
    const seeds = seedsOf(task, 20)
    for (const [reference, output, description] of cases[kind]) {
      const shared = { input: {}, references: [reference] as const }
      const right = { ...shared, id: "ex_2", output: reference, text: "right" }
      const [found, ...more] = failureKinds(
        task,
        [{ ...shared, id: "ex_1", output, text: "secret lamp parcel" }, right],
        seeds,
      )
      expect(more).toEqual([])
      expect(found).toMatchObject({ description, rows: 1 })
      expect(JSON.stringify(found)).not.toMatch(/secret|77001/)
      for (const id of found?.near ?? []) expect(seeds.map((seed) => seed.id)).toContain(id)
    }
  })

  it(
    "name the train seeds that are most like the rows, of the labels that were confused, the frequent kinds " + "first",
    () => {
      const seeds = seedsOf(tasks.label, 40)
      const like = seeds.find(({ output }) => output === "order")
      const row = (reference: string, output: string, text: unknown) => ({
        id: "ex_1",
        input: {},
        references: [reference] as const,
        output,
        text: String(text),
      })
      const [first, second] = failureKinds(
        tasks.label,
        [row("other", "order", "x"), row("invoice", "order", like?.input["body"]), row("invoice", "order", "y")],
        seeds,
      )
      expect([first?.rows, second?.rows]).toEqual([2, 1])
      expect(first?.near[0]).toBe(like?.id)
      const outputs = new Set(seeds.flatMap(({ id, output }) => (first?.near.includes(id) ? [output] : [])))
      expect([...outputs].sort()).toEqual(["invoice", "order"])
    },
  )
})

describe("counter-examples to an evaluation", () => {
  const task = tasks.label
  const seeds = seedsOf(task, 30)
  const holdout = "hold_0123456789abcdef"
  const split = (index: number): Split => (index % 3 === 0 ? "validation" : index % 3 === 1 ? "test" : "train")

  /** A task with an evaluation of which the tuned model got every invoice of validation wrong. */
  async function evaluated(of: TaskSpecification, { later }: { readonly later?: HoldoutId } = {}) {
    const at = workspaceWith(of, {
      seeds,
      splits: seeds.map(({ id }, index) => ({ id, split: split(index), stratum: "all" })),
    })
    const examples = (part: Split): Example[] =>
      seeds
        .filter((_, index) => split(index) === part)
        .map(({ id, input, output }) => ({
          id: `ex_${id.slice(5)}`,
          input,
          output,
          provenance: { parents: [], strategy: "gold", acceptedBy: "gold" },
        }))
    const run = at.context.workspace.runFolder("r1")
    // A later holdout has one row of validation less.
    const asked = examples("validation").slice(later === undefined ? 0 : 1)
    const answers = asked.map(({ id, output }) => ({
      id,
      output: formatOutput(of, output === "invoice" ? "order" : output),
      latencyMs: null,
      inputTokens: 9,
      outputTokens: 1,
      finish: "stop",
    }))
    const rows = { validation: examples("validation"), test: examples("test") }
    const entry = (part: readonly Example[]) => ({ rows: part.length, digest: digestText(toJsonLines(part)) })
    const freeze = (id: HoldoutId, kept: typeof rows) =>
      new Versions(at.context.workspace, of.task).freezeHoldout(
        {
          schemaVersion: 1,
          id,
          task: of.task,
          files: { "validation.jsonl": entry(kept.validation), "test.jsonl": entry(kept.test) },
          perLabel: {},
        },
        kept,
      )
    await freeze(holdout, rows)
    if (later !== undefined) await freeze(later, { ...rows, validation: asked })
    writeAtomically(join(run, "plan.json"), JSON.stringify(planWith({ holdout })))
    writeAtomically(
      join(run, "evaluations", "eval_1.json"),
      JSON.stringify({ task: of.task, evaluation: "eval_1", run: "r1", at: "2026-11-24T10:00:00Z", holdout: later }),
    )
    writeAtomically(join(run, "predictions", "eval_1", "tuned-validation.jsonl"), toJsonLines(answers))
    // Whoever reads a test row breaks on it.
    writeAtomically(join(at.rows.folder, "holdouts", holdout, "test.jsonl"), "not JSON\n")
    return at
  }

  it("ask for what it got wrong on validation, with train seeds as shots, and open no test row", async () => {
    const at = await evaluated(task)
    const failures = failuresOf(at.context, task, "latest")
    expect(failures).toEqual(failuresOf(at.context, task, "eval_1"))
    expect(failures).toMatchObject([{ label: "invoice", instead: "order" }])
    const model = new ScriptedModel(() => JSON.stringify({ examples: [pairOf(task, 1)] }))
    const strategy = await load<Strategy>("strategies", "counter-examples")
    await expand(
      at.context,
      task,
      [
        {
          name: "counter-examples",
          strategy,
          options: strategy.options.parse({}) as Record<string, unknown>,
          count: 6,
        },
      ],
      {
        model: () => model,
        environmentModel: "m",
        filters: [],
        dryRun: false,
        failures,
      },
    )
    expect(model.asked.length).toBeGreaterThan(0)
    for (const { messages } of model.asked) {
      const said = messages.map(({ content }) => content).join("\n")
      expect(said).toContain('gives "order" where "invoice" is right')
      const shown = seeds.filter(({ input }) => said.includes(String(input["body"])))
      expect(shown.length).toBeGreaterThan(0)
      expect(new Set(shown.map((seed) => split(seeds.indexOf(seed))))).toEqual(new Set(["train"]))
    }
  })

  it("ask for what went wrong on the holdout of the evaluation, where that is a later one than the run's", async () => {
    const wrong = async (options: { readonly later?: HoldoutId }) => {
      const { context } = await evaluated(task, options)
      return failuresOf(context, task, "latest").map(({ label, instead, rows }) => ({ label, instead, rows }))
    }
    const validation = seeds.filter((_, index) => split(index) === "validation")
    const invoices = (part: typeof seeds) => part.filter(({ output }) => output === "invoice").length
    expect(await wrong({})).toEqual([{ label: "invoice", instead: "order", rows: invoices(validation) }])
    expect(await wrong({ later: "hold_fedcba9876543210" })).toEqual([
      { label: "invoice", instead: "order", rows: invoices(validation.slice(1)) },
    ])
  })

  it("names the evaluations that there are when another is asked for", async () => {
    const at = await evaluated(task)
    expect(() => failuresOf(at.context, task, "eval_2")).toThrow(
      /there is no evaluation "eval_2" of mail; there are: eval_1; did you mean "eval_1"/,
    )
    expect(() => failuresOf(workspaceWith(task, { seeds }).context, task, "latest")).toThrow(/none was made/)
  })
})
