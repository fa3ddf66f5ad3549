import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest"
import openAiCompatible from "../../../src/backends/openai-compatible.ts"
import openai from "../../../src/models/openai.ts"
import type { FineTuneBackend } from "../../../src/core/contracts/backend.ts"
import { evaluate } from "../../../src/stages/evaluating/evaluate.ts"
import type { TaskSpecification } from "../../../src/core/task/task.ts"
import type { ServedCost } from "../../../src/stages/evaluating/served-models.ts"
import { train } from "../../../src/stages/training/train.ts"
import { linesOf, tuneloop } from "../../command-line.ts"
import { ChatServer } from "../../models/chat-server.ts"
import { backendContext, stageContext, trainableWorkspace } from "../training/workspace.ts"
import { quickBackend, requestOf } from "./evaluating.ts"

const tuned = "ft:gpt-4.1-mini-2025-04-14:acme::AbC1"
const baseModel = "gpt-4.1-mini-2025-04-14"

/** A service that trains at once and serves what it trained, and its base, at the address. */
function service(baseUrl: string): FineTuneBackend {
  const options = openAiCompatible.options.parse({ profile: "custom", baseUrl })
  const { chat } = openAiCompatible.create(backendContext({ OPENAI_API_KEY: "k" }), options)
  const { generate: _, ...rest } = quickBackend(new Map())
  const model = { kind: "hosted", backend: "quick", id: tuned } as const
  return {
    ...rest,
    kind: "hosted",
    ...(chat === undefined ? {} : { chat }),
    submit: async (_plan, _files, { submissionKey }) => ({ backend: "quick", id: "1", submissionKey }),
    poll: async () => ({ state: "succeeded", events: [{ type: "model-ready", model }], cursor: "1" }),
  }
}

const prices =
  "models:\n  - { match: '*', host: 127.0.0.1, inputUsd: 0, outputUsd: 1000, asOf: 2026-11-30, source: this test }\n"

let prepared = ""
let run = ""
beforeAll(async () => {
  prepared = await trainableWorkspace()
  const context = stageContext(prepared)
  const { workspace } = context
  const backend = service("http://127.0.0.1:9/v1")
  run = (await train(context, workspace.readJob("mood"), workspace.readTask("mood"), backend)).run.run
}, 60_000)

let server: ChatServer
beforeEach(async () => {
  server = await ChatServer.start()
  server.answer = () => "good"
})
afterEach(() => server.close())

function copied(priced?: string) {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-served-"))
  cpSync(prepared, folder, { recursive: true })
  if (priced !== undefined) writeFileSync(join(folder, "prices.yaml"), priced)
  const context = stageContext(folder)
  const { workspace } = context
  const agreed: ServedCost[] = []
  interface Given {
    readonly budgetUsd?: number
    readonly isAgreed?: boolean
    readonly retryEmpty?: boolean
    readonly contenders?: readonly string[]
    readonly confidence?: number
    readonly privacy?: TaskSpecification["privacy"]
  }
  const evaluated = async (given: Given = {}) => {
    const { budgetUsd, isAgreed = true, retryEmpty = false, contenders = ["zero-shot", "few-shot"], confidence } = given
    const read = workspace.readTask("mood")
    const specification = { ...read, privacy: given.privacy ?? read.privacy }
    const verdict = { ...specification.verdict, ...(confidence === undefined ? {} : { confidence }) }
    const job = workspace.readJob("mood")
    const settings = { ...job, evaluation: { ...job.evaluation, contenders: [...contenders] } }
    const request = await requestOf({ ...specification, verdict }, settings, run, service(server.url))
    return evaluate(context, {
      ...request,
      served: {
        open: ({ baseUrl }) => openai.create({}, { baseUrl, fetch, readText: () => "" }),
        consent: async (cost) => {
          agreed.push(cost)
          if (!isAgreed) throw new Error("not agreed")
        },
        budgetUsd,
        retryEmpty,
      },
    })
  }
  return { folder, context, evaluated, agreed }
}

