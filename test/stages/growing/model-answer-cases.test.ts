import { afterEach, beforeEach, expect, it } from "vitest"
import { contentId } from "../../../src/core/canonical.ts"
import { passes } from "../../../src/core/rows/candidates.ts"
import type { Candidate, RealInput, Seed } from "../../../src/core/rows/example.ts"
import openai from "../../../src/models/openai.ts"
import type { ExpandResult } from "../../../src/stages/growing/expand.ts"
import { ChatServer } from "../../models/chat-server.ts"
import { caseRows, caseRules, caseTask, describeCase } from "../../shared-cases.ts"
import { type ScriptedModel, workspaceWith } from "../in-process.ts"
import { grow, train } from "./growing.ts"

let server: ChatServer
beforeEach(async () => {
  server = await ChatServer.start()
})
afterEach(() => server.close())

/** Grows as the case says, with a server that answers by its rules. */
async function grown(
  name: string,
  rules: string,
  strategy: string,
  instead: (body: string) => object | undefined = () => undefined,
) {
  const task = caseTask(name, "mail")
  const withId = <Row extends object>(kind: "seed" | "input", file: string) =>
    caseRows<Row>(name, file).map((row) => ({ ...row, id: contentId(kind, row) }))
  const seeds = withId<Omit<Seed, "id">>("seed", "seeds.jsonl")
  const inputs = withId<Omit<RealInput, "id">>("input", "inputs.jsonl")
  const at = workspaceWith(task, { seeds, inputs, splits: [...train(seeds), ...train(inputs)] })
  const byRules = caseRules(name, rules)
  server.choice = (body) => instead(body) ?? byRules(body)
  const model = openai.create({}, { baseUrl: server.url, fetch: globalThis.fetch, readText: () => "" })
  const { count = 8, ...given } = (task.expand.strategies[strategy] ?? {}) as { count?: number }
  const result: ExpandResult = await grow(at, model as unknown as ScriptedModel, strategy, {
    of: task,
    count,
    options: given,
    filters: [],
  })
  const candidates: readonly Candidate[] = at.rows.grown.candidates()
  const repairs = server.asked.filter(({ body }) => body.includes("That could not be read")).length
  return { result, candidates, repairs, texts: candidates.map(({ input }) => String(input["text"])) }
}

describeCase("10-think", () => {
  it("labels with the answer after the thought", async () => {
    const { result, candidates, repairs } = await grown("10-think", "rules.json", "label")
    expect(result).toMatchObject({ grown: 8, quarantined: 0 })
    expect(candidates.map(({ output }) => output)).toEqual(Array(8).fill("billing"))
    expect(repairs).toBe(0)
  })

  it("grows nothing that is inside a thought", async () => {
    const { result, texts, repairs } = await grown("10-think", "rules.json", "self-instruct")
    expect(result).toMatchObject({ grown: 4, quarantined: 0 })
    expect(texts.join()).not.toMatch(/REJECTED/)
    expect(repairs).toBe(0)
  })
})

describeCase("10b-think-judge", () => {
  it.each([false, true])("fails what the judge gives 1, with a thought before it (%s)", async (isThinking) => {
    const message = { role: "assistant", content: 'Is {it} a {"score": 5}?\n</think>\n{"reason": "no", "score": 1}' }
    const instead = (body: string) =>
      isThinking && body.includes("You judge examples") ? { index: 0, finish_reason: "stop", message } : undefined
    const { candidates, repairs } = await grown("10b-think-judge", "rules-plain.json", "self-instruct", instead)
    expect(candidates.length).toBeGreaterThan(0)
    expect(candidates.some(passes)).toBe(false)
    expect(repairs).toBe(0)
  })
})

describeCase("11-bad-json", () => {
  it("reads 9 of the 10 whole examples without asking again, and loses none without a word", async () => {
    const { result, candidates, repairs } = await grown("11-bad-json", "rules.json", "self-instruct")
    expect(candidates).toHaveLength(9)
    // The one in single quotes is asked for again, and the one that was cut off is put aside.
    expect(repairs).toBe(1)
    expect(result).toMatchObject({ quarantined: 1, incomplete: 1 })
  })
})

describeCase("12-decorated", () => {
  it("reads every label without asking again", async () => {
    const { result, repairs } = await grown("12-decorated", "rules.json", "label")
    expect(result).toMatchObject({ grown: 8, quarantined: 0 })
    expect(repairs).toBe(0)
  })
})

describeCase("13-refusal", () => {
  it.each(["refusal", "filter", "length", "empty"])("puts one request aside (%s) and goes on", async (kind) => {
    const { result } = await grown("13-refusal", `rules-${kind}.json`, "label")
    expect(result).toMatchObject({ grown: 7, quarantined: 1 })
  })

  it("reads an answer in parts", async () => {
    const { result } = await grown("13-refusal", "rules-parts.json", "label")
    expect(result).toMatchObject({ grown: 8, quarantined: 0 })
  })
})
