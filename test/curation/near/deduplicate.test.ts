import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { CurationRow } from "../../../src/curation/rows/ranking.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { curate, labelTask, rowOf, similarityOf, textTask, textsWithCopies } from "./made-texts.ts"
import { seeded } from "../../seeded.ts"

const limits = { ngram: 13, maxLength: 200 }
const run = (
  candidates: readonly CurationRow[],
  heldOut: readonly { id: string; input: { body: string } }[] = [],
  heldOutIds: ReadonlySet<string> = new Set(),
) => curate({ task: labelTask, candidates, heldOut, heldOutIds, ...limits })
const reasons = (result: ReturnType<typeof curate>) =>
  result.dropped.map(({ id, reason, witness }) => [id, reason, witness])

describe("what a row is by itself", () => {
  test("normalises strings and keeps ids, provenance and structure", () => {
    const provenance = { parents: ["seed_1"], strategy: "evolve", model: "m", acceptedBy: "ann" }
    const { kept } = run([rowOf("ex_1", " caf\u0065\u0301 closed?\r\n", " billing ", { provenance })])
    expect(kept).toEqual([{ id: "ex_1", input: { body: "café closed?" }, output: "billing", provenance }])
  })
  test.each([
    ["empty", "ex_1", " \u0000 ", "billing", "input"],
    ["empty", "ex_1", "where is it", "  ", "output"],
    ["empty", "ex_1", "where is it", null, "output"],
    [
      "too-long",
      "ex_1",
      "x".repeat(194),
      "billing",
      "201 characters; at most 200 allowed (build.maxLength in the specification)",
    ],
    [
      "invalid-output",
      "ex_1",
      "where is it",
      "biling",
      'output: got "biling"; allowed: billing, shipping, other; did you mean "billing"?',
    ],
  ])("drops %s", (reason, id, body, output, detail) => {
    const result = run([rowOf(id, body, output)])
    expect(result.dropped).toEqual([expect.objectContaining({ id, reason, detail })])
    expect(result.kept).toEqual([])
  })
  test("keeps a row of just the longest length", () =>
    expect(run([rowOf("ex_1", "x".repeat(193))]).kept).toHaveLength(1))
  test("drops invalid inputs, also chat turns that are none", () => {
    expect(run([{ ...rowOf("ex_1", "x y"), input: { body: "where is it", subject: "?" } }]).dropped[0]).toMatchObject({
      reason: "invalid-input",
    })
    const chat = taskSchema.parse({ task: "chat", kind: "chat", description: "talk" })
    const broken = {
      ...rowOf("ex_2", ""),
      input: { messages: [null, { content: "hi" }] },
      output: { content: "hello" },
    }
    expect(curate({ task: chat, candidates: [broken], heldOut: [], ...limits }).dropped[0]).toMatchObject({
      reason: "invalid-input",
    })
  })
  test("nothing in, nothing out", () => expect(run([])).toEqual({ kept: [], dropped: [], conflicts: [] }))
})

describe("leaks", () => {
  const held = [
    { id: "ex_h2", input: { body: "My new bank card has not arrived after two weeks" } },
    { id: "ex_h1", input: { body: "Where is my parcel?" } },
    {
      id: "ex_h3",
      input: {
        body:
          "one two three four five six seven eight nine ten eleven twelve thirteen and something else that " +
          "is rather long here",
      },
    },
  ]
  test("exact, near and n-gram leaks go, with their witnesses", () => {
    const result = run(
      [
        rowOf("ex_1", "where is my PARCEL ?"),
        rowOf("ex_2", "My new bank card has not arrived after three weeks", "shipping"),
        rowOf(
          "ex_3",
          "quite another beginning of it all, then one two three four five six seven eight nine ten " +
            "eleven twelve thirteen, and then no more",
        ),
        rowOf("ex_4", "how do I close my account"),
      ],
      held,
    )
    expect(reasons(result)).toEqual([
      ["ex_1", "leak-exact", "ex_h1"],
      ["ex_2", "leak-near", "ex_h2"],
      ["ex_3", "leak-ngram", "ex_h3"],
    ])
    expect(result.dropped[1]?.similarity).toBeCloseTo(
      similarityOf("My new bank card has not arrived after three weeks", held[0]?.input.body ?? ""),
      12,
    )
    expect(result.kept.map(({ id }) => id)).toEqual(["ex_4"])
  })
  test("of equal held-out rows the smaller id is the witness, whatever the order", () => {
    const twice = ["ex_h2", "ex_h1", "ex_h3"].map((id) => ({ id, input: { body: "where is my parcel now" } }))
    for (const heldOut of [twice, twice.toReversed()])
      expect(
        reasons(run([rowOf("ex_1", "Where is  my parcel now"), rowOf("ex_2", "where is my parcel now ok")], heldOut)),
      ).toEqual([
        ["ex_1", "leak-exact", "ex_h1"],
        ["ex_2", "leak-near", "ex_h1"],
      ])
  })
  test("descendants of what is held out go, through several generations and any name of a parent", () => {
    const from = (...parents: string[]) => ({ provenance: { parents, strategy: "evolve", acceptedBy: "ann" } })
    const result = run(
      [
        rowOf("ex_c1", "a first text about money", "billing", from("seed_t", "seed_h")),
        rowOf("ex_c2", "some other words on parcels", "shipping", from("cand_c1")),
        rowOf("ex_c3", "third and last of these", "other", from("cand_c2")),
        rowOf("ex_ok", "nothing to do with the others", "other", from("seed_t")),
        rowOf("ex_h", "the held out seed itself"),
      ],
      [],
      new Set(["seed_h"]),
    )
    expect(reasons(result)).toEqual(["ex_c1", "ex_c2", "ex_c3", "ex_h"].map((id) => [id, "lineage", "seed_h"]))
  })
  test("a circle of parents ends", () => {
    const from = (parent: string) => ({ provenance: { parents: [parent], strategy: "evolve", acceptedBy: "ann" } })
    expect(
      run(
        [
          rowOf("ex_a", "first text here", "billing", from("ex_b")),
          rowOf("ex_b", "quite a different one", "billing", from("ex_a")),
        ],
        [],
        new Set(["seed_x"]),
      ).kept,
    ).toHaveLength(2)
  })
})

