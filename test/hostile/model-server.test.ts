import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import { gzipSync } from "node:zlib"
import { afterEach, beforeEach, expect, it } from "vitest"
import { names } from "../../src/cli/plugins.ts"
import { ProviderError } from "../../src/core/errors.ts"
import { silenceOf } from "../../src/core/asking/spoken.ts"
import type { ModelModule } from "../../src/core/contracts/model.ts"
import { openEmbedder } from "../../src/models/_embeddings.ts"
import { askAll } from "../../src/stages/asking/ask.ts"
import { Asking } from "../../src/stages/asking/asking.ts"
import { heldOutModel } from "../../src/stages/asking/held-out-model.ts"
import { servedPrediction } from "../../src/stages/evaluating/served-prediction.ts"
import { askingTerms } from "../../src/stages/growing/asking-terms.ts"
import { chatAnswerer } from "../../src/stages/asking/request.ts"
import { importSeeds, json, linesOf, sampleWorkspace, tuneloop } from "../command-line.ts"
import { askingBench } from "../stages/asking/asking-context.ts"
import { HostileServer, type Reply, says, sends } from "./hostile-server.ts"

let server: HostileServer
beforeEach(async () => {
  server = await HostileServer.start()
})
afterEach(() => server.close())

const example = '{"input": "where is my parcel number 17", "output": "delivery"}'
const deep = (times: number, open = "[", close = "]") => open.repeat(times) + close.repeat(times)

const texts: readonly string[] = [
  example,
  deep(6000),
  `{"input": "x", "output": ${deep(6000)}}`,
  `${'{"input":'.repeat(6000)}1${"}".repeat(6000)}`,
  "{}".repeat(200_000),
  `${'{"input": '.repeat(20_000)}`,
  '{"input": x}'.repeat(5000),
  "<think>\n".repeat(20_000),
  "{/*".repeat(20_000),
  `{"input": "a\\u0000b \\ud800 where is it", "output": "delivery"}`,
  '{"__proto__": {"input": 1}, "input": {"constructor": 1}, "output": "toString"}',
  " ".repeat(300_000),
]

it("any text ends as a candidate or in quarantine, and the next command neither fails nor asks again", async () => {
  const workspace = await workspaceAt(server.url, 5 * texts.length)
  let place = 0
  server.reply = (...given) => says(texts[place++ % texts.length] ?? "")(...given)
  const first = await tuneloop(workspace, grow).outcome
  expect([0, 1], first.stderr).toContain(first.code)
  const { strategies } = JSON.parse(first.stdout) as { strategies: { grown: number; quarantined: number }[] }
  expect(strategies).toMatchObject([{ state: "grown", requests: texts.length }])
  expect(strategies[0]?.grown).toBeGreaterThan(0)
  expect(strategies[0]?.quarantined).toBeGreaterThan(4)
  const asked = server.asked.length
  expect((await tuneloop(workspace, grow).outcome).stderr).not.toMatch(/bug|stack/)
  expect(server.asked).toHaveLength(asked)
})

it("what it states of tokens neither ends a command, nor books less than nothing, nor opens a ceiling", async () => {
  const workspace = await workspaceAt(server.url, 30)
  const stated = [10.5, -100_000_000, 1e300, 0, "12", 5_000_000]
  let place = 0
  server.reply = (...given) => {
    const count = stated[place++ % stated.length]
    says(example.replace("17", String(place)), { prompt_tokens: count, completion_tokens: count })(...given)
  }
  const grown = await tuneloop(workspace, grow).outcome
  expect(grown.code, grown.stderr).toBe(0)
  expect(grown.stderr).toContain("states counts of tokens that cannot be true")
  const { costs } = await json<{ costs: { usd: number }[] }>(workspace, "ledger", "costs", "ticket-triage")
  expect(costs).toMatchObject([{ attempts: 6, unknown: 0, uncounted: 6, inputTokens: 0, outputTokens: 0 }])
  // Six requests of at most 1,024 tokens and about 2,500 bytes, for 100 and 1,000 dollars a million.
  expect(costs[0]?.usd).toBeGreaterThan(1)
  expect(costs[0]?.usd).toBeLessThan(20)
  expect((await tuneloop(workspace, ["ledger", "costs", "ticket-triage"]).outcome).stdout).toContain(
    "6 at their worst case",
  )
  expect((await tuneloop(workspace, ["ledger", "verify"]).outcome).code).toBe(0)
})