const asked = () =>
  server.asked.map(({ body }) => JSON.parse(body) as { model: string; temperature: number; max_tokens: number })

it("a tuned model at a service is asked there, its base as well, and each row once", async () => {
  const at = copied()
  const { result } = await at.evaluated()
  expect(result.contenders.map(({ name }) => name)).toEqual(["tuned", "zero-shot", "few-shot"])
  const rows = result.contenders[0]?.metrics["accuracy"]?.n ?? 0
  expect(rows).toBeGreaterThan(0)
  const models = Object.groupBy(asked(), ({ model }) => model)
  expect(models[tuned]?.length).toBeGreaterThanOrEqual(rows)
  expect(models[baseModel]).toHaveLength(2 * rows)
  expect(asked()[0]).toMatchObject({ temperature: 0, max_tokens: 16 })
  expect(result.contenders[0]).toMatchObject({ tokens: { inputMean: 11, outputMean: 7 } })
  for (const { latencyMs } of result.contenders) {
    expect(latencyMs).toMatchObject({ n: rows, p50: expect.any(Number), p95: expect.any(Number) })
    expect(latencyMs?.p50).toBeGreaterThan(0)
  }
  expect(at.agreed).toEqual([])
  const purposes = (await at.context.ledger().requests.spendingByPurpose()).map(({ purpose }) => purpose)
  expect(purposes).toContain("evaluated:tuned")
  // Held-out rows are in no recording for people.
  expect(await at.context.ledger().requests.recording("mood")).toEqual([])
  // Answers that are carried over keep the times that they had.
  const again = await at.evaluated({ confidence: 0.9 })
  expect(again.result.contenders.map(({ latencyMs }) => latencyMs?.p50)).toEqual(
    result.contenders.map(({ latencyMs }) => latencyMs?.p50),
  )
  const before = server.asked.length
  expect((await at.evaluated()).state).toBe("unchanged")
  expect(server.asked).toHaveLength(before)
})

const choice = (message: object, finish = "stop") => ({ index: 0, finish_reason: finish, message })

it("a thought before an answer is no part of it, and an answer without a text counts as wrong", async () => {
  const at = copied()
  server.choice = (body) =>
    body.includes(tuned)
      ? choice({ content: "Not bad.\n</think>\n\ngood" })
      : choice({ content: null, refusal: "I cannot.", reasoning_content: "Hm." })
  const { result } = await at.evaluated()
  const scores = result.contenders.map(({ name, unreadable }) => ({ name, unreadable }))
  const rows = result.contenders[0]?.metrics["accuracy"]?.n
  expect(scores).toEqual([
    { name: "tuned", unreadable: 0 },
    { name: "zero-shot", unreadable: rows },
    { name: "few-shot", unreadable: rows },
  ])
  expect(result.contenders[0]?.metrics["accuracy"]?.value).toBeGreaterThan(0)
})

it("what was cut off is told as cut off, and asked again where that is wished, with a report of its own", async () => {
  const at = copied()
  server.choice = (body) => (body.includes(tuned) ? choice({ content: "", reasoning: "Hm" }, "length") : undefined)
  const { result: first } = await at.evaluated()
  const rows = first.contenders[0]?.metrics["accuracy"]?.n
  expect(first.contenders[0]).toMatchObject({ unreadable: rows, cut: rows })
  expect(first.notes.join("\n")).toMatch(/of tuned .*all of them were cut off.*evaluation\.maxNewTokens/)
  const before = server.asked.length
  expect((await at.evaluated()).state).toBe("unchanged")
  server.choice = () => undefined
  const { result: second } = await at.evaluated({ retryEmpty: true })
  expect(second.evaluation).toBe(first.evaluation)
  expect(second.contenders[0]?.unreadable).toBe(0)
  const again = server.asked.slice(before)
  expect(again.every(({ body }) => body.includes(tuned))).toBe(true)
  expect(new Set(again.map(({ body }) => body)).size).toBe(again.length)
  // The first report is there as it was, beside the second.
  expect(second.report).not.toBe(first.report)
  expect(readFileSync(join(at.folder, first.report), "utf8")).toContain("cut off")
  expect(readFileSync(join(at.folder, second.report), "utf8")).not.toContain("cut off")
  expect(await at.context.ledger().openings.of(first.holdout)).toHaveLength(1)
  // Nor is it written over by another evaluation of the run.
  const { result: third } = await at.evaluated({ contenders: ["few-shot"] })
  expect([first.report, second.report]).not.toContain(third.report)
  expect(readFileSync(join(at.folder, first.report), "utf8")).toContain("cut off")
})

