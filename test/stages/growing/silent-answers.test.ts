import { expect, describe, it } from "vitest"
import type { ModelAnswer, ModelRequest } from "../../../src/core/contracts/model.ts"
import type { Candidate, QuarantinedAnswer } from "../../../src/core/rows/example.ts"
import { Asking } from "../../../src/stages/asking/asking.ts"
import { askingTerms } from "../../../src/stages/growing/asking-terms.ts"
import { passes } from "../../../src/core/rows/candidates.ts"
import { linesOf } from "../../command-line.ts"
import { inputsOf, seedsOf } from "../../strategies/tasks.ts"
import { ScriptedModel, workspaceWith } from "../in-process.ts"
import { examples, grow, isLabelling, task, train } from "./growing.ts"

const isJudging = ({ messages }: ModelRequest) => messages[0]?.content.startsWith("You judge") === true
const isRepair = ({ messages }: ModelRequest) => JSON.stringify(messages).includes("could not be read")
const seeds = seedsOf(task, 12)

describe("one request without a text is put aside with its reason, and the rest goes on", () => {
  it.each<[string, Partial<ModelAnswer>, string, number]>([
    ["a refusal", { refusal: "I cannot." }, "the model refused: I cannot.", 0],
    ["a filter", { finish: "content_filter" }, "the server's rules on content held the answer back", 0],
    ["a limit", { finish: "length", thought: "Hm." }, "the answer was cut off while the model still thought", 0],
    ["a thought that never ends", { finish: "length", text: "<think>Hm." }, "the answer was cut off while the", 0],
    [
      "a thought alone",
      { finish: "stop", text: "<think>Hm.</think>" },
      "the answer is a thought and nothing after it",
      1,
    ],
    ["nothing", { finish: "stop", text: "" }, "the answer is empty", 1],
  ])("because of %s", async (_name, silence, reason, repairs) => {
    const at = workspaceWith(task, { seeds, splits: train(seeds) })
    const model = new ScriptedModel((request, number) =>
      number === 2 || isRepair(request) ? silence : examples(request),
    )
    const result = await grow(at, model, "self-instruct", { count: 12, options: { perRequest: 3 } })
    expect(result).toMatchObject({ state: "grown", requests: 4, grown: 9, quarantined: 1 })
    expect(model.asked).toHaveLength(4 + repairs)
    const [put] = linesOf<QuarantinedAnswer>(at.rows.grown.quarantineFile(result.batch))
    expect(put).toMatchObject({ answer: "", reason: expect.stringContaining(reason) })
    if (silence.thought ?? silence.text?.trim()) expect(put?.thought).toBe("Hm.")
    // Kept like any other: the next command asks nothing.
    expect(await grow(at, model, "self-instruct", { count: 12, options: { perRequest: 3 } })).toMatchObject({
      state: "unchanged",
      quarantined: 1,
    })
    expect(model.asked).toHaveLength(4 + repairs)
  })
})

describe("what was answered without a text", () => {
  const retry = (at: ReturnType<typeof workspaceWith>) =>
    new Asking(at.context, askingTerms(task, { retryEmpty: true }))

  it("is asked again where that is wished, once, and nothing else is; what was grown stays", async () => {
    const at = workspaceWith(task, { seeds, splits: train(seeds) })
    const silent = new ScriptedModel((request, number) => (number === 2 ? { finish: "length" } : examples(request)))
    const options = { count: 12, options: { perRequest: 3 } }
    const first = await grow(at, silent, "self-instruct", options)
    const before = at.rows.grown.candidates()
    const model = new ScriptedModel((request) => examples(request))
    const second = await grow(at, model, "self-instruct", { ...options, asking: retry(at) })
    expect(second).toMatchObject({
      state: "grown",
      batch: first.batch,
      grown: 12,
      fresh: 3,
      quarantined: 0,
      silent: {},
    })
    expect(model.asked).toEqual([silent.asked[1]])
    expect(at.rows.grown.candidates()).toHaveLength(12)
    expect(at.rows.grown.candidates()).toEqual(expect.arrayContaining(before))
    expect(linesOf(at.rows.grown.quarantineFile(first.batch))).toEqual([])
    // Both sendings count.
    const { attempts } = await at.context
      .ledger()
      .requests.spendingByPurpose()
      .then(([entry]) => entry ?? { attempts: 0 })
    expect(attempts).toBe(5)
  })

  it("and is silent again is asked once in a command", async () => {
    const at = workspaceWith(task, { seeds, splits: train(seeds) })
    const model = new ScriptedModel((_request) => ({ finish: "length" }))
    await grow(at, model, "self-instruct", { count: 9, options: { perRequest: 3 } })
    expect(model.asked).toHaveLength(3)
    const again = await grow(at, model, "self-instruct", { count: 9, options: { perRequest: 3 }, asking: retry(at) })
    expect(again).toMatchObject({ grown: 0, quarantined: 3, silent: { "cut off": 3 } })
    expect(model.asked).toHaveLength(6)
  })

  it("by a judge is judged on the second asking, and the candidate counts then", async () => {
    const checks = { judge: { rubric: "Names a thing.", minimum: 0.5 } }
    const of = { ...task, expand: { ...task.expand, checks } }
    const at = workspaceWith(of, { seeds, splits: train(seeds) })
    const asks = { of, count: 3, options: { perRequest: 3 } }
    const silent = new ScriptedModel((request) => (isJudging(request) ? { refusal: "No." } : examples(request)))
    expect(await grow(at, silent, "self-instruct", asks)).toMatchObject({ grown: 3, passed: 0 })
    const model = new ScriptedModel(() => '{"reason": "fine", "score": 5}')
    expect(await grow(at, model, "self-instruct", { ...asks, asking: retry(at) })).toMatchObject({
      grown: 3,
      passed: 3,
    })
    expect(model.asked).toHaveLength(3)
    const candidates = at.rows.grown.candidates()
    expect(candidates).toHaveLength(3)
    expect(candidates.every(passes)).toBe(true)
  })
})

