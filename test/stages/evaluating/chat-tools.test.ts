import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest"
import openAiCompatible from "../../../src/backends/openai-compatible.ts"
import type { Example } from "../../../src/core/rows/example.ts"
import { renderQuestion } from "../../../src/core/task/prompt.ts"
import openai from "../../../src/models/openai.ts"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { build } from "../../../src/stages/building/build.ts"
import { evaluate } from "../../../src/stages/evaluating/evaluate.ts"
import { linesAsked } from "../../../src/stages/evaluating/questions.ts"
import { planRecording, record } from "../../../src/stages/models/record.ts"
import { planTraining } from "../../../src/stages/training/plan-training.ts"
import { syncRun } from "../../../src/stages/training/sync.ts"
import { train } from "../../../src/stages/training/train.ts"
import { makeFolder } from "../../../src/store/files/files.ts"
import { Versions } from "../../../src/store/rows/versions.ts"
import { linesOf } from "../../command-line.ts"
import type { AskedChat } from "../../backends/openai/chat.ts"
import { OpenAiServer } from "../../backends/openai-server.ts"
import { type Exchange, recordedFetch } from "../../backends/openai/recorded-fetch.ts"
import { WireSchemas } from "../../backends/openai/wire-schemas.ts"
import { backendContext, scriptedBackend, stageContext } from "../training/workspace.ts"
import { requestOf } from "./evaluating.ts"

const specification = `schemaVersion: 1
task: shop
description: Answers customers of a shop.
kind: chat
output:
  tools:
    - name: track_parcel
      description: Where a parcel is
      parameters: { type: object, properties: { order: { type: string } }, required: [order] }
`

const orderOf = (number: number) => [3, 7, 13, 29].map((factor) => `w${number * factor}x${factor}`).join("-")
const refundTool = {
  type: "function",
  function: { name: "refund_order", parameters: { type: "object", properties: { order: { type: "string" } } } },
}

/** A question in one turn, or after an earlier call; every fourth row brings a tool of its own. */
function row(number: number): object {
  const order = orderOf(number)
  const isOwn = number % 4 === 0
  const called = { name: isOwn ? "refund_order" : "track_parcel", arguments: { order } }
  const earlier = [
    { role: "user", content: `Hello, it is about ${order}-0` },
    { role: "assistant", content: null, tool_calls: [{ function: { ...called, arguments: { order: `${order}-0` } } }] },
    { role: "tool", content: "in Leeds" },
    { role: "assistant", content: `${order}-0 is in Leeds.`, weight: 1 },
  ]
  const messages = [...(number % 2 === 0 ? earlier : []), { role: "user", content: `And what about ${order}` }]
  return {
    input: { messages, ...(isOwn ? { tools: [refundTool] } : {}) },
    output: { content: null, tool_calls: [{ id: `call_${number}`, type: "function", function: called }] },
    ...(number < 16 ? { split: "train" } : {}),
  }
}

let server: OpenAiServer
let schemas: WireSchemas
let exchanges: Exchange[]
beforeAll(() => {
  schemas = new WireSchemas()
}, 60_000)
beforeEach(async () => {
  exchanges = []
  server = await OpenAiServer.start()
})
afterEach(() => server.close())

async function shop() {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-tools-"))
  for (const name of ["specs", "jobs"]) makeFolder(join(folder, name))
  writeFileSync(join(folder, "specs", "shop.yaml"), specification)
  const [model = ""] = server.models
  const evaluation = { contenders: ["zero-shot", "few-shot"] }
  const job = { schemaVersion: 1, job: "shop", task: "shop", baseModel: model, evaluation }
  writeFileSync(join(folder, "jobs", "shop.yaml"), `${JSON.stringify(job)}\n`)
  writeFileSync(join(folder, "rows.jsonl"), linesFor(Array.from({ length: 24 }, (_, number) => row(number))))
  const context = stageContext(folder)
  const task = context.workspace.readTask("shop")
  await importSeeds(context, task, [join(folder, "rows.jsonl")], { skipInvalid: false })
  await build(context, task, [])
  const options = openAiCompatible.options.parse({ profile: "openai", baseUrl: server.url, settleSeconds: 0 })
  const watched = recordedFetch(server.url, exchanges)
  const backend = openAiCompatible.create(
    { ...backendContext({ OPENAI_API_KEY: server.key }), fetch: watched },
    options,
  )
  const open = () =>
    openai.create({ OPENAI_API_KEY: server.key }, { baseUrl: server.url, fetch: watched, readText: () => "" })
  return { folder, context, task, backend, open }
}

const linesFor = (rows: readonly object[]) => rows.map((each) => `${JSON.stringify(each)}\n`).join("")

