import { existsSync, readFileSync } from "node:fs"
import { parse } from "csv-parse/sync"
import { describe, expect, test } from "vitest"
import type { NumberRule } from "../../../src/core/task/number-rule.ts"
import { NearDuplicateIndex } from "../../../src/curation/holdout/near-duplicates.ts"
import { leakReport } from "../../../src/curation/leaks/leak-report.ts"
import { shingler } from "../../../src/curation/near/shingles.ts"
import { seeded } from "../../seeded.ts"
import { curate, labelTask, rowOf } from "./made-texts.ts"

const random = seeded(16)
const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item
const many = (count: number, make: () => string) => {
  const texts = new Set<string>()
  while (texts.size < count) texts.add(make())
  return [...texts]
}
const vocabulary = many(2000, () =>
  Array.from({ length: 4 + Math.floor(random() * 5) }, () => pick([..."etaoinshrdlu"])).join(""),
)
const words = (count: number) => Array.from({ length: count }, () => pick(vocabulary)).join(" ")
const letters = (count: number, from: string) => Array.from({ length: count }, () => pick([...from])).join("")

const prompt =
  "You are a careful assistant of a large bank and you read the message that a customer has written below, then you " +
  "answer with the name of the one team that shall handle it and nothing else at all. Here is the message:"
const translate = "Please translate the sentence that follows into good French, and write nothing but the translation:"
const thai = "กรุณาอ่านข้อความของลูกค้าด้านล่างนี้อย่างละเอียดแล้วตอบด้วยชื่อของทีมที่ควร" + "จัดการเรื่องนี้เพียงทีมเดียวเท่านั้นห้ามตอบอย่างอื่น"
const thaiLetters = "กขคงจฉชซญดตถทธนบปผพฟมยรลวสหอ"
const arabic =
  "يرجى قراءة رسالة العميل أدناه بعناية ثم الإجابة باسم الفريق الوحيد الذي يجب أن يتولى هذا الأمر والرسالة هي"
const arabicLetters = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
const chinese = "请仔细阅读下面这位客户发来的消息并只回答应当由哪一个团队来处理这件事情除此之外不要写任何其他内容"
const chineseLetters = "我的银行卡在取款机里被吞了怎么办呢请问客服电话是多少可以帮忙查询余额吗谢谢转账失败"

/** The texts that the first of near ones leave. */
function keptOf(texts: readonly string[], numbers?: NumberRule): string[] {
  const index = new NearDuplicateIndex(shingler(texts, numbers))
  return texts.filter((text, place) => {
    if (index.findNear(text) !== undefined) return false
    index.add(String(place), text)
    return true
  })
}

describe("what differs decides, however short it is:", () => {
  const parts = prompt.split(" ")
  test.each([
    ["three words after a prompt", () => many(3000, () => `${prompt} ${words(3)}`)],
    ["one word after a prompt", () => vocabulary.slice(0, 200).map((word) => `${prompt} ${word}`)],
    ["three words before it", () => many(1000, () => `${words(3)} ${prompt}`)],
    [
      "three words anywhere in it",
      () => many(1000, () => parts.toSpliced(Math.floor(random() * parts.length), 0, words(3)).join(" ")),
    ],
    ["three words, with the prompt or without", () => many(1000, () => `${random() < 0.5 ? prompt : ""} ${words(3)}`)],
    ["three words over two prompts", () => many(1000, () => `${random() < 0.5 ? prompt : translate} ${words(3)}`)],
    [
      "three words over a prompt, beside long texts",
      () => [...many(500, () => `${prompt} ${words(3)}`), ...many(500, () => words(60))],
    ],
    ["the prompt in few rows", () => many(15, () => `${prompt} ${words(3)}`)],
    ["nine letters after a Thai template", () => many(5000, () => thai + letters(9, thaiLetters))],
    ["nine letters before it", () => many(500, () => letters(9, thaiLetters) + thai)],
    ["eight letters after an Arabic template", () => many(1000, () => `${arabic} ${letters(8, arabicLetters)}`)],
    ["four letters after a Chinese template", () => many(1000, () => chinese + letters(4, chineseLetters))],
    ["a letter", () => [..."abcdefghijklmnopqrstuvwxyz"].map((size) => `Do you have this dress in size ${size} too?`)],
    ["a number", () => Array.from({ length: 2000 }, (_, n) => `Where is my order ${1000 + n}?`)],
    [
      "a number in a longer sentence",
      () =>
        Array.from(
          { length: 2000 },
          (_, n) => `Could you please tell me where my order ${1000 + n} has got to, since it should be here?`,
        ),
    ],
    ["a number in few rows", () => Array.from({ length: 5 }, (_, n) => `Please send invoice ${70 + n} again today.`)],
    ["an identifier", () => Array.from({ length: 50 }, (_, n) => `The printer in room B-${n}c does not print.`)],
    [
      "a version",
      () => ["1.2.3", "12.3", "1.23", "1.2.4"].map((it) => `It broke when I updated to version ${it} today`),
    ],
    ["a number of another script", () => ["١١٨٢", "١١٨٣", "١١٩٣"].map((it) => `أين هو طلبي رقم ${it} من فضلكم اليوم`)],
  ])("%s", (_, make) => {
    const texts = make()
    expect(keptOf(texts)).toEqual(texts)
  })
})

