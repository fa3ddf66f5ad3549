import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ModelAnswer } from "../../../src/core/contracts/model.ts"
import { ProviderError } from "../../../src/core/errors.ts"
import { askAll } from "../../../src/stages/asking/ask.ts"
import { Asking } from "../../../src/stages/asking/asking.ts"
import type { Answerer } from "../../../src/stages/asking/request.ts"
import { askingTerms } from "../../../src/stages/growing/asking-terms.ts"
import { askingBench } from "./asking-context.ts"

/** What a server does with its next call: answers (0), or refuses with a wish for so many seconds, or with none. */
type Turn = 0 | { readonly seconds: number | undefined } | "dead"

const said: ModelAnswer = { text: "yes", inputTokens: 1, outputTokens: 1 }
const busy = (seconds: number | undefined) =>
  new ProviderError("127.0.0.1:9 answered HTTP 429: slow down", {
    provider: "test",
    status: 429,
    isRetryable: true,
    mayHaveCost: false,
    retryAfterMs: seconds === undefined ? undefined : 1000 * seconds,
  })
const dead = new ProviderError("cannot reach 127.0.0.1:9: ECONNREFUSED", {
  provider: "test",
  isRetryable: true,
  isUnreachable: true,
  mayHaveCost: false,
})

/** A server by its turns, which begin anew at their end, and a clock that goes on only while somebody waits. */
function bench(turns: readonly Turn[], { baseUrl = "http://127.0.0.1:9/v1", pace = {} } = {}) {
  const given = askingBench(baseUrl, {
    expand: { pace: { concurrency: 1, ...pace } },
    files: { "tuneloop.yaml": `allowedHosts: ["${new URL(baseUrl).origin}"]\n` },
  })
  let nowMs = 0
  const lines = { warn: [] as string[], note: [] as string[], progress: [] as string[] }
  const context = {
    ...given.context,
    monotonicMs: () => nowMs,
    sleep: async (milliseconds: number) => {
      nowMs += milliseconds
    },
    report: {
      warn: (line: string) => void lines.warn.push(line),
      note: (line: string) => void lines.note.push(line),
      progress: (line: string) => void lines.progress.push(line),
    },
  }
  let calls = 0
  let playing = turns
  const answerer: Answerer = {
    name: "test",
    counted: "answered",
    callsOf: (requests) =>
      requests.map((keyed) => ({
        requests: [keyed],
        send: async () => {
          const turn = playing[calls++ % playing.length]
          if (turn === 0) return [said]
          throw turn === "dead" ? dead : busy(turn?.seconds)
        },
      })),
  }
  const ask = (count: number) =>
    askAll(context, {
      purpose: "label",
      requests: given.requests(count),
      open: () => answerer,
      asking: new Asking(context, askingTerms(given.task)),
    })
  const failure = (count: number) =>
    ask(count).then(
      () => undefined,
      (error: unknown) => error as ProviderError,
    )
  return {
    ask,
    failure,
    lines,
    seconds: () => nowMs / 1000,
    calls: () => calls,
    play: (next: readonly Turn[]) => {
      playing = next
    },
  }
}

describe("a server that only refuses", () => {
  it.each([
    ["without a wish", undefined, 60],
    ["and asks for 1 s", 1, 61],
    ["and asks for 30 s", 30, 90],
    ["and asks for an hour, of which five minutes are granted", 3600, 360],
  ])("ends the command %s, 60 s beyond the longest wait that it asked for", async (_name, seconds, end) => {
    const at = bench([{ seconds }])
    const error = await at.failure(5)
    expect(error).toMatchObject({
      code: "provider",
      exitCode: 1,
      hint: expect.stringContaining("run the same command again"),
    })
    expect(error?.hint).toContain("expand.pace.patienceSeconds of specs/t.yaml")
    expect(error?.message).toMatch(/HTTP 429: slow down; it refused \d+ times in \d+ s and answered nothing/)
    expect(at.seconds()).toBeGreaterThanOrEqual(end)
    expect(at.seconds()).toBeLessThan(end + 1)
  })

  it("is told in one line that is rewritten, and in no warning", async () => {
    const at = bench([{ seconds: 1 }])
    await at.failure(1)
    expect(at.lines.warn).toEqual([])
    expect(at.lines.note).toEqual([])
    expect(at.lines.progress.at(-1)).toMatch(/^label: 0 of 1 answered; .*HTTP 429.*; refused 6\d times in a row$/)
  })

  it("keeps what was answered before, and the next command goes on from there", async () => {
    const at = bench([0, 0, { seconds: undefined }, { seconds: undefined }, { seconds: undefined }])
    at.play([0, 0, ...Array<Turn>(200).fill({ seconds: undefined })])
    expect(await at.failure(5)).toBeInstanceOf(ProviderError)
    const before = at.calls()
    at.play([0])
    expect((await at.ask(5)).size).toBe(5)
    expect(at.calls() - before).toBe(3)
  })

  it("is asked for as long as the setting says", async () => {
    const at = bench([{ seconds: undefined }], { pace: { patienceSeconds: 5 } })
    await at.failure(1)
    expect(at.seconds()).toBeGreaterThanOrEqual(5)
    expect(at.seconds()).toBeLessThan(6)
  })
})

describe("a server that refuses now and then", () => {
  it("is asked again as soon as it wished", async () => {
    const at = bench([{ seconds: 1 }, 0])
    await at.ask(2)
    expect(at.seconds()).toBeCloseTo(2, 1)
  })

  it("is never made slower than it asks, and not given up while it answers", async () => {
    const turn = fc.oneof(
      fc.constant<Turn>(0),
      fc.integer({ min: 0, max: 8 }).map((seconds): Turn => ({ seconds })),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 12 }), async (drawn) => {
        const turns: Turn[] = [...drawn, 0]
        const at = bench(turns)
        await at.ask(8)
        const made = Array.from({ length: at.calls() }, (_, call) => turns[call % turns.length])
        const asked = made.reduce<number>((sum, each) => sum + (typeof each === "object" ? (each.seconds ?? 0) : 0), 0)
        expect(at.seconds()).toBeLessThanOrEqual(asked + 0.5)
      }),
      { numRuns: 25 },
    )
  })
})

describe("a server that nobody can reach", () => {
  it("is waited for 5 s on this machine", async () => {
    const at = bench(["dead"])
    expect((await at.failure(3))?.message).toMatch(/cannot reach/)
    expect(at.seconds()).toBeCloseTo(5, 1)
    expect(at.lines.warn).toEqual([])
  })

  it("and longer elsewhere, where a network may come back", async () => {
    const at = bench(["dead"], { baseUrl: "http://192.0.2.1:9/v1" })
    await at.failure(1)
    expect(at.seconds()).toBeGreaterThan(20)
  })

  it("and answers once it has started", async () => {
    const at = bench(["dead", "dead", 0])
    expect((await at.ask(1)).size).toBe(1)
  })
})