describe("a check that cannot be read never passes", () => {
  const checks = {
    secondPass: { minimum: 0, shots: 2, shotTokens: 500 },
    judge: { rubric: "Names a thing.", minimum: 0.5 },
  }
  const of = { ...task, expand: { ...task.expand, checks } }
  const checkOf = ({ checks: found }: Candidate, name: string) => found.find((check) => check.name === name)

  it.each<[string, string | Partial<ModelAnswer>, number]>([
    ["no judgement", "Looks fine to me.", 2],
    ["two judgements", '{"score": 5} or {"score": 1}', 2],
    ["a refusal", { refusal: "No." }, 1],
    ["a cut thought", { text: "<think>5 I would say", finish: "length" }, 1],
  ])("not when the judge gives %s", async (_name, answer, times) => {
    const at = workspaceWith(of, { seeds, splits: train(seeds) })
    const model = new ScriptedModel((request) =>
      isJudging(request) ? answer : isLabelling(request) ? "order" : examples(request),
    )
    const result = await grow(at, model, "self-instruct", { of, count: 3, options: { perRequest: 3 } })
    expect(result).toMatchObject({ grown: 3, passed: 0, failedChecks: { judge: 3 } })
    expect(model.asked.filter(isJudging)).toHaveLength(3 * times)
    for (const candidate of at.rows.grown.candidates())
      expect(checkOf(candidate, "judge")).toEqual({
        name: "judge",
        ok: false,
        detail: expect.stringContaining("no answer of the judge could be read"),
      })
  })

  it("and a thought before the judgement changes nothing of it", async () => {
    const at = workspaceWith(of, { seeds, splits: train(seeds) })
    const model = new ScriptedModel((request) => {
      if (isLabelling(request)) return "<think>order, or {order}?</think>\norder"
      if (isJudging(request)) return '<think>{"score": 5}? No.</think>\n{"reason": "nonsense", "score": 1}'
      return `I could begin with {"input": "draft", "output": "order"}\n</think>\n${examples(request)}`
    })
    const result = await grow(at, model, "self-instruct", { of, count: 3, options: { perRequest: 3 } })
    expect(result).toMatchObject({ grown: 3, passed: 0, failedChecks: { judge: 3 } })
    for (const candidate of at.rows.grown.candidates())
      expect(checkOf(candidate, "judge")).toMatchObject({ ok: false, value: 0, detail: "nonsense" })
    expect(model.asked.filter(isRepair)).toEqual([])
  })

  it("nor when the second pass gives no output of the task, whatever its minimum", async () => {
    const inputs = inputsOf(task, 4)
    const at = workspaceWith(task, { seeds, inputs, splits: [...train(seeds), ...train(inputs)] })
    const isSecond = new Set<string>()
    const model = new ScriptedModel((request) => {
      const asked = request.messages.at(isRepair(request) ? -3 : -1)?.content ?? ""
      if (isSecond.has(asked)) return "no idea"
      isSecond.add(asked)
      return "Label: order"
    })
    const result = await grow(at, model, "label", { count: 4, options: {} })
    expect(result).toMatchObject({ grown: 4, passed: 0, failedChecks: { "second-pass": 4 }, repaired: 0 })
    // Once more each, and then no more.
    expect(model.asked).toHaveLength(12)
  })
})

it("an example that cannot be read is put aside, and the others of its answer are read", async () => {
  const at = workspaceWith(task, { seeds, splits: train(seeds) })
  const whole = '{"input": {"body": "the lamp I ordered came today"}, "output": "order"}'
  const model = new ScriptedModel((_request, number) =>
    number === 1
      ? `{"examples": [${whole}, {"input": {"body": "a "quoted" word"}, "output": "order"}]}`
      : examples(_request),
  )
  const result = await grow(at, model, "self-instruct", { count: 6, options: { perRequest: 3 } })
  expect(result).toMatchObject({ grown: 4, incomplete: 1, quarantined: 0 })
  expect(linesOf<QuarantinedAnswer>(at.rows.grown.quarantineFile(result.batch))).toMatchObject([
    { reason: expect.stringMatching(/read in part; not read: an example that is no JSON: .*quoted/) },
  ])
})