describe("what does not differ is found,", () => {
  test("over a prompt as without one: of queries with one edit as many", () => {
    const queries = many(600, () => words(9))
    const edited = queries.map((query) => {
      const at = 1 + Math.floor(random() * 7)
      return query
        .split(" ")
        .map((word, place) => (place === at ? `${word.slice(0, 2)}q${word.slice(3)}` : word))
        .join(" ")
    })
    for (const lead of ["", `${prompt}\n`]) {
      const index = new NearDuplicateIndex(queries.map((query) => lead + query))
      for (const [place, query] of queries.entries()) index.add(String(place), lead + query)
      const found = edited.filter((query, place) => index.findNear(lead + query)?.id === String(place))
      expect(found.length).toBeGreaterThan(560)
    }
  })
  test("also where a letter of the prompt is another one", () => {
    const bodies = many(300, () => words(8))
    const index = new NearDuplicateIndex(bodies.map((body) => `${prompt} ${body}`))
    for (const [place, body] of bodies.entries()) index.add(String(place), `${prompt} ${body}`)
    const found = bodies.filter(
      (body, place) => index.findNear(`${prompt.replace("careful", "carefxl")} ${body}`)?.id === String(place),
    )
    expect(found).toHaveLength(300)
  })
  test("and texts that are nothing but a template are compared whole", () => {
    const texts = many(100, () => `${prompt} ${words(3)}`)
    const index = new NearDuplicateIndex(texts)
    index.add("bare", prompt)
    expect(index.findNear(prompt.toUpperCase())).toEqual({ id: "bare", similarity: 1 })
    expect(index.findNear(texts[0] as string)).toBeUndefined()
  })
})

test("numbers that count as one make rows that differ in them alone near-duplicates", () => {
  const orders = Array.from({ length: 300 }, (_, n) => `Where is my order ${n * 7} of the ${n % 28}th?`)
  expect(keptOf(orders, "drop")).toEqual([orders[0]])
  expect(keptOf(orders)).toEqual(orders)
  const long = Array.from({ length: 40 }, (_, n) => `${prompt} ${words(40)} ticket A-${n}`)
  expect(keptOf([...long, ...long.map((text) => text.replace(/A-\d+/, "B17"))], "drop")).toHaveLength(
    // The letter before the number differs, which is one of forty words.
    40,
  )
})

describe("the witness and the clean-up judge alike", () => {
  const bodyOf = ({ input }: { readonly input: Record<string, unknown> }) => String(input["body"])
  test.each(["keep", "drop"] as const)("over templates, with numbers: %s", (numbers) => {
    const fresh = () =>
      `${pick([prompt, translate, ""])} ${words(4 + Math.floor(random() * 4))} ${pick(["", "", "7", "a17", "-5 %"])}`
    const held = many(80, fresh)
    const copies = held.map((text) => text.replace(/[a-z]+$/, "x").replace("7", () => pick(["7", "8"])))
    const rows = [...copies, ...many(150, fresh)].map((body, place) => rowOf(`ex_${place}`, body))
    const heldOut = held.map((body, place) => ({ id: `held_${place}`, input: { body } }))
    const options = { task: labelTask, heldOut, numbers, ngram: 200 }
    const { kept, dropped } = curate({ ...options, candidates: rows, maxLength: 2000 })
    expect(leakReport({ ...options, train: kept }).found).toEqual([])
    const leaks = leakReport({ ...options, train: rows }).found
    const near = leaks.filter(({ check }) => check === "near")
    const exact = new Set(leaks.flatMap(({ check, train }) => (check === "exact" ? [train] : [])))
    const leaked = dropped.filter(({ reason }) => reason === "leak-near")
    expect(leaked.map(({ id, similarity }) => [id, similarity])).toEqual(
      near.flatMap(({ train, similarity }) => (exact.has(train) ? [] : [[train, similarity]])),
    )
    expect(near.length).toBeGreaterThan(40)
    const isOther = ({ id, witness }: { id: string; witness?: string | undefined }) => {
      const text = bodyOf(rows.find((row) => row.id === id) as (typeof rows)[number])
      const other = held[Number(witness?.slice(5))] as string
      return (text.match(/\S*\d\S*/g) ?? []).join() !== (other.match(/\S*\d\S*/g) ?? []).join()
    }
    expect(leaked.some(isOther)).toBe(numbers === "drop")
  })
})

const banking = new URL("../../../../shared/data/banking77/train.csv", import.meta.url)
test.skipIf(!existsSync(banking))("of the queries of banking77 with one edit each 86 in 100 are found", () => {
  const queries = [
    ...new Set(
      parse(readFileSync(banking, "utf8"), { columns: true }).map((row: unknown) =>
        (row as { text: string }).text.trim(),
      ),
    ),
  ] as string[]
  const used = queries.slice(0, 3000).flatMap((query) => query.split(/\s+/))
  const edit = (query: string) => {
    const all = query.split(" ")
    const at = Math.floor(random() * all.length)
    const word = all[at] as string
    const letter = Math.floor(random() * word.length)
    const typo = word.slice(0, letter) + pick([..."abcdefghijklmnopqrstuvwxyz"]) + word.slice(letter + 1)
    return pick([
      all.with(at, typo),
      all.toSpliced(at, 1),
      all.toSpliced(at, 0, pick(used)),
      all.with(at, pick(used)),
    ]).join(" ")
  }
  const index = new NearDuplicateIndex(queries)
  for (const [place, query] of queries.entries()) index.add(String(place), query)
  const tried = queries.filter((_, place) => place % 4 === 0)
  const found = tried.filter((query, place) =>
    index.findAllNear(edit(query)).some(({ id }) => id === String(place * 4)),
  )
  expect(found.length / tried.length).toBeGreaterThan(0.86)
})
