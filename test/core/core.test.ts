import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { canonicalJson, contentId, digest } from "../../src/core/canonical.ts"
import { ConfigError, ProviderError } from "../../src/core/errors.ts"
import { jobSchema } from "../../src/core/training/job.ts"
import { formatOutput, inputIssues, outputIssues, parseOutput, sameOutput } from "../../src/core/task/output.ts"
import { nearest, parseYaml } from "../../src/core/parse.ts"
import { promptVersion, renderExample } from "../../src/core/task/prompt.ts"
import { retryAfterMs, withRetries } from "../../src/core/retry.ts"
import { reduceRun, type RunEvent, type RunEventBody, trainingSeconds } from "../../src/core/training/run.ts"
import { taskSchema } from "../../src/core/task/task.ts"

const labelTask = taskSchema.parse({
  task: "mood",
  kind: "label",
  description: "x",
  input: { text: {} },
  output: { labels: { glad: "good mood", sad: "bad mood" } },
  prompt: { system: "One of {labels}.\n{definitions}" },
})
const chatTask = taskSchema.parse({
  task: "talk",
  kind: "chat",
  description: "x",
  output: {
    tools: [
      { name: "find", parameters: { type: "object", required: ["order"], properties: { order: { type: "string" } } } },
    ],
  },
})

it("canonical JSON is the same by its short way and its long way", () => {
  const sorted = (value: unknown): unknown => {
    if (typeof value === "string") return value.toWellFormed().replace(/\r\n?/g, "\n").normalize("NFC")
    if (Array.isArray(value)) return value.map(sorted)
    if (typeof value !== "object" || value === null) return value
    const members = Object.entries(value).map(([key, member]) => [sorted(key), sorted(member)] as [string, unknown])
    return new Map(members.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  const written = (value: unknown): string => {
    if (value instanceof Map)
      return `{${[...value].map(([key, member]) => `${JSON.stringify(key)}:${written(member)}`).join(",")}}`
    return Array.isArray(value) ? `[${value.map(written).join(",")}]` : JSON.stringify(value)
  }
  const text = fc.string({
    unit: fc.constantFrom("a", "B", "1", "\r", "\n", "\\", "r", "u", '"', "é", "e\u0301", "\ud800", "\u2028", " "),
  })
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      tie("list"),
      tie("record"),
    ),
    list: fc.array(tie("value"), { maxLength: 3 }),
    record: fc
      .uniqueArray(fc.tuple(text, tie("value")), { maxLength: 4, selector: ([key]) => sorted(key) })
      .map((members) => Object.fromEntries(members)),
  }))
  fc.assert(
    fc.property(value, (any) => {
      expect(canonicalJson(any)).toBe(written(sorted(any)))
    }),
    { seed: 8, numRuns: 500 },
  )
})

describe("canonical JSON", () => {
  it("writes numbers, escapes and the order of keys as RFC 8785 does", () => {
    const value = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    }
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
    expect(canonicalJson({ "\u20ac": 1, "\r": 2, "1": 3, "\ud83d\ude00": 4 })).toBe('{"\\n":2,"1":3,"€":1,"😀":4}')
  })

  it("does not depend on the order of keys, and is JSON", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(digest(reversed)).toBe(digest(value))
        expect(() => JSON.parse(canonicalJson(value))).not.toThrow()
      }),
    )
  })

  it("takes composed and decomposed letters, and line ends, for the same", () => {
    expect(digest("cafe\u0301\r\n")).toBe(digest("café\n"))
    expect(contentId("seed", "a")).toMatch(/^seed_[0-9a-f]{16}$/)
  })

  it("refuses what JSON cannot carry", () => {
    expect(() => canonicalJson(Number.NaN)).toThrow(TypeError)
    expect(() => canonicalJson({ a: [1, Number.NaN] })).toThrow(TypeError)
  })
})

