import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { askAll } from "../../../src/stages/asking/ask.ts"
import { Asking } from "../../../src/stages/asking/asking.ts"
import { chatAnswerer } from "../../../src/stages/asking/request.ts"
import { askingTerms } from "../../../src/stages/growing/asking-terms.ts"
import { seeded } from "../../seeded.ts"
import { ChatServer } from "../../models/chat-server.ts"
import { askingBench, type AskingBench } from "./asking-context.ts"

const prices =
  `models:\n  - { match: "*", host: 127.0.0.1, inputUsd: 100, outputUsd: 1000, asOf: 2026-11-24, source: ` +
  `this test }\n`
/** What one answer of the server costs: 11 tokens in, 7 out. */
const answerUsd = (11 * 100 + 7 * 1000) / 1e6
/** A bound on what it may cost: 100 tokens out. */
const worstUsd = 0.15

let server: ChatServer
beforeEach(async () => {
  server = await ChatServer.start()
})
afterEach(() => server.close())

const ask = (bench: AskingBench, count: number, budgetUsd?: number, from = 0) =>
  askAll(bench.context, {
    purpose: "s",
    requests: bench.requests(count, from),
    open: () => chatAnswerer(bench.model()),
    asking: new Asking(bench.context, askingTerms(bench.task, { budgetUsd })),
  })
const spent = (bench: AskingBench) => bench.context.ledger().requests.spentUsd()
const chargedUsd = () => (server.charged.inputTokens * 100 + server.charged.outputTokens * 1000) / 1e6

describe("money", () => {
  it("is counted answer by answer, and nothing on this machine unless the workspace says so", async () => {
    const priced = askingBench(server.url, { files: { "prices.yaml": prices } })
    await ask(priced, 5)
    expect(await spent(priced)).toBeCloseTo(5 * answerUsd, 10)
    const free = askingBench(server.url)
    await ask(free, 5, 0)
    expect(await spent(free)).toBe(0)
  })

  it.each([
    ["command", /this command.*\$0\.3\d.*--budget-usd/s, {}, 0.45],
    ["task", /task t.*expand\.budgetUsd/s, { expand: { budgetUsd: 0.45 } }, undefined],
    [
      "workspace",
      /the workspace.*budgets\.requestsUsd/s,
      { files: { "prices.yaml": prices, "tuneloop.yaml": "budgets: { requestsUsd: 0.45 }\n" } },
      undefined,
    ],
  ])(
    "stops below the ceiling of the %s with what fits, says how to raise it, and goes on when it is raised",
    async (_scope, message, given, budgetUsd) => {
      const bench = askingBench(server.url, { files: { "prices.yaml": prices }, ...given })
      const error = await ask(bench, 100, budgetUsd).then(
        () => undefined,
        (caught: unknown) => caught as Error & { hint: string; exitCode: number },
      )
      expect(error).toMatchObject({ name: "BudgetError", exitCode: 4 })
      expect(`${error?.message} ${error?.hint}`).toMatch(message)
      // Nothing more would have fitted at its worst case, and nothing went over.
      expect(await spent(bench)).toBeLessThanOrEqual(0.45)
      expect(await spent(bench)).toBeGreaterThan(0.45 - worstUsd)
      expect(chargedUsd()).toBeCloseTo(await spent(bench), 10)
      const before = server.asked.length
      // Again with the same ceiling nothing is asked; with a higher one the rest, and nothing twice.
      await expect(ask(bench, 100, budgetUsd)).rejects.toThrow(/ceiling/)
      expect(server.asked).toHaveLength(before)
      const raised = askingBench(server.url, {
        folder: bench.folder,
        files: { "tuneloop.yaml": "budgets: { requestsUsd: 5 }\n" },
        expand: { budgetUsd: 5 },
      })
      await ask(raised, 100, 5)
      expect(server.asked).toHaveLength(100)
      expect(new Set(server.asked.map(({ body }) => body)).size).toBe(100)
    },
  )

  it("books what may have been paid at its worst case, and what was refused at nothing", async () => {
    const bench = askingBench(server.url, { files: { "prices.yaml": prices } })
    server.faults.push({ kind: "drop" }, { kind: "status", status: 500 })
    await ask(bench, 1)
    const { attempts, unknown, usd } = await bench.context
      .ledger()
      .requests.spendingOf(bench.requests(1).map(({ key }) => key))
    expect({ attempts, unknown }).toEqual({ attempts: 3, unknown: 1 })
    expect(usd).toBeGreaterThan(answerUsd + 0.1)
    expect(usd).toBeLessThan(answerUsd + worstUsd)
    expect(usd).toBeGreaterThanOrEqual(chargedUsd())
  })

  it(
    "is refused before anything is asked where a ceiling is set and the price is unknown; without a ceiling " +
      "it is told as unknown",
    async () => {
      const away = "http://127.0.0.2:9/v1"
      const bench = askingBench(away, { files: { "tuneloop.yaml": "allowedHosts: [127.0.0.2]\n" } })
      await expect(ask(bench, 1, 1)).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(/what m costs at 127\.0\.0\.2.*--budget-usd/),
        hint: expect.stringContaining("prices.yaml"),
      })
      expect((await bench.context.ledger().requests.totals()).requests).toBe(0)
    },
  )

  it("never passes a ceiling, whatever the server does and however often the command is run", async () => {
    for (const seed of [1, 2, 3]) {
      server.charged.inputTokens = server.charged.outputTokens = 0
      const random = seeded(seed)
      server.moods = {
        random,
        slowestMs: 20,
        faults: [
          [0.1, { kind: "drop" }],
          [0.1, { kind: "truncated" }],
          [0.1, { kind: "status", status: 429, headers: { "retry-after-ms": "5" } }],
        ],
      }
      const { folder } = askingBench(server.url)
      let ceilingUsd = 0.2
      for (let isDone = false; !isDone; ceilingUsd += random()) {
        const bench = askingBench(server.url, {
          folder,
          files: { "prices.yaml": prices },
          expand: { budgetUsd: ceilingUsd },
          haste: 200,
        })
        isDone = await ask(bench, 12).then(
          () => true,
          (error: Error) => expect(error.name).toBe("BudgetError") ?? false,
        )
        expect(await spent(bench)).toBeLessThanOrEqual(ceilingUsd)
        expect(chargedUsd()).toBeLessThanOrEqual((await spent(bench)) + 1e-9)
      }
    }
  })
})

