import { existsSync, readFileSync } from "node:fs"
import { parse } from "csv-parse/sync"
import { describe, expect, test } from "vitest"
import { boilerplateOf, sampleOf } from "../../../src/curation/near/boilerplate.ts"
import { leakReport } from "../../../src/curation/leaks/leak-report.ts"
import { NearDuplicateIndex } from "../../../src/curation/holdout/near-duplicates.ts"
import { shingler } from "../../../src/curation/near/shingles.ts"
import { curate, labelTask, rowOf, textsWithCopies } from "./made-texts.ts"
import { seeded } from "../../seeded.ts"

const banking = new URL("../../../../shared/data/banking77/train.csv", import.meta.url)
const prompt =
  "You are a helpful assistant of our bank. Read the message of the customer below and answer with the " +
  "name of the one team that shall handle it."

describe("boilerplate", () => {
  test("is what a template says, and the texts are then judged by their own words", () => {
    const random = seeded(8)
    const own = () => Array.from({ length: 14 }, () => `w${Math.floor(random() * 5000)}`).join(" ")
    const bodies = Array.from({ length: 3000 }, own)
    const copy = `${bodies[7]} please`
    const corpus = [...bodies, copy].map((body) => `${prompt}\n\n${body}`)
    const index = new NearDuplicateIndex(corpus)
    // What is left beside the prompt is short.
    expect(index.shingler.name).toBe("char-4")
    expect(index.shingler.boilerplate.length).toBeGreaterThan(100)
    const near = corpus.flatMap((text, place) => {
      const found = index.findNear(text)
      index.add(String(place), text)
      return found ? [[place, found.id]] : []
    })
    expect(near).toEqual([[3000, "7"]])
  })
  test("of short texts is as well, in any writing", () => {
    const random = seeded(9)
    const words = (count: number, letters: string) =>
      Array.from({ length: count }, () =>
        Array.from({ length: 5 }, () => letters[Math.floor(random() * letters.length)]).join(""),
      )
    for (const [lead, letters, glue] of [
      ["Which team shall handle this message of a customer? Message: ", "abcdefghijklmnopqrstuvwxyz", " "],
      [
        "请阅读下面这位客户发来的消息并回答应当由哪一个团队来处理它消息",
        "我的银行卡在取款机里被吞了怎么办呢请问客服电话是多少可以帮忙查询余额吗谢谢转账失败",
        "",
      ],
    ] as const) {
      const corpus = Array.from({ length: 200 }, () => lead + words(5, letters).join(glue))
      expect(shingler(corpus).name).toBe("char-4")
      const index = new NearDuplicateIndex(corpus)
      index.add("a", corpus[0] as string)
      expect(shingler(corpus).boilerplate.length).toBeGreaterThan(0)
      for (const text of corpus.slice(1)) expect(index.findNear(text)).toBeUndefined()
      expect(index.findNear(`${corpus[0]}。`)?.similarity).toBeGreaterThan(0.7)
    }
  })
  test("is not what small sets on one subject have in common", () => {
    for (const count of [10, 100, 1000, 2000])
      expect(boilerplateOf(textsWithCopies(count, 4), "char-4")).toHaveLength(0)
    const copies = Array.from({ length: 500 }, () => prompt)
    expect(boilerplateOf(copies, "word-5")).toHaveLength(0)
    expect(boilerplateOf([], "char-4")).toHaveLength(0)
  })
  test.skipIf(!existsSync(banking))("is nothing in banking77, whole or a hundred rows of it", () => {
    const texts = parse(readFileSync(banking, "utf8"), { columns: true }).map(
      (row: unknown) => (row as { text: string }).text,
    )
    expect(texts.length).toBeGreaterThan(10_000)
    // The file is in the order of its labels: the first hundred are on one subject.
    for (const some of [texts, texts.slice(0, 100), texts.filter((_, place) => place % 100 === 0)])
      for (const shingles of ["char-4", "word-5"] as const) expect(boilerplateOf(some, shingles)).toHaveLength(0)
  })
  test("does not depend on the order, also of a sample", () => {
    const texts = Array.from({ length: 25_000 }, (_, n) => `${prompt} ${n} ${n * 7} ${n * 13}`)
    const sample = sampleOf(texts)
    expect(sample.length).toBeGreaterThan(15_000)
    expect(sample.length).toBeLessThan(22_000)
    expect(new Set(sampleOf(texts.toReversed()))).toEqual(new Set(sample))
    expect(boilerplateOf(sample.toReversed(), "word-5")).toEqual(boilerplateOf(sample, "word-5"))
  })
  test("rows over one template are neither duplicates nor leaks of one another", () => {
    const random = seeded(12)
    const rows = Array.from({ length: 300 }, (_, n) =>
      rowOf(`ex_${n}`, `${prompt} ${Array.from({ length: 14 }, () => `w${Math.floor(random() * 5000)}`).join(" ")}`),
    )
    const heldOut = rows
      .slice(0, 60)
      .map(({ id, input }) => ({ id: `held_${id}`, input: { body: String(input["body"]) } }))
    const train = rows.slice(60)
    const { kept } = curate({ task: labelTask, candidates: train, heldOut, ngram: 60, maxLength: 1000 })
    expect(kept).toHaveLength(240)
    expect(leakReport({ task: labelTask, train: kept, heldOut, ngram: 60 }).found).toEqual([])
  })
})
