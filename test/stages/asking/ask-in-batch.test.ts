import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { askAll } from "../../../src/stages/asking/ask.ts"
import { Asking } from "../../../src/stages/asking/asking.ts"
import { chatAnswerer } from "../../../src/stages/asking/request.ts"
import { type AskingOptions, askingTerms } from "../../../src/stages/growing/asking-terms.ts"
import { BatchServer } from "../../models/batch-server.ts"
import { askingBench, type AskingBench } from "./asking-context.ts"

const prices =
  `models:\n  - { match: "*", host: 127.0.0.1, inputUsd: 100, outputUsd: 1000, batchShare: 0.5, asOf: ` +
  `2026-11-24, source: this test }\n`
const answerUsd = (11 * 100 + 7 * 1000) / 1e6 / 2

let server: BatchServer
beforeEach(async () => {
  server = await BatchServer.start()
})
afterEach(() => server.close())

const benchOf = (given: Parameters<typeof askingBench>[1] = {}) =>
  askingBench(server.url, { files: { "prices.yaml": prices }, ...given })
const ask = (bench: AskingBench, count: number, options: AskingOptions = {}) =>
  askAll(bench.context, {
    purpose: "s",
    requests: bench.requests(count),
    open: () => chatAnswerer(bench.model()),
    asking: new Asking(bench.context, askingTerms(bench.task, { batch: true, ...options })),
  })
const answersOf = (bench: AskingBench, count: number) =>
  textsOf(
    bench,
    bench.requests(count).map(({ key }) => key),
  )
const textsOf = async (bench: AskingBench, keys: readonly string[]) => {
  const answers = await bench.context.ledger().requests.answers(keys)
  return keys.map((key) => answers.get(key)?.text)
}
const spent = (bench: AskingBench) => bench.context.ledger().requests.spentUsd()
/** What a process that is started anew knows: the workspace. */
const again = (bench: AskingBench, given: Parameters<typeof askingBench>[1] = {}) =>
  benchOf({ folder: bench.folder, ...given })