describe("files that people write", () => {
  it("every problem comes at once with its line", () => {
    const text = "job: My Job\ntask: mood\nbasemodel: x\nmethod: { name: lora, rank: -1 }\n"
    const error = catchError(() => parseYaml(jobSchema, text, "jobs/x.yaml", "hint")) as ConfigError
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.issues.map(({ line, path }) => [line, path])).toEqual([
      [1, "job"],
      [1, "baseModel"],
      [3, "basemodel"],
      [4, "method.rank"],
    ])
    expect(error.message).toContain('did you mean "baseModel"')
  })

  it("near words are suggested, far ones are not", () => {
    expect(nearest("lable", ["label", "json"])).toBe("label")
    expect(nearest("retrun", ["return", "payment"])).toBe("return")
    expect(nearest("xyz", ["label", "json"])).toBeUndefined()
  })
})

describe("outputs", () => {
  it("what is written is read back, for every kind", () => {
    fc.assert(
      fc.property(fc.constantFrom("glad", "sad"), (label) => {
        expect(parseOutput(labelTask, ` ${label.toUpperCase()}. `)).toBe(label)
      }),
    )
    const json = taskSchema.parse({
      task: "j",
      kind: "json",
      description: "x",
      input: { text: {} },
      output: { schema: { type: "object", required: ["a"], properties: { a: { type: "integer" } } } },
    })
    fc.assert(
      fc.property(fc.record({ a: fc.integer(), b: fc.jsonValue() }), (value) =>
        sameOutput(json, parseOutput(json, formatOutput(json, value)), JSON.parse(JSON.stringify(value))),
      ),
    )
    expect(parseOutput(json, '```json\n{"a": 1}\n```')).toEqual({ a: 1 })
    expect(parseOutput(json, '{"a": "x"}')).toBeUndefined()
  })

  it("a label must be one of the labels, not a word that every object has", () => {
    expect(outputIssues(labelTask, "glad")).toEqual([])
    for (const wrong of ["constructor", "toString", "", null, 3]) expect(outputIssues(labelTask, wrong)).toHaveLength(1)
  })

  it("a chat task checks turns, tool names and arguments", () => {
    expect(inputIssues(chatTask, { messages: [{ role: "user", content: "hi" }] })).toEqual([])
    expect(inputIssues(chatTask, { messages: [{ role: "assistant", content: "hi" }] })).toHaveLength(1)
    expect(inputIssues(chatTask, { messages: [{ role: "robot", content: "hi" }] })).toHaveLength(1)
    const call = (name: string, args: unknown) => ({
      content: "",
      tool_calls: [{ function: { name, arguments: args } }],
    })
    expect(outputIssues(chatTask, { content: "hello" })).toEqual([])
    expect(outputIssues(chatTask, call("find", '{"order":"7"}'))).toEqual([])
    expect(outputIssues(chatTask, call("find", "{}"))).toHaveLength(1)
    expect(outputIssues(chatTask, call("lose", {}))).toHaveLength(1)
  })
})

describe("rendering", () => {
  it("puts labels and meanings into the prompt and leaves braces in a value alone", () => {
    expect(renderExample(labelTask, { input: { text: "a {labels} b" }, output: "sad" })).toEqual([
      { role: "system", content: "One of glad, sad.\nglad: good mood\nsad: bad mood" },
      { role: "user", content: "a {labels} b" },
      { role: "assistant", content: "sad" },
    ])
  })

  it("leaves a placeholder alone that names no value, also one that every object has", () => {
    const task = { ...labelTask, prompt: { system: "{other} {toString} {labels}" } }
    expect(renderExample(task, { input: { text: "x" }, output: "sad" })[0]?.content).toBe(
      "{other} {toString} glad, sad",
    )
  })

  it("has a version that changes with a rendered byte and with nothing else", () => {
    expect(promptVersion({ ...labelTask, description: "y" })).toBe(promptVersion(labelTask))
    expect(promptVersion({ ...labelTask, prompt: { system: "Another." } })).not.toBe(promptVersion(labelTask))
  })
})