describe("duplicates", () => {
  test("people before grown, reviewed before not, longer before shorter", () => {
    const body = "my card payment was declined in the shop"
    const grown = rowOf("ex_1", `${body} today!`, "billing", { rank: { human: false, reviewed: true } })
    const unreviewed = rowOf("ex_2", `${body} today`, "billing", { rank: { human: true, reviewed: false } })
    const shorter = rowOf("ex_3", body)
    const longer = rowOf("ex_4", `${body}!`)
    expect(run([grown, unreviewed, shorter, longer]).kept.map(({ id }) => id)).toEqual(["ex_4"])
    expect(run([grown, unreviewed, shorter]).kept.map(({ id }) => id)).toEqual(["ex_3"])
    expect(run([grown, unreviewed]).kept.map(({ id }) => id)).toEqual(["ex_2"])
    expect(reasons(run([grown, unreviewed, shorter, longer]))).toEqual([
      ["ex_1", "near-duplicate", "ex_4"],
      ["ex_2", "near-duplicate", "ex_4"],
      ["ex_3", "near-duplicate", "ex_4"],
    ])
  })
  test("of equally good rows the content decides, not the id", () => {
    const bodies = [
      "my card payment was declined in shop a",
      "my card payment was declined in shop b",
      "my card payment was declined in shop c",
    ]
    const keptOf = (ids: string[]) =>
      run(bodies.map((body, place) => rowOf(ids[place] ?? "", body))).kept.map(({ input }) => input)
    expect(keptOf(["ex_1", "ex_2", "ex_3"])).toHaveLength(1)
    expect(keptOf(["ex_3", "ex_2", "ex_1"])).toEqual(keptOf(["ex_1", "ex_2", "ex_3"]))
    expect(keptOf(["ex_2", "ex_3", "ex_1"])).toEqual(keptOf(["ex_1", "ex_2", "ex_3"]))
  })
  test("an exact duplicate with another output goes, a near one stays; both are told", () => {
    const result = run([
      rowOf("ex_1", "my card payment was declined in the shop", "billing"),
      rowOf("ex_2", "My card payment was declined in the shop", "other", { rank: { human: false, reviewed: false } }),
      rowOf("ex_3", "my card payment was declined in a shop", "shipping", { rank: { human: false, reviewed: true } }),
    ])
    expect(reasons(result)).toEqual([["ex_2", "conflict", "ex_1"]])
    expect(result.kept.map(({ id }) => id)).toEqual(["ex_1", "ex_3"])
    expect(result.conflicts).toEqual([
      {
        a: "ex_1",
        b: "ex_3",
        similarity: similarityOf("my card payment was declined in the shop", "my card payment was declined in a shop"),
      },
    ])
  })
  test("a near-duplicate goes for an agreeing row even when a more similar one disagrees", () => {
    const result = run([
      rowOf("ex_1", "my card payment was declined in the shop today again", "billing"),
      rowOf("ex_2", "my card payment was declined in the shop today", "shipping"),
      rowOf("ex_3", "my card payment was declined in the shop", "billing"),
    ])
    expect(reasons(result)).toEqual([["ex_3", "near-duplicate", "ex_1"]])
  })
  test("texts agree when they are similar", () => {
    const pair = (first: string, second: string) =>
      curate({
        task: textTask,
        candidates: [rowOf("ex_1", "where is my parcel now", first), rowOf("ex_2", "Where is  my parcel now", second)],
        heldOut: [],
        ...limits,
      }).dropped[0]?.reason
    expect(pair("It is on its way to you.", "It is on its way to you!")).toBe("exact-duplicate")
    expect(pair("It is on its way to you.", "It is on its way to you now.")).toBe("exact-duplicate")
    expect(pair("It is on its way to you.", "We have lost it, sorry.")).toBe("conflict")
    const [half, other] = ["It is on its way to you, we hope.", "It is on its way to you and will come soon."]
    expect(similarityOf(half, other)).toBeGreaterThan(0.3)
    expect(pair(half, other)).toBe("conflict")
  })
  test("a bucket of near rows that all differ in their outputs is kept whole", () => {
    const task = taskSchema.parse({
      task: "orders",
      kind: "json",
      description: "read",
      input: { body: {} },
      output: { schema: { type: "object" } },
    })
    const candidates = Array.from({ length: 400 }, (_, n) =>
      rowOf(`ex_${n}`, `please order ${n} of the large boxes and ship them to our warehouse in Rotterdam`, {
        count: n,
      }),
    )
    const result = curate({ task, candidates, heldOut: [], numbers: "drop", ...limits })
    expect([result.kept.length, result.conflicts.length]).toEqual([400, 399])
    expect(curate({ task, candidates, heldOut: [], ...limits })).toMatchObject({ dropped: [], conflicts: [] })
  })
})