describe("a batch", () => {
  it(
    "is submitted and left, with how to come back; then its " + "answers are taken in at the price of batches",
    async () => {
      const bench = benchOf()
      await expect(ask(bench, 5)).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringContaining("batch_0"),
        hint: expect.stringContaining("--batch"),
      })
      const later = again(bench)
      await expect(ask(later, 5)).rejects.toMatchObject({ exitCode: 3 })
      expect(server.batches.map(({ lines }) => lines.length)).toEqual([5])
      server.end(0, "completed")
      await ask(again(bench), 5)
      expect(await answersOf(bench, 5)).toEqual([0, 1, 2, 3, 4].map((seed) => `answer to ${seed}`))
      expect(await spent(bench)).toBeCloseTo(5 * answerUsd, 10)
      const calls = server.calls.length
      await ask(again(bench), 5)
      expect(server.calls).toHaveLength(calls)
    },
  )

  it("is waited for where that is wished", async () => {
    const bench = benchOf({ haste: 1000 })
    const asked = ask(bench, 3, { wait: true })
    await expect.poll(() => server.batches.length).toBe(1)
    server.end(0, "completed")
    await asked
    expect(await answersOf(bench, 3)).toHaveLength(3)
  })

  it("that expired is asked again for the missing part only, and what it did not answer costs nothing", async () => {
    const bench = benchOf()
    await expect(ask(bench, 6)).rejects.toThrow(/batch_0/)
    server.end(0, "expired", 4)
    await expect(ask(again(bench), 6)).rejects.toThrow(/batch_1/)
    expect(server.batches[1]?.lines.map(({ body }) => body.seed)).toEqual([4, 5])
    server.end(1, "completed")
    await ask(again(bench), 6)
    expect([...server.answered.values()]).toEqual([1, 1, 1, 1, 1, 1])
    expect(await spent(bench)).toBeCloseTo(6 * answerUsd, 10)
  })

  it("with a request that is wrong keeps the answers and says why the rest has none", async () => {
    const bench = benchOf()
    await expect(ask(bench, 4)).rejects.toThrow(/batch_0/)
    server.end(0, "completed", Number.POSITIVE_INFINITY, [2])
    await expect(ask(again(bench), 4)).rejects.toThrow(
      /1 requests of the batch were not answered: HTTP 400: seed must be even/,
    )
    expect(await answersOf(bench, 4)).toEqual(["answer to 0", "answer to 1", undefined, "answer to 3"])
    expect(server.batches).toHaveLength(1)
  })

  it("that failed as a whole cost nothing, and the next command submits it again", async () => {
    const bench = benchOf()
    await expect(ask(bench, 2)).rejects.toThrow(/batch_0/)
    server.end(0, "failed")
    await expect(ask(again(bench), 2)).rejects.toThrow(/2 requests of the batch were not answered: failed/)
    expect(await spent(bench)).toBe(0)
    await expect(ask(again(bench), 2)).rejects.toThrow(/batch_1/)
  })

  it.each([
    ["was made but nobody heard of it", "lost"],
    ["never arrived", "dropped"],
  ] as const)("whose creation %s is there once", async (_name, fate) => {
    const bench = benchOf()
    server.nextCreation = fate
    await expect(ask(bench, 3)).rejects.toMatchObject({ name: "ProviderError" })
    // Its worst case counts until it is known what became of it.
    expect(await spent(bench)).toBeGreaterThan(3 * answerUsd)
    await expect(ask(again(bench), 3)).rejects.toMatchObject({ exitCode: 3 })
    expect(server.batches).toHaveLength(1)
    server.end(0, "completed")
    await ask(again(bench), 3)
    expect([...server.answered.values()]).toEqual([1, 1, 1])
    expect(await spent(bench)).toBeCloseTo(3 * answerUsd, 10)
  })

  it("that was written down when the process died before anything was sent is submitted once", async () => {
    const bench = benchOf()
    const requests = bench
      .requests(2)
      .map(({ key, request }) => ({ key, request, task: "t", purpose: "s", worstUsd: 0.1 }))
    await bench.context.ledger().requests.begin(requests, {}, { baseUrl: server.url, name: "t-x" })
    await expect(ask(again(bench), 2)).rejects.toMatchObject({ exitCode: 3 })
    await expect(ask(again(bench), 2)).rejects.toMatchObject({ exitCode: 3 })
    expect(server.batches.map(({ lines }) => lines.length)).toEqual([2])
  })

  it("that is refused costs nothing and is not in the way", async () => {
    const bench = benchOf()
    server.nextCreation = "refused"
    await expect(ask(bench, 2)).rejects.toThrow(/no batches for this model/)
    expect(await spent(bench)).toBe(0)
    await expect(ask(again(bench), 2)).rejects.toMatchObject({ exitCode: 3 })
  })

  it(
    "has no more requests than fit below the ceiling at their worst; the rest follows when its answers cost " + "less",
    async () => {
      const bench = benchOf({ expand: { budgetUsd: 0.2 } })
      await expect(ask(bench, 20)).rejects.toMatchObject({ exitCode: 3 })
      const first = server.batches[0]?.lines.length ?? 0
      expect(first).toBeGreaterThan(1)
      expect(first).toBeLessThan(5)
      expect(await spent(bench)).toBeLessThanOrEqual(0.2)
      for (let number = 0; number < 20; number++) {
        server.end(server.batches.length - 1, "completed")
        const outcome = await ask(again(bench, { expand: { budgetUsd: 0.2 } }), 20).then(
          () => undefined,
          (error: Error) => error,
        )
        expect(await spent(bench)).toBeLessThanOrEqual(0.2)
        if (outcome === undefined) break
        expect(outcome).toMatchObject({ exitCode: 3 })
      }
      expect([...server.answered.values()]).toEqual(Array.from({ length: 20 }, () => 1))
    },
  )

  it("brings back nothing of a request that was erased meanwhile; what it may have cost still counts", async () => {
    const bench = benchOf()
    await expect(ask(bench, 2)).rejects.toMatchObject({ exitCode: 3 })
    const [erased, kept] = bench.requests(2).map(({ key }) => key) as [string, string]
    await bench.context.ledger().requests.erase([erased])
    server.end(0, "completed")
    // Nobody asks it again: the rows that it was made of are gone.
    const rest = again(bench)
    await askAll(rest.context, {
      purpose: "s",
      requests: rest.requests(1, 1),
      open: () => chatAnswerer(rest.model()),
      asking: new Asking(rest.context, askingTerms(rest.task, { batch: true })),
    })
    expect(await textsOf(bench, [erased, kept])).toEqual([undefined, "answer to 1"])
    expect(await bench.context.ledger().requests.spendingOf([erased])).toMatchObject({ unknown: 1 })
  })

  it("is not asked for one by one beside it: that would be paid twice", async () => {
    const bench = benchOf()
    await expect(ask(bench, 3)).rejects.toMatchObject({ exitCode: 3 })
    const single = again(bench)
    await expect(ask(single, 4, { batch: false })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining("3 of the requests are in a batch"),
    })
    expect(server.calls.filter((call) => call.includes("chat"))).toEqual([])
  })
})