describe("the fold of a run", () => {
  const bodies: RunEventBody[] = [
    { type: "planned", plan: "sha256:1" },
    { type: "submitting", submissionKey: "k", attempt: 1 },
    { type: "submitted", job: { backend: "local", id: "r", submissionKey: "k" } },
    { type: "started", totalSteps: 4, details: {} },
    { type: "metric-logged", step: 1, values: { loss: 3 } },
    { type: "metric-logged", step: 2, values: { loss: 2 } },
    { type: "checkpoint-saved", step: 2 },
    { type: "metric-logged", step: 3, values: { loss: 9 } },
    { type: "resumed", step: 2 },
    { type: "metric-logged", step: 3, values: { loss: 1 } },
    { type: "state-changed", state: "succeeded" },
  ]
  const events = bodies.map(
    (body, index): RunEvent => ({ run: "r", sequence: index + 1, at: `2026-01-01T00:00:${10 + index}.000Z`, ...body }),
  )

  it("does not depend on the order or on repeats of events", () => {
    const folded = reduceRun("r", events)
    expect(folded).toMatchObject({ state: "succeeded", attempt: 1, step: 3, totalSteps: 4, job: { id: "r" } })
    expect(folded.metrics.map(({ values }) => values["loss"])).toEqual([3, 2, 1])
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), fc.subarray(events), (shuffled, again) => {
        expect(reduceRun("r", [...shuffled, ...again])).toEqual(folded)
      }),
    )
  })

  it("forgets the steps after the checkpoint that a resume goes back to", () => {
    const resumed = reduceRun("r", events.slice(0, 9))
    expect(resumed.step).toBe(2)
    expect(resumed.metrics.map(({ step }) => step)).toEqual([1, 2])
  })

  it("takes its times from whoever did the work, not from the poll that heard of it the next morning", () => {
    const sent = (body: RunEventBody, sequence: number, sentAt?: string): RunEvent => ({
      run: "r",
      sequence,
      at: sequence < 4 ? "2026-01-01T22:00:00.000Z" : "2026-01-02T08:00:00.000Z",
      ...body,
      ...(sentAt === undefined ? {} : { sentAt }),
    })
    const overnight = [
      sent({ type: "planned", plan: "p" }, 1),
      sent({ type: "submitting", submissionKey: "k", attempt: 1 }, 2),
      sent({ type: "submitted", job: { backend: "local", id: "r", submissionKey: "k" } }, 3),
      sent({ type: "started", totalSteps: 4, details: { machine: "a GPU" } }, 4, "2026-01-01T22:05:00.000Z"),
      sent({ type: "metric-logged", step: 4, values: { loss: 1 } }, 5, "2026-01-01T22:14:00.000Z"),
      sent({ type: "state-changed", state: "succeeded" }, 6, "2026-01-01T22:15:00.000Z"),
    ]
    const folded = reduceRun("r", overnight)
    expect(folded).toMatchObject({
      startedAt: "2026-01-01T22:05:00.000Z",
      endedAt: "2026-01-01T22:15:00.000Z",
      details: { machine: "a GPU" },
    })
    expect(trainingSeconds(folded)).toBe(600)
    // A trainer that was killed says nothing of its end: the last that was heard of it is nearer than the poll.
    const killed = [...overnight.slice(0, 5), sent({ type: "state-changed", state: "failed" }, 6)]
    expect(reduceRun("r", killed).endedAt).toBe("2026-01-01T22:14:00.000Z")
    // The night between two attempts is no work.
    const resumed = [
      ...killed,
      sent({ type: "submitting", submissionKey: "k2", attempt: 2 }, 7),
      sent({ type: "started", totalSteps: 4, details: {} }, 8, "2026-01-02T09:00:00.000Z"),
      sent({ type: "state-changed", state: "succeeded" }, 9, "2026-01-02T09:01:00.000Z"),
    ]
    expect(trainingSeconds(reduceRun("r", resumed))).toBe(9 * 60 + 60)
  })

  it("has no negative duration under a clock that is wrong, and survives a time that is none", () => {
    const times = fc.option(fc.constantFrom("2026-01-01T00:00:00Z", "2025-12-31T23:00:00.5+00:00", "soon", ""), {
      nil: undefined,
    })
    fc.assert(
      fc.property(fc.array(times, { minLength: events.length, maxLength: events.length }), (sentAts) => {
        const skewed = events.map((event, index): RunEvent => {
          const sentAt = sentAts[index]
          return sentAt === undefined ? event : { ...event, sentAt }
        })
        const folded = reduceRun("r", skewed)
        const seconds = trainingSeconds(folded)
        expect(folded.endedAt).toBeDefined()
        expect(seconds === null || seconds >= 0).toBe(true)
      }),
    )
  })

  it("of before the sender's times were kept shows what it showed", () => {
    const folded = reduceRun("r", events)
    expect([folded.startedAt, folded.endedAt]).toEqual(["2026-01-01T00:00:11.000Z", "2026-01-01T00:00:20.000Z"])
    expect(trainingSeconds(folded)).toBe(9)
  })

  it("of no events is planned", () => {
    expect(reduceRun("r", [])).toMatchObject({ state: "planned", attempt: 0 })
  })
})