/** What nobody can read of an answer that was paid for. */
const unread: readonly Reply[] = [
  (...given) => endless(...given),
  sends(`{"choices":[{"message":{"tool_calls":[{"function":${deep(6000)}}]}}]}`),
]

it("an answer too long or deep to be read is put aside, paid for once, asked again where wished", async () => {
  const workspace = await workspaceAt(server.url, 20)
  let place = 0
  const hostile: Reply = (...given) => {
    const reply = [...unread, says(example.replace("17", String(place)))][place++ % 3] ?? says("")
    reply(...given)
  }
  server.reply = hostile
  const first = await tuneloop(workspace, grow).outcome
  expect(first.code, first.stderr).toBe(0)
  const { strategies } = JSON.parse(first.stdout) as { strategies: { batch: string }[] }
  expect(strategies).toMatchObject([{ requests: 4, quarantined: 3, grown: 1, silent: { unreadable: 3 } }])
  const aside = join(workspace, "datasets", "ticket-triage", "quarantine", `${strategies[0]?.batch}.jsonl`)
  const reasons = linesOf<{ reason: string }>(aside).map(({ reason }) => reason)
  expect(new Set(reasons)).toEqual(
    new Set(["the answer is too long to be read", "the answer is nested too deep to be read"]),
  )
  const { costs } = await json<{ costs: { usd: number }[] }>(workspace, "ledger", "costs", "ticket-triage")
  expect(costs).toMatchObject([{ attempts: 4, unknown: 0, uncounted: 3 }])
  expect((await tuneloop(workspace, grow).outcome).stdout).toContain('"silent":{"unreadable":3}')
  expect(server.asked).toHaveLength(4)
  server.reply = (...given) => says(example.replace("17", String(place++)))(...given)
  const again = await tuneloop(workspace, [...grow, "--retry-empty"]).outcome
  expect(JSON.parse(again.stdout)).toMatchObject({ strategies: [{ quarantined: 0, silent: {} }] })
  expect(server.asked).toHaveLength(7)
})

it("a recording has a row for such an answer, says how many there are, and asks it once", async () => {
  const workspace = await workspaceAt(server.url, 5)
  await json(workspace, "build", "ticket-triage")
  let place = 0
  server.reply = (...given) => (place++ < 2 ? (unread[place % 2] ?? says("")) : says("billing"))(...given)
  const recorded = [
    "models",
    "record",
    "m",
    "--task",
    "ticket-triage",
    "--as",
    "old",
    "--base-url",
    server.url,
    "--yes",
  ]
  const first = await tuneloop(workspace, recorded).outcome
  expect(first.code, first.stderr).toBe(0)
  expect(first.stdout).toContain("2 answers have no text (2 unreadable); ask again with --retry-empty")
  const asked = server.asked.length
  expect((await tuneloop(workspace, recorded).outcome).stdout).toContain("2 unreadable")
  expect(server.asked).toHaveLength(asked)
  await tuneloop(workspace, [...recorded, "--retry-empty"]).outcome
  expect(server.asked).toHaveLength(asked + 2)
})

it.each(unread.map((reply, number) => [number, reply] as const))(
  "a held-out row's answer of that kind (%i) is a wrong answer, kept like any other",
  async (_number, reply) => {
    server.reply = reply
    const bench = askingBench(server.url)
    const open = () => chatAnswerer(heldOutModel(bench.model()))
    const question = () => ({ purpose: "s", requests: bench.requests(2), open, asking: askingOf(bench) })
    const [first] = (await askAll(bench.context, question())).values()
    expect(servedPrediction("a", { ...first, output: first?.text ?? "?" } as never).silence).toBe("unreadable")
    await askAll(bench.context, question())
    expect(server.asked).toHaveLength(2)
  },
)

