import { existsSync, readFileSync } from "node:fs"
import { parse } from "csv-parse/sync"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { commonRuns } from "../../../src/curation/leaks/common-runs.ts"
import { NgramIndex } from "../../../src/curation/leaks/ngram-overlap.ts"
import { leakReport } from "../../../src/curation/leaks/leak-report.ts"
import { curate, labelTask, rowOf, textsWithCopies } from "../near/made-texts.ts"
import { seeded } from "../../seeded.ts"

test("finds a run of n folded words anywhere, and no shorter one", () => {
  const index = new NgramIndex(5)
  index.add("long", "Please tell me: where is my new card?")
  expect(index.find("hello, WHERE is my new card today")).toBe("long")
  expect(index.find("hello: where is my new, card today")).toBeUndefined()
  expect(index.find("hello where is my new phone today")).toBeUndefined()
})

test("does not index a text shorter than n words", () => {
  const index = new NgramIndex(5)
  index.add("short", "where is my card")
  expect(index.find("where is my card")).toBeUndefined()
})

test("names the smallest id, whatever the order", () => {
  const [first, second] = [new NgramIndex(3), new NgramIndex(3)]
  const held = [
    ["b", "one two three"],
    ["a", "nine one two three"],
    ["c", "seven eight nine"],
  ] as const
  for (const [id, text] of held) first.add(id, text)
  for (const [id, text] of held.toReversed()) second.add(id, text)
  expect([first.find("seven eight nine one two three"), second.find("seven eight nine one two three")]).toEqual([
    "a",
    "a",
  ])
})

test("agrees with a search for every window of words", () => {
  const sentence = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 16 }).map((words) => words.join(" "))
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 8 }), sentence, sentence, (n, held, text) => {
      const index = new NgramIndex(n)
      index.add("x", held)
      const words = held.split(" ")
      const shares = words.some(
        (_, start) => start + n <= words.length && ` ${text} `.includes(` ${words.slice(start, start + n).join(" ")} `),
      )
      expect(index.find(text) !== undefined).toBe(shares)
    }),
    { seed: 4, numRuns: 600 },
  )
})

const prompt =
  "You are a helpful assistant of our bank. Read the message of the customer below and answer with the " +
  "name of the one team that shall handle it."

function madeWords(count: number, random: () => number): string {
  return Array.from({ length: count }, () => `w${Math.floor(random() * 3000)}`).join(" ")
}

describe("a template", () => {
  const random = seeded(21)
  const bodies = Array.from({ length: 400 }, () => madeWords(30, random))
  const copied = bodies[3] as string

  test.each([
    ["long", prompt],
    ["somewhat shorter than n", "Message of a customer of our small shop today:"],
  ])("that is %s makes no leak of any row over it, but what a body shares does", (_, template) => {
    const over = (body: string) => `${template} ${body}`
    const heldOut = bodies.slice(0, 40).map((body, place) => ({ id: `held_${place}`, input: { body: over(body) } }))
    const train = [
      ...bodies.slice(40).map((body, place) => rowOf(`ex_${place}`, over(body))),
      rowOf(
        "ex_leak",
        over(`${madeWords(16, random)} ${copied.split(" ").slice(5, 19).join(" ")} ${madeWords(16, random)}`),
      ),
    ]
    const options = { task: labelTask, heldOut, ngram: 13 }
    const { kept, dropped } = curate({ ...options, candidates: train, maxLength: 2000 })
    expect(dropped.map(({ id, reason, witness }) => [id, reason, witness])).toEqual([
      ["ex_leak", "leak-ngram", "held_3"],
    ])
    expect(kept).toHaveLength(360)
    expect(leakReport({ ...options, train: kept }).found).toEqual([])
    expect(leakReport({ ...options, train }).found.map(({ check, train: id }) => [check, id])).toEqual([
      ["ngram", "ex_leak"],
    ])
  })

  test("in few of many rows is one of several templates, when these are much of all that is said", () => {
    const over = bodies.map((body, place) => `${madeWords(25, seeded(place % 10))} ${body}`)
    const index = new NgramIndex(13, commonRuns(over, 13))
    for (const [place, text] of over.slice(0, 100).entries()) index.add(String(place), text)
    for (const text of over.slice(100)) expect(index.find(text)).toBeUndefined()
    for (const [place, text] of over.slice(0, 100).entries()) expect(index.find(text)).toBe(String(place))
  })

  test("is not what a small set shares, nor one text in many versions", () => {
    const small = bodies.slice(0, 15).map((body) => `${prompt} ${body}`)
    const versions = [
      ...bodies.slice(0, 380),
      ...Array.from({ length: 12 }, (_, place) => `${place} ${copied} and ${place * 7} again`),
    ]
    for (const corpus of [small, versions]) {
      const index = new NgramIndex(13, commonRuns(corpus, 13))
      index.add("last", corpus.at(-1) as string)
      expect(index.find(corpus.at(-2) as string)).toBe("last")
    }
    const many = Array.from({ length: 3000 }, () => madeWords(30, random))
    const index = new NgramIndex(
      13,
      commonRuns([...many, ...Array.from({ length: 40 }, (_, place) => `${place} ${copied}`)], 13),
    )
    index.add("version", `x ${copied}`)
    expect(index.find(`${copied} y`)).toBe("version")
  })

  test("is judged the same whatever the order, and takes nothing from a set that has none", () => {
    let covered = 0
    const text = fc.array(fc.constantFrom("a", "b"), { minLength: 4, maxLength: 14 }).map((words) => words.join(" "))
    fc.assert(
      fc.property(fc.array(text, { minLength: 20, maxLength: 60 }), text, (texts, asked) => {
        const marks = (corpus: readonly string[]) => commonRuns(corpus, 6).covered(asked.split(" "))
        expect(marks(texts.toReversed())).toEqual(marks(texts))
        expect(marks([...texts, ...texts])).toEqual(marks(texts))
        // Brute force: a run of four that at least 20 different texts have, and a twentieth of them or much of what is
        // said.
        const different = [...new Set(texts)]
        const words = asked.split(" ")
        const has = (start: number) =>
          different.filter((other) => ` ${other} `.includes(` ${words.slice(start, start + 4).join(" ")} `)).length
        const least = Math.max(20, Math.ceil(0.05 * different.length))
        const expected = words.map((_, place) =>
          [0, 1, 2, 3].some(
            (back) => place - back >= 0 && place - back + 4 <= words.length && has(place - back) >= least,
          ),
        )
        expect(marks(texts)).toEqual(expected)
        covered += expected.filter(Boolean).length
      }),
      { seed: 5, numRuns: 200 },
    )
    expect(covered).toBeGreaterThan(50)
    for (const count of [10, 100, 1000])
      expect(commonRuns(textsWithCopies(count, 4), 13).covered(prompt.split(" "))).not.toContain(true)
    expect(commonRuns([], 13).covered(["a"])).toEqual([false])
  })

  const banking = new URL("../../../../shared/data/banking77/train.csv", import.meta.url)
  test.skipIf(!existsSync(banking))("is nothing in banking77, whole or a hundred rows of it", () => {
    const texts = parse(readFileSync(banking, "utf8"), { columns: true }).map(
      (row: unknown) => (row as { text: string }).text,
    ) as string[]
    for (const some of [texts, texts.slice(0, 100), texts.filter((_, place) => place % 100 === 0)]) {
      const common = commonRuns(some, 13)
      expect(some.filter((text) => common.covered(text.split(" ")).includes(true))).toEqual([])
    }
  })
})
