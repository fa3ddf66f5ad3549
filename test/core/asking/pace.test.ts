import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Pace } from "../../../src/core/asking/pace.ts"
import { serverLimits } from "../../../src/core/asking/rate-limits.ts"
import { simulate } from "./simulated-server.ts"
import { seeded } from "../../seeded.ts"

const kind = fc.constantFrom("bucket", "window")
const capacity = fc.constantFrom(0.05, 0.2, 1)
const knowing = fc.constantFrom({ told: true }, { told: false, headers: true })
const seed = fc.nat()

describe("the pace against a server that enforces its limit", () => {
  it("uses 98 % of a limit on requests and has at most 1 % refused, told of it or warned by headers", () => {
    fc.assert(
      fc.property(
        kind,
        capacity,
        knowing,
        seed,
        fc.integer({ min: 60, max: 900 }),
        (kind, capacity, knowing, seed, requestsPerMinute) => {
          const result = simulate(
            { kind, capacity, requestsPerMinute },
            { minutes: 5, concurrency: 30, random: seeded(seed), ...knowing },
          )
          expect(result.share).toBeGreaterThanOrEqual(0.98)
          expect(result.refusedShare).toBeLessThanOrEqual(0.01)
        },
      ),
      { numRuns: 40 },
    )
  })

  it("and of a limit on tokens, where an answer's length is not known before", () => {
    fc.assert(
      fc.property(
        kind,
        capacity,
        knowing,
        seed,
        fc.integer({ min: 40_000, max: 200_000 }),
        (kind, capacity, knowing, seed, tokensPerMinute) => {
          const result = simulate(
            { kind, capacity, tokensPerMinute },
            { minutes: 5, concurrency: 30, random: seeded(seed), ...knowing },
          )
          expect(result.share).toBeGreaterThanOrEqual(0.98)
          expect(result.refusedShare).toBeLessThanOrEqual(0.01)
        },
      ),
      { numRuns: 40 },
    )
  })

  it("learns from the headers that a server counts the longest answer that is asked for", () => {
    for (const kind of ["bucket", "window"] as const) {
      const limits = { kind, tokensPerMinute: 60_000, countsWhatIsAsked: true }
      const result = simulate(limits, { minutes: 5, concurrency: 30, random: seeded(1), told: false, headers: true })
      expect([kind, result.share >= 0.98, result.refusedShare <= 0.01]).toEqual([kind, true, true])
    }
  })

  it("finds a limit that nobody tells by being refused, and keeps off it", () => {
    for (const kind of ["bucket", "window"] as const) {
      const result = simulate(
        { kind, requestsPerMinute: 300 },
        { minutes: 10, concurrency: 16, random: seeded(1), told: false },
      )
      expect([kind, result.share >= 0.85, result.refusedShare <= 0.02]).toEqual([kind, true, true])
    }
  })

  it("is left alone for as long as the server wishes, up to five minutes", () => {
    for (const [asked, waited] of [
      [7000, 7000],
      [3_600_000, 300_000],
    ] as const) {
      const pace = new Pace({})
      const size = { inputTokens: 10, outputTokens: 10 }
      pace.refused(1000, pace.sent(0, size), asked)
      expect(pace.waitMs(1000, size)).toBe(waited)
      expect(pace.waitMs(1000 + waited, size)).toBe(0)
    }
  })
})

describe("the limits in headers", () => {
  const parsed = (headers: Record<string, string>) =>
    serverLimits(new Headers({ date: "Tue, 24 Nov 2026 10:00:00 GMT", ...headers }))

  it.each<[string, Record<string, string>, object[]]>([
    [
      "OpenAI",
      {
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-remaining-requests": "4999",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-limit-tokens": "160000",
        "x-ratelimit-remaining-tokens": "80000",
        "x-ratelimit-reset-tokens": "30s",
      },
      [
        { of: "requests", limit: 5000, remaining: 4999, resetMs: 12, windowMs: 60_000 },
        { of: "tokens", limit: 160_000, remaining: 80_000, resetMs: 30_000, windowMs: 60_000 },
      ],
    ],
    [
      "Groq, whose requests are those of a day",
      {
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-remaining-requests": "14370",
        "x-ratelimit-reset-requests": "2m59.56s",
      },
      [{ of: "requests", limit: 14_400, remaining: 14_370, resetMs: 179_560, windowMs: 86_400_000 }],
    ],
    [
      "Cerebras",
      {
        "x-ratelimit-limit-tokens-minute": "60000",
        "x-ratelimit-remaining-tokens-minute": "1",
        "x-ratelimit-reset-tokens-minute": "17.5",
      },
      [{ of: "tokens", limit: 60_000, remaining: 1, resetMs: 17_500, windowMs: 60_000 }],
    ],
    [
      "Mistral",
      { "x-ratelimit-limit-req-minute": "60", "x-ratelimit-remaining-req-minute": "59" },
      [{ of: "requests", limit: 60, remaining: 59, resetMs: undefined, windowMs: 60_000 }],
    ],
    [
      "Anthropic",
      {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-24T10:00:42Z",
      },
      [{ of: "requests", limit: 50, remaining: 0, resetMs: 42_000, windowMs: 60_000 }],
    ],
    [
      "an epoch, by a window that nobody tells",
      { "x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795514430" },
      [{ of: "requests", limit: 100, remaining: 0, resetMs: 30_000, windowMs: undefined }],
    ],
    [
      "a draft of the IETF",
      { ratelimit: '"burst";r=50;t=30', "ratelimit-policy": '"burst";q=100;w=60' },
      [{ of: "requests", limit: 100, remaining: 50, resetMs: 30_000, windowMs: 60_000 }],
    ],
    ["nothing to read", { "x-ratelimit-limit-requests": "soon", ratelimit: "?" }, []],
  ])("of %s", (_name, headers, limits) => {
    expect(parsed(headers)).toEqual(limits)
  })
})