describe("for any rows", () => {
  const labels = ["billing", "shipping", "other", "nonsense"]
  const made = (seed: number) => {
    const random = seeded(seed)
    const texts = textsWithCopies(90, seed)
    const rows = texts.map((text, place) =>
      rowOf(`ex_${place}`, random() < 0.03 ? "  " : text, labels[Math.floor(random() ** 2 * 4)], {
        rank: { human: random() < 0.5, reviewed: random() < 0.5 },
        provenance: {
          parents: random() < 0.3 ? [`seed_${Math.floor(random() * 40)}`, `seed_${Math.floor(random() * 40)}`] : [],
          strategy: "evolve",
          acceptedBy: "ann",
        },
      }),
    )
    const heldOut = rows
      .slice(0, 15)
      .map(({ id, input }) => ({ id: `ex_held${id}`, input: { body: String(input["body"]) } }))
    return { random, candidates: rows.slice(15), heldOut, heldOutIds: new Set(["seed_3", "seed_7", "seed_20"]) }
  }
  const seeds = fc.integer({ min: 1, max: 1e9 })

  test("a permutation gives the same, kept + dropped = read, and curating again drops nothing", () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(seeds, (seed) => {
        const { random, candidates, heldOut, heldOutIds } = made(seed)
        const result = run(candidates, heldOut, heldOutIds)
        for (const { reason } of result.dropped) seen.add(reason)
        const shuffle = <Item>(items: readonly Item[]) =>
          items
            .map((item) => ({ item, place: random() }))
            .sort((a, b) => a.place - b.place)
            .map(({ item }) => item)
        expect(run(shuffle(candidates), shuffle(heldOut), heldOutIds)).toEqual(result)
        expect([...result.kept, ...result.dropped].map(({ id }) => id).sort()).toEqual(
          candidates.map(({ id }) => id).sort(),
        )
        const ranks = new Map(candidates.map(({ id, rank }) => [id, rank]))
        const again = run(
          result.kept.map((row) => ({ ...row, rank: ranks.get(row.id) ?? { human: false, reviewed: false } })),
          heldOut,
          heldOutIds,
        )
        expect(again).toEqual({ kept: result.kept, dropped: [], conflicts: result.conflicts })
      }),
      { seed: 5, numRuns: 40 },
    )
    // The rows reach every reason that matters here.
    expect([...seen].sort()).toEqual([
      "conflict",
      "empty",
      "exact-duplicate",
      "invalid-output",
      "leak-exact",
      "leak-near",
      "lineage",
      "near-duplicate",
    ])
  })
  test(
    "no kept row is near a held-out one, nor near a kept one with the same output; each witness is near and " + "kept",
    () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const { candidates, heldOut, heldOutIds } = made(seed)
          const { kept, dropped } = run(candidates, heldOut, heldOutIds)
          const body = (row: { input: Record<string, unknown> }) => String(row.input["body"])
          for (const row of kept)
            for (const held of heldOut)
              if (body(held).trim() !== "") expect(similarityOf(body(row), body(held))).toBeLessThan(0.7)
          for (const [place, row] of kept.entries())
            for (const other of kept.slice(0, place))
              if (other.output === row.output) expect(similarityOf(body(row), body(other))).toBeLessThan(0.7)
          for (const row of dropped.filter(({ reason }) => reason.endsWith("duplicate"))) {
            const witness = kept.find(({ id }) => id === row.witness)
            expect(witness?.output).toBe(row.output)
            expect(similarityOf(body(row), witness ? body(witness) : "")).toBeCloseTo(row.similarity ?? NaN, 12)
          }
        }),
        { seed: 6, numRuns: 25 },
      )
    },
  )
})