/** Right to whoever trained it: the tool that the question brings, for the order that it names last. */
function rightCall({ model, messages, tools = [] }: AskedChat) {
  const order = /about (\S+)$/.exec(messages.at(-1)?.content ?? "")?.[1] ?? ""
  const name = tools[0]?.function.name ?? "nothing"
  return [{ name, arguments: JSON.stringify({ order: model.startsWith("ft:") ? order : "none" }) }]
}

it("a chat's questions carry their tools as training rendered them, and calls are scored as calls", async () => {
  const { folder, context, task, backend, open } = await shop()
  const job = context.workspace.readJob("shop")
  const { run } = await train(context, job, task, backend)
  server.succeed()
  await syncRun(context, run.run, backend)
  server.callsOf = rightCall
  const request = await requestOf(task, job, run.run, backend)
  const { result } = await evaluate(context, { ...request, served: { open, consent: async () => undefined } })

  const values = result.contenders.map(({ name, metrics, unreadable }) => [
    name,
    metrics["exact-match"]?.value,
    unreadable,
  ])
  expect(values).toEqual([
    ["tuned", 1, 0],
    ["zero-shot", 0, 0],
    ["few-shot", 0, 0],
  ])
  // What is asked of a validation row is, but for the answer, what the service got of it to train on.
  const rendered = linesOf<{ messages: Record<string, unknown>[]; tools: unknown }>(
    join(folder, "jobs", "runs", run.run, "rendered", "validation.jsonl"),
  )
  const asked = server.questions.filter(({ model }) => model.startsWith("ft:"))
  for (const { messages, tools } of rendered) {
    const question = messages.slice(0, -1).map(({ weight: _weight, ...turn }) => turn)
    expect(asked.map((each) => ({ messages: each.messages, tools: each.tools }))).toContainEqual({
      messages: question,
      tools,
    })
  }
  expect(exchanges.flatMap((exchange) => schemas.faults(exchange))).toEqual([])
  expect(readFileSync(join(folder, result.report), "utf8")).not.toContain("cannot be read")
})

it("our own trainer gets tools, calls and results as chat templates take them, to train on and to ask by", async () => {
  const { context, task } = await shop()
  const backend = scriptedBackend()
  const planned = planTraining(context, context.workspace.readJob("shop"), task, backend)
  const lines = [...planned.rendered.train].map((line) => JSON.parse(line) as AskedChat)
  expect(lines).toHaveLength(16)
  for (const { messages, tools } of lines) {
    const answer = messages.at(-1) as unknown as { tool_calls: { function: { name: string; arguments: unknown } }[] }
    expect(answer.tool_calls[0]?.function.arguments).toEqual({ order: expect.any(String) })
    expect(tools?.map((tool) => tool.function.name)).toEqual([answer.tool_calls[0]?.function.name])
  }

  const rows = new Versions(context.workspace, "shop").rows(planned.plan.dataset, "train.jsonl")
  const model = { kind: "base", model: "tiny", revision: null } as const
  const work = { kind: "generate", model, question: ({ input }: Example) => renderQuestion(task, input) } as const
  const question = { label: "zero-shot", contender: "zero-shot", rows, work, latency: false }
  const asked = [...linesAsked({ task, backend }, question)].map((line) => JSON.parse(line) as AskedChat)
  expect(asked.map(({ messages, tools }) => ({ messages, tools }))).toEqual(
    lines.map(({ messages, tools }) => ({ messages: messages.slice(0, -1), tools })),
  )
})

it("a recording of a chat asks with the tools, and keeps calls as turns", async () => {
  const { folder, context, task, open } = await shop()
  server.callsOf = (question) => rightCall({ ...question, model: "ft:" })
  const plan = await planRecording(context, {
    ...{ task, name: "old", model: server.models[0] ?? "", baseUrl: server.url, concurrency: 2, command: "" },
    ...{ maxTokens: undefined, holdout: undefined, inputs: undefined, budgetUsd: undefined },
  })
  await record(context, plan, open)
  expect(server.questions.map(({ tools }) => tools?.map((tool) => tool.function.name))).toContainEqual(["refund_order"])
  expect(server.questions.map(({ tools }) => tools?.map((tool) => tool.function.name))).toContainEqual(["track_parcel"])
  const [line] = linesOf<{ output: string }>(join(folder, "datasets", "shop", "recorded", "old.jsonl"))
  expect(JSON.parse(line?.output ?? "")).toEqual({
    tool_calls: [{ type: "function", function: { name: expect.any(String), arguments: expect.any(String) } }],
  })
  expect(exchanges.flatMap((exchange) => schemas.faults(exchange))).toEqual([])
})