it("a budget stops it, and what was answered is not bought again", async () => {
  const at = copied(prices)
  await expect(at.evaluated({ isAgreed: false })).rejects.toThrow("not agreed")
  expect(server.asked).toHaveLength(0)
  await expect(at.evaluated({ budgetUsd: 0.1 })).rejects.toMatchObject({ code: "budget" })
  const first = server.asked.map(({ body }) => body)
  expect(first.length).toBeGreaterThan(0)
  const { result } = await at.evaluated({ budgetUsd: 10 })
  expect(result.contenders).toHaveLength(3)
  expect(new Set(server.asked.map(({ body }) => body)).size).toBe(server.asked.length)
  expect(at.agreed.map(({ host }) => host)).toEqual(at.agreed.map(() => new URL(server.url).host))
  expect(at.agreed[0]?.worstUsd).toBeCloseTo(((at.agreed[0]?.questions ?? 0) * 16 * 1000) / 1e6, 6)
  expect(await at.context.ledger().openings.of(result.holdout)).toHaveLength(1)
})

it.each([
  ["custom", { authorization: "Bearer key-of-the-house" }],
  ["azure", { authorization: undefined, apiKey: "key-of-the-house" }],
])(
  "the command line asks a service (%s) with its key as it wants it, after the price was agreed to",
  async (profile, keys) => {
    const options = { profile, baseUrl: server.url, apiKeyEnv: "HOUSE_KEY" }
    const folder = await trainableWorkspace({ backend: { name: "openai-compatible", options } })
    writeFileSync(join(folder, "prices.yaml"), prices)
    const context = stageContext(folder)
    const { workspace } = context
    await train(context, workspace.readJob("mood"), workspace.readTask("mood"), service(server.url))
    const words = ["evaluate", "latest", "--against", "zero-shot,few-shot"]
    const unasked = await tuneloop(folder, words, { HOUSE_KEY: "key-of-the-house" }).outcome
    expect([unasked.code, server.asked.length]).toEqual([2, 0])
    expect(unasked.stderr).toMatch(/is asked \d+ questions of the evaluation, for at most \$/)
    const { code, stderr } = await tuneloop(folder, [...words, "--yes"], { HOUSE_KEY: "key-of-the-house" }).outcome
    expect(code, stderr).toBe(0)
    expect(server.asked.length).toBeGreaterThan(0)
    for (const asked of server.asked) expect(asked).toMatchObject(keys)
  },
)

it.each(["refuse", "drop", "pseudonymise"] as const)(
  "no row that %s keeps here goes to a served model",
  async (policy) => {
    const at = copied()
    const [row] = linesOf<{ input: Record<string, string> }>(heldOutFile(at.folder))
    const word =
      Object.values(row?.input ?? {})
        .join(" ")
        .split(/\W+/)
        .find((each) => each.length > 2) ?? ""
    await expect(at.evaluated({ privacy: { personalData: policy, names: [word] } })).rejects.toMatchObject({
      code: "gate",
      message: expect.stringContaining("may not leave the workspace"),
    })
    expect(server.asked).toEqual([])
  },
)

/** The test rows of the one holdout. */
function heldOutFile(folder: string): string {
  const holdouts = join(folder, "datasets", "mood", "holdouts")
  return join(holdouts, readdirSync(holdouts).find((name) => !name.startsWith(".")) ?? "", "test.jsonl")
}