const providers = names("models").filter((name) => name !== "replay")

/** An answer without an end, as fast as somebody reads it. */
const endless: Reply = (_asked, response) => {
  response.writeHead(200, { "content-type": "application/json" })
  response.write('{"choices": [{"message": {"content": "')
  Readable.from(forever("a".repeat(100_000))).pipe(response)
}

function* forever(text: string): Generator<string> {
  for (;;) yield text
}

it.each(providers)("of an answer to %s no more is read than an answer has, packed or not", async (provider) => {
  const bomb = gzipSync(Buffer.alloc(100e6, '{"a":1},'))
  for (const reply of [
    endless,
    ((_asked, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
      response.end(bomb)
    }) satisfies Reply,
  ]) {
    server.reply = reply
    const before = process.memoryUsage().rss
    const error = await failure(provider)
    expect(error).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({ isRetryable: false, mayHaveCost: true, message: expect.stringMatching(/8 MB/) })
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6)
  }
})

it.each<[string, Reply]>([
  [
    "that drips without an end",
    (_asked, response) => {
      response.writeHead(200, { "content-type": "application/json" })
      const timer = setInterval(() => response.write(" "), 50)
      response.on("close", () => clearInterval(timer))
    },
  ],
  ["of thoughts nested 6,000 deep", completion(`${'[{"thinking":'.repeat(6000)}"x"${"}]".repeat(6000)}`)],
  ["with a call nested 6,000 deep", sends(`{"choices":[{"message":{"tool_calls":[{"function":${deep(6000)}}]}}]}`)],
  ["that is null", sends("null")],
  ["with a choice that is a number", sends('{"choices": 5}')],
  [
    "with headers that are too long",
    (_asked, response) => {
      response.writeHead(200, { "content-type": "application/json", x: "y".repeat(100_000) })
      response.end("{}")
    },
  ],
])("an answer %s is a refusal in its time", async (_name, reply) => {
  server.reply = reply
  const started = performance.now()
  const error = await failure("openai")
  expect(error).toBeInstanceOf(ProviderError)
  expect(performance.now() - started).toBeLessThan(6000)
})

it.each<[string, string | Buffer, string]>([
  ["bytes that are no UTF-8", Buffer.from([0x61, 0xff, 0xfe, 0xc0, 0x80, 0x62]), "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b"],
  ["NUL and half a character", "a\\u0000\\ud800b", "a\0\ud800b"],
])("an answer of %s is kept, and the same when it is read again", async (_name, content, text) => {
  server.reply = sends(
    Buffer.concat([
      Buffer.from('{"choices":[{"message":{"content":"'),
      Buffer.from(content),
      Buffer.from(`"},"finish_reason":"${"x".repeat(5000)}"}]}`),
    ]),
  )
  const bench = askingBench(server.url)
  const requests = bench.requests(1)
  const question = { purpose: "s", requests, open: () => chatAnswerer(bench.model()), asking: askingOf(bench) }
  const [first] = (await askAll(bench.context, question)).values()
  const [again] = (await askAll(bench.context, { ...question, asking: askingOf(bench) })).values()
  expect(first?.text.toWellFormed()).toBe(text.toWellFormed())
  expect(again).toEqual(first)
  expect(first?.finish).toBeUndefined()
  expect(server.asked).toHaveLength(1)
})

it.each<[string, unknown]>([
  ["an index beyond all", [{ index: 4_294_967_294, embedding: [1, 2] }]],
  ["an index below zero", [{ index: -1, embedding: [1, 2] }]],
  ["an index between two texts", [{ index: 0.5, embedding: [1, 2] }]],
  ["two vectors for one text", [{ embedding: [1, 2] }, { embedding: [1, 2] }]],
  ["null", [null]],
  ["a vector of texts", [{ embedding: ["1", "2"] }]],
])("vectors with %s are none, and at once", async (_name, data) => {
  server.reply = sends(JSON.stringify({ data, usage: { prompt_tokens: 1 } }))
  const started = performance.now()
  await expect(embed()).rejects.toThrow(/usable vectors for 1 texts/)
  expect(performance.now() - started).toBeLessThan(2000)
})