describe("the retry policy", () => {
  const signal = new AbortController().signal
  const attempt = async (errors: unknown[], attempts = 3) => {
    const waits: number[] = []
    let calls = 0
    const result = withRetries(
      async () => {
        calls++
        const error = errors.shift()
        if (error !== undefined) throw error
        return "answer"
      },
      { attempts, sleep: async (milliseconds) => void waits.push(milliseconds), random: () => 1, signal },
    )
    return { result: await result.catch((error: unknown) => error), waits, calls: () => calls }
  }
  const busy = (retryAfter?: number) =>
    new ProviderError("busy", {
      provider: "x",
      status: 429,
      isRetryable: true,
      ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }),
    })

  it("waits longer each time, or as long as it is told", async () => {
    expect(await attempt([busy(), busy()])).toMatchObject({ result: "answer", waits: [1000, 2000] })
    expect(await attempt([busy(7000)])).toMatchObject({ result: "answer", waits: [7000] })
    // A server that asks for a day would stop the work as good as for ever.
    expect(await attempt([busy(86_400_000)])).toMatchObject({ result: "answer", waits: [300_000] })
  })

  it.each([
    ["seconds", { "retry-after": "3" }, 3000],
    ["milliseconds, which count first", { "retry-after": "3", "retry-after-ms": "250" }, 250],
    [
      "a date, by the server's own clock",
      { date: "Sun, 06 Nov 1994 08:49:37 GMT", "retry-after": "Sun, 06 Nov 1994 08:50:07 GMT" },
      30_000,
    ],
    [
      "a date in its older forms",
      { date: "Sun Nov  6 08:49:37 1994", "retry-after": "Sunday, 06-Nov-94 08:49:39 GMT" },
      2000,
    ],
    [
      "a date that is over",
      { date: "Sun, 06 Nov 1994 08:49:37 GMT", "retry-after": "Sun, 06 Nov 1994 08:49:07 GMT" },
      0,
    ],
    ["a date without the server's own", { "retry-after": "Sun, 06 Nov 1994 08:50:07 GMT" }, undefined],
    ["a word", { "retry-after": "soon", date: "Sun, 06 Nov 1994 08:49:37 GMT" }, undefined],
    ["less than nothing", { "retry-after": "-1", date: "Sun, 06 Nov 1994 08:49:37 GMT" }, undefined],
    ["nothing", {}, undefined],
  ])("is told how long by %s", (_name, headers, expected) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>))).toBe(expected)
  })

  it("gives up after the last attempt, and at once on what cannot be retried", async () => {
    expect((await attempt([busy(), busy(), busy(), busy()])).result).toBeInstanceOf(ProviderError)
    const bug = new TypeError("bug")
    expect(await attempt([bug])).toMatchObject({ result: bug, waits: [] })
  })
})

describe("errors", () => {
  it("carry no secret", () => {
    expect(new ProviderError("bad key sk-abcdef1234567890 and Bearer abcdefghijkl", { provider: "x" }).message).toBe(
      "bad key [secret] and Bearer [secret]",
    )
  })
})

function catchError(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error("nothing was thrown")
}
