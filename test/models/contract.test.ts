import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { names } from "../../src/cli/plugins.ts"
import { CredentialError, ProviderError } from "../../src/core/errors.ts"
import type { ModelModule, ModelRequest } from "../../src/core/contracts/model.ts"
import { ChatServer, type Fault } from "./chat-server.ts"

// A key that looks like no provider's, so that only knowing it keeps it out of messages.
const key = "local-server-password-8842"

let server: ChatServer
beforeEach(async () => {
  server = await ChatServer.start()
})
afterEach(() => server.close())

/** Each provider with the real SDK, against a server on this machine. */
describe.each(names("models").filter((name) => name !== "replay"))("the model provider %s", (provider) => {
  it("asks what it is told to ask, with the key, and reads the answer", async () => {
    const answer = await ask(provider)
    expect(answer).toEqual({
      text: expect.stringContaining("about "),
      inputTokens: 11,
      outputTokens: 7,
      finish: "stop",
    })
    expect(server.asked).toHaveLength(1)
    expect(server.asked[0]).toMatchObject({ path: "/v1/chat/completions", authorization: `Bearer ${key}` })
    expect(JSON.parse(server.asked[0]?.body ?? "")).toEqual({
      model: "test-model",
      messages: [{ role: "user", content: "Where is it?" }],
      temperature: 0.5,
      max_tokens: 16,
      seed: 7,
    })
  })

  it.each<[string, Fault, RegExp]>([
    ["is busy", { kind: "status", status: 429 }, /HTTP 429: no/],
    ["fails", { kind: "status", status: 500 }, /HTTP 500: no/],
    ["fails without saying anything", { kind: "status", status: 502, body: "" }, /HTTP 502: no message/],
    [
      "fails with a page",
      {
        kind: "status",
        status: 503,
        headers: { "content-type": "text/html" },
        body: "<h1>Bad\n gateway timed out</h1>",
      },
      /HTTP 503: <h1>Bad gateway/,
    ],
    ["hangs up", { kind: "drop" }, /cannot reach/],
    ["hangs up in the middle", { kind: "cut" }, /broke off its answer/],
    ["ends in the middle", { kind: "truncated" }, /broke off its answer/],
    ["says nothing", { kind: "hang" }, /did not answer in 1 s/],
    ["goes silent in the middle", { kind: "stall" }, /did not answer in 1 s/],
  ])("says that one may try again when the server %s, and does not try itself", async (_name, fault, message) => {
    const error = await failure(provider, fault)
    expect(error).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({
      provider,
      isRetryable: true,
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
    expect(server.asked).toHaveLength(1)
  })

  it("passes on how long the server wants to be left alone", async () => {
    const headers = { date: "Sun, 06 Nov 1994 08:49:37 GMT", "retry-after": "Sun, 06 Nov 1994 08:50:07 GMT" }
    expect(await failure(provider, { kind: "status", status: 429, headers })).toMatchObject({ retryAfterMs: 30_000 })
    expect(await failure(provider, { kind: "status", status: 503, headers: { "retry-after": "3" } })).toMatchObject({
      retryAfterMs: 3000,
    })
  })

  it.each<[string, Fault, RegExp, RegExp]>([
    [
      "does not have the model",
      { kind: "status", status: 404, message: "no such model" },
      /HTTP 404: no such model/,
      /test-model/,
    ],
    ["finds the request wrong", { kind: "status", status: 400, body: '{"detail":"seed"}' }, /HTTP 400: seed/, /log/],
    [
      "wants to be paid",
      { kind: "status", status: 402, body: '{"error":"no credits left"}' },
      /HTTP 402: no credits left/,
      /log/,
    ],
    [
      "has no quota left",
      { kind: "status", status: 429, body: '{"error":{"message":"paid up","code":"insufficient_quota"}}' },
      /429: paid up/,
      /log/,
    ],
    ["is no chat server", { kind: "page" }, /text\/html where JSON/, /\/v1/],
  ])("says that trying again is of no use when the server %s", async (_name, fault, message, hint) => {
    const error = await failure(provider, fault)
    expect(error).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({
      isRetryable: false,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    })
  })

  it.each<[string, object, object]>([
    ["a refusal", { content: null, refusal: "I cannot." }, { text: "", refusal: "I cannot." }],
    ["a thought alone", { content: null, reasoning_content: "Hm." }, { text: "", thought: "Hm." }],
    ["a thought beside the text", { content: "other", reasoning: "Hm." }, { text: "other", thought: "Hm." }],
    ["no content", {}, { text: "" }],
    ["an empty content", { content: "" }, { text: "" }],
    [
      "a text in parts",
      {
        content: [
          { type: "text", text: "ot" },
          { type: "text", text: "her" },
        ],
      },
      { text: "other" },
    ],
    [
      "a thought in parts of parts",
      {
        content: [
          { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
          { type: "text", text: "other" },
        ],
      },
      { text: "other", thought: "Hm." },
    ],
    ["a refusal in parts", { content: [{ type: "refusal", refusal: "No." }] }, { text: "", refusal: "No." }],
    [
      "a call of a tool",
      { content: null, tool_calls: [{ id: "c1", type: "function", function: { name: "find", arguments: "{}" } }] },
      { text: '{"tool_calls":[{"type":"function","function":{"name":"find","arguments":"{}"}}]}' },
    ],
    [
      "a thought in the text of a call",
      {
        content: "<think>\nHm.\n</think>\n\n",
        tool_calls: [{ id: "c1", type: "function", function: { name: "find", arguments: "{}" } }],
      },
      { text: '{"tool_calls":[{"type":"function","function":{"name":"find","arguments":"{}"}}]}', thought: "Hm." },
    ],
  ])("takes %s for an answer: the next request can be asked", async (_name, message, answer) => {
    server.choice = () => ({ index: 0, finish_reason: "stop", message: { role: "assistant", ...message } })
    expect(await ask(provider)).toEqual({ inputTokens: 11, outputTokens: 7, finish: "stop", ...answer })
  })

  it("says plainly that what came is no chat completion, with what the server says of it", async () => {
    server.faults.push({ kind: "status", status: 200, body: '{"error":{"message":"no such deployment"}}' })
    await expect(ask(provider)).rejects.toMatchObject({ name: "ProviderError", isRetryable: false })
  })

  it.each([301, 302, 307, 308])(
    "does not follow a redirect (HTTP %i): examples stay with the host that is allowed",
    async (status) => {
      const error = await failure(provider, {
        kind: "status",
        status,
        headers: { location: `${server.url}/elsewhere` },
      })
      expect(server.asked.filter(({ path }) => path.includes("elsewhere"))).toEqual([])
      expect(server.asked).toHaveLength(1)
      expect(error).toMatchObject({
        name: "ProviderError",
        isRetryable: false,
        message: expect.stringMatching(/another address/),
      })
    },
  )

  it.each([401, 403])("names the variable when the key is refused (HTTP %i), and not the key", async (status) => {
    const error = await failure(provider, { kind: "status", status, message: `Incorrect API key provided: ${key}` })
    expect(error).toBeInstanceOf(CredentialError)
    expect((error as CredentialError).hint).toMatch(/OPENAI_API_KEY|HF_TOKEN/)
  })

  it.each([400, 404, 429, 500])(
    "keeps the key out of its errors although the server repeats it (HTTP %i)",
    async (status) => {
      const error = await failure(provider, {
        kind: "status",
        status,
        message: `bad header Authorization: ${key}, ${"x".repeat(260)} ${key}`,
      })
      expect((error as Error).message).toContain("[secret]")
    },
  )

  it("sends tools, and turns that call them or answer for them, as they are", async () => {
    const tools = [{ type: "function", function: { name: "find", parameters: { type: "object" } } }] as const
    const called = { id: "c1", type: "function", function: { name: "find", arguments: "{}" } }
    const messages = [
      { role: "user", content: "Where is it?" },
      { role: "assistant", content: "", tool_calls: [called] },
      { role: "tool", content: "in Leeds", tool_call_id: "c1" },
    ] as const
    await ask(provider, undefined, undefined, { tools, messages })
    expect(JSON.parse(server.asked[0]?.body ?? "")).toMatchObject({ tools, messages })
  })

  it("sends the schema of an answer, strict where it may be", async () => {
    const open = { type: "object", properties: { label: { type: "string" } } }
    const closed = { ...open, required: ["label"], additionalProperties: false }
    for (const [schema, strict] of [
      [open, false],
      [closed, true],
    ] as const) {
      expect(await ask(provider, undefined, undefined, { schema })).not.toHaveProperty("schemaRefused")
      expect(JSON.parse(server.asked.at(-1)?.body ?? "")).toMatchObject({
        response_format: { type: "json_schema", json_schema: { name: "answer", strict, schema } },
      })
    }
  })

  it.each([400, 422])(
    "asks again without a schema that the server refuses (HTTP %i), says so, and does not try again",
    async (status) => {
      const model = await modelOf(provider)
      const schema = { type: "object" }
      server.faults.push({ kind: "status", status, message: "response_format: json_schema is not supported" })
      const answer = () =>
        model.ask({ ...request, provider, baseUrl: server.url, schema }, new AbortController().signal)
      expect(await answer()).toMatchObject({ schemaRefused: true, inputTokens: 11 })
      expect(await answer()).toMatchObject({ schemaRefused: true })
      expect(server.asked.map(({ body }) => body.includes("response_format"))).toEqual([true, false, false])
    },
  )

  it("takes another error for what it is, schema or not", async () => {
    server.faults.push({ kind: "status", status: 400, message: "seed must be positive" })
    await expect(ask(provider, undefined, undefined, { schema: { type: "object" } })).rejects.toMatchObject({
      status: 400,
    })
    expect(server.asked).toHaveLength(1)
  })

  it.each<[string, Fault, boolean]>([
    ["a refusal", { kind: "status", status: 429 }, false],
    ["a failure", { kind: "status", status: 500 }, false],
    ["a gateway that gave up", { kind: "status", status: 504 }, true],
    ["a lost answer", { kind: "drop" }, true],
    ["a cut answer", { kind: "truncated" }, true],
    ["silence", { kind: "hang" }, true],
  ])("says whether %s may have cost money", async (_name, fault, mayHaveCost) => {
    expect(await failure(provider, fault)).toMatchObject({ mayHaveCost })
  })

  it("tells the headers of an answer and of an error", async () => {
    const seen: (string | null)[] = []
    const model = await modelOf(provider)
    server.faults.push({ kind: "status", status: 429, headers: { "x-ratelimit-remaining-requests": "0" } })
    const answer = () =>
      model.ask({ ...request, provider, baseUrl: server.url }, new AbortController().signal, (headers) =>
        seen.push(headers.get("x-ratelimit-remaining-requests")),
      )
    await answer().catch(() => undefined)
    await answer()
    expect(seen).toEqual(["0", null])
  })

  it("is stopped by whoever asked, at once", async () => {
    server.faults.push({ kind: "hang" })
    const abort = new AbortController()
    const answer = ask(provider, abort.signal)
    setTimeout(() => abort.abort(new Error("interrupted")), 50)
    await expect(answer).rejects.toThrow("interrupted")
  })

  it("says what a server that is down could be", async () => {
    const gone = server.url
    server.close()
    await expect(ask(provider, new AbortController().signal, gone)).rejects.toMatchObject({
      isRetryable: true,
      mayHaveCost: false,
      message: expect.stringMatching(/cannot reach 127\.0\.0\.1.*ECONNREFUSED/),
    })
  })

  it("needs a key for a server that is not on this machine", async () => {
    const { default: module } = (await import(`../../src/models/${provider}.ts`)) as { default: ModelModule }
    expect(() => module.create({}, { fetch: globalThis.fetch, readText })).toThrow(CredentialError)
    expect(module.environment.filter(({ secret }) => secret)).toHaveLength(1)
  })
})

describe("the router of Hugging Face", () => {
  it("is asked with the token; another's key is refused before anything is sent", async () => {
    const { default: module } = (await import("../../src/models/huggingface.ts")) as { default: ModelModule }
    const sent: [string, string | null][] = []
    const fetch: typeof globalThis.fetch = (input, init) => {
      sent.push([String(input), new Headers(init?.headers).get("authorization")])
      return Promise.resolve(Response.json({ id: "x" }))
    }
    const model = module.create({ HF_TOKEN: "hf_abcdefgh" }, { fetch, readText })
    const answer = model.ask(
      { ...request, provider: "huggingface", baseUrl: model.baseUrl },
      new AbortController().signal,
    )
    await expect(answer).rejects.toMatchObject({
      name: "ProviderError",
      message: expect.stringContaining("router.huggingface.co"),
      isRetryable: false,
    })
    expect(sent).toEqual([["https://router.huggingface.co/v1/chat/completions", "Bearer hf_abcdefgh"]])
    expect(() => module.create({ HF_TOKEN: key }, { fetch, readText })).toThrow(/begin with hf_/)
  })
})

describe("a recording", () => {
  const asked: ModelRequest = { ...request, provider: "openai", baseUrl: "https://example.com/v1" }
  const answer = { text: "There.", inputTokens: 3, outputTokens: 1 }
  const replay = async (text: string | undefined, wanted: ModelRequest) => {
    const { default: module } = (await import("../../src/models/replay.ts")) as { default: ModelModule }
    const file = join(mkdtempSync(join(tmpdir(), "tuneloop-replay-")), "recording.jsonl")
    if (text !== undefined) writeFileSync(file, text)
    const model = module.create({ TUNELOOP_RECORDING: file }, { fetch: () => expect.unreachable(), readText })
    return model.ask({ ...wanted, provider: "replay", baseUrl: model.baseUrl }, new AbortController().signal)
  }
  const line = `${JSON.stringify({ request: asked, answer })}\n`

  it("answers what was asked then, whoever answered it", async () => {
    expect(await replay(line, asked)).toEqual(answer)
  })

  it("names a request that is not in it", async () => {
    await expect(replay(line, { ...asked, seed: 8 })).rejects.toMatchObject({
      name: "ProviderError",
      isRetryable: false,
      mayHaveCost: false,
      message: expect.stringMatching(/no answer to sha256:[0-9a-f]{64}: "Where is it\?"/),
    })
  })

  it.each([undefined, "{}\n", "no JSON\n"])("that is none is refused with its variable (%s)", async (text) => {
    await expect(replay(text, asked)).rejects.toThrow(/TUNELOOP_RECORDING/)
  })
})

describe("an address from the environment", () => {
  it.each(["localhost:8000", "my server", "ftp://127.0.0.1"])(
    "%s that is none is refused with its variable",
    async (address) => {
      const { default: module } = (await import("../../src/models/openai.ts")) as { default: ModelModule }
      expect(() => module.create({ OPENAI_BASE_URL: address }, { fetch: globalThis.fetch, readText })).toThrow(
        /OPENAI_BASE_URL: got .*http:\/\//,
      )
    },
  )
})

const readText = (path: string) => readFileSync(path, "utf8")

const request: Omit<ModelRequest, "baseUrl" | "provider"> = {
  model: "test-model",
  messages: [{ role: "user", content: "Where is it?" }],
  temperature: 0.5,
  maxTokens: 16,
  seed: 7,
}

async function ask(
  provider: string,
  signal = new AbortController().signal,
  baseUrl = server.url,
  more: Partial<ModelRequest> = {},
) {
  return (await modelOf(provider, baseUrl)).ask({ ...request, ...more, provider, baseUrl }, signal)
}

async function modelOf(provider: string, baseUrl = server.url) {
  const { default: module } = (await import(`../../src/models/${provider}.ts`)) as { default: ModelModule }
  return module.create(
    { OPENAI_API_KEY: key, HF_TOKEN: key },
    { baseUrl, fetch: globalThis.fetch, readText, timeoutMs: 600 },
  )
}

/** The error that the fault leads to; whatever it is, the key is nowhere in it. */
async function failure(provider: string, fault: Fault): Promise<unknown> {
  server.faults.push(fault)
  const error = await ask(provider).then(
    (answer) => expect.unreachable(JSON.stringify(answer)),
    (caught: unknown) => caught,
  )
  const { message, hint, stack, cause } = error as Error & { hint?: string }
  for (const text of [message, hint, stack, JSON.stringify(error), String(cause)]) expect(text ?? "").not.toContain(key)
  return error
}