describe("a request", () => {
  it("is asked once by two commands at once: the second waits and finds the answers", async () => {
    server.moods = { random: seeded(1), slowestMs: 50, faults: [] }
    const first = askingBench(server.url)
    const second = askingBench(server.url, { folder: first.folder })
    await Promise.all([ask(first, 20), ask(second, 30)])
    expect(server.asked).toHaveLength(30)
    expect(new Set(server.asked.map(({ body }) => body)).size).toBe(30)
    expect([...first.said, ...second.said].filter((line) => line.includes("another command is asking"))).toHaveLength(1)
  })

  it("that was in flight when its process died is booked as unknown, said, and asked again once", async () => {
    const bench = askingBench(server.url, { files: { "prices.yaml": prices } })
    const [lost] = bench.requests(1)
    if (lost === undefined) throw new Error("no request")
    await bench.context
      .ledger()
      .requests.begin([{ key: lost.key, request: lost.request, task: "t", purpose: "s", worstUsd: 0.11 }])
    await ask(bench, 3)
    expect(server.asked).toHaveLength(3)
    expect(bench.said.join()).toMatch(/1 requests were in flight.*unknown.*\$0\.11/)
    expect(await spent(bench)).toBeCloseTo(3 * answerUsd + 0.11, 10)
    expect(await bench.context.ledger().requests.spendingOf([lost.key])).toMatchObject({ attempts: 2, unknown: 1 })
  })

  it("that fails for good stops the others before they are sent, and keeps what was answered on its way", async () => {
    const bench = askingBench(server.url, { expand: { pace: { concurrency: 3 } } })
    server.moods = { random: seeded(1), slowestMs: 30, faults: [] }
    server.onAsked = ({ body }) => {
      if (body.includes("Question 5?"))
        server.faults.push({ kind: "status", status: 400, message: "seed must be positive" })
    }
    await expect(ask(bench, 50)).rejects.toThrow(/seed must be positive/)
    expect(server.asked.length).toBeLessThan(12)
    const { answered, requests } = await bench.context.ledger().requests.totals()
    expect(requests - answered).toBe(1)
  })

  it("is in the ledger, durable, before the server hears of it", async () => {
    const bench = askingBench(server.url)
    const seen: boolean[] = []
    server.onAsked = () => {
      const wal = readFileSync(join(bench.folder, ".tuneloop", "ledger.db-wal"), "latin1")
      seen.push(wal.includes(bench.requests(1)[0]?.key ?? "?"))
    }
    await ask(bench, 1)
    expect(seen).toEqual([true])
  })
})