it.each([10.5, -5, 1e300, "7", null])("vectors that took %j tokens count as not counted", async (count) => {
  server.reply = sends(JSON.stringify({ data: [{ embedding: [1, 2] }], usage: { prompt_tokens: count } }))
  expect(await embed()).toEqual({ vectors: [Float32Array.of(1, 2)], inputTokens: null })
})

it("lines of a batch that cannot be read take nobody else's answer with them", async () => {
  const answered = {
    custom_id: "a",
    response: { status_code: 200, body: { choices: [{ message: { content: "x" } }] } },
  }
  const named = (name: string, body: string) => `{"custom_id":"${name}","response":{"status_code":200,"body":${body}}}`
  const lines = [
    ...["null", "{", "[]", deep(6000), '{"custom_id": 5}', '{"custom_id": "b", "response": 7, "error": "no"}'],
    named("c", `{"choices":[{"message":{"content":"x","more":${deep(6000)}}}]}`),
    named("d", `{"choices":[{"message":{"content":"${"x".repeat(9e6)}"}}]}`),
  ]
  server.reply = (_asked, response, path) => {
    response.writeHead(200, { "content-type": "application/json" })
    const batch = { id: "batch_1", status: "completed", output_file_id: "file-1" }
    response.end(path.endsWith("/content") ? [...lines, JSON.stringify(answered)].join("\n") : JSON.stringify(batch))
  }
  const progress = await askingBench(server.url).model().batches?.poll("batch_1", new AbortController().signal)
  expect(progress?.answers.map(({ name, answer }) => [name, silenceOf(answer)?.reason])).toEqual([
    ["c", "the answer is nested too deep to be read"],
    ["d", "the answer is too long to be read"],
    ["a", undefined],
  ])
  expect(progress?.failures.map(({ name }) => name)).toEqual(["b"])
})

const grow = ["expand", "ticket-triage", "--strategy", "self-instruct", "--json"]

/** The sample task, whose model is at the address and has a price. */
async function workspaceAt(baseUrl: string, count: number): Promise<string> {
  const workspace = sampleWorkspace()
  const file = join(workspace, "specs", "ticket-triage.yaml")
  const model = `  model: { model: test-model, baseUrl: "${baseUrl}" }\n`
  const grown = `  strategies:\n    self-instruct: { count: ${count}, perRequest: 5 }\n`
  writeFileSync(file, readFileSync(file, "utf8").replace("  strategies:\n", model + grown))
  const price = `{ match: "*", host: 127.0.0.1, inputUsd: 100, outputUsd: 1000, asOf: 2026-11-24, source: test }`
  writeFileSync(join(workspace, "prices.yaml"), `models:\n  - ${price}\n`)
  await importSeeds(workspace)
  return workspace
}

function completion(content: string): Reply {
  return sends(`{"choices": [{"message": {"content": ${content}}}]}`)
}

function askingOf({ context, task }: ReturnType<typeof askingBench>): Asking {
  return new Asking(context, askingTerms(task, {}))
}

async function failure(provider: string): Promise<unknown> {
  const { default: module } = (await import(`../../src/models/${provider}.ts`)) as { default: ModelModule }
  const environment = { OPENAI_API_KEY: "none", HF_TOKEN: "hf_none" }
  const model = module.create(environment, { baseUrl: server.url, fetch, readText: () => "", timeoutMs: 3000 })
  const request = {
    provider,
    baseUrl: server.url,
    model: "m",
    messages: [{ role: "user", content: "Where is it?" } as const],
    temperature: 0,
    maxTokens: 16,
    seed: 7,
  }
  return model.ask(request, new AbortController().signal).catch((error: unknown) => error)
}

function embed() {
  const embedder = openEmbedder({}, { baseUrl: server.url, fetch })
  return embedder.embed({ model: "m", texts: ["a"], dimensions: undefined }, new AbortController().signal)
}
