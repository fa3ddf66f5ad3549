import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { describe, expect, it } from "vitest"
import type { SplitPair } from "../../../src/core/rows/split-pairs.ts"
import type { Split } from "../../../src/core/rows/example.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { buildFrom } from "../../../src/stages/building/build-from.ts"
import { cardOf } from "../../../src/stages/versions/data-card.ts"
import { erase } from "../../../src/stages/versions/erase.ts"
import { SplitPairs } from "../../../src/store/rows/split-pairs.ts"
import { jaccard, corpusShingler, defaultThreshold } from "../../../src/curation/near/shingles.ts"
import { seeded } from "../../seeded.ts"
import { workspaceWith } from "../in-process.ts"

const messages = taskSchema.parse({
  ...{ task: "sms", kind: "label", description: "Sort", input: { text: {} } },
  output: { labels: { spam: "s", ham: "h", phishing: "p" } },
})

interface Row {
  readonly text: string
  readonly label: string
}
type Given = Readonly<Record<Split, readonly Row[]>>

async function taken(given: Given, task = messages) {
  const made = workspaceWith(task, { seeds: [] })
  const files = new Map<string, Split>()
  for (const [split, rows] of Object.entries(given) as [Split, readonly Row[]][]) {
    if (rows.length === 0) continue
    const file = join(made.folder, `${split}.jsonl`)
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    files.set(file, split)
  }
  const options = { files: [...files.keys()], splitOf: files, skipInvalid: false }
  const result = await buildFrom(made.context, task, options, { filters: [] })
  const pairs = new SplitPairs(made.rows.folder)
  const read = (file: string) =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as SplitPair)
  const told = ({ a, b }: SplitPair) =>
    [a, b].map(({ split, input, output }) => `${split}: ${String(input["text"])} = ${String(output)}`).join(" | ")
  return {
    ...{ ...made, result, pairs },
    same: () => read(pairs.sameOutputFile).map(told).sort(),
    other: () => read(pairs.otherOutputFile).map(told).sort(),
  }
}

const random = seeded(8)
const letter = (digit: string) => "abcdefghij"[Number(digit)] as string
// Without digits: texts with other numbers are never near.
const words = () =>
  Array.from({ length: 9 }, () => `w${String(Math.floor(random() * 9000)).replace(/\d/g, letter)}`).join(" ")
const rows = (count: number, label = "ham"): Row[] => Array.from({ length: count }, () => ({ text: words(), label }))

describe("the pairs between the splits of a data set", () => {
  it("are all in a file with both texts, those with another label apart", async () => {
    const [train, validation, test] = [rows(30), rows(6), rows(8)] as [Row[], Row[], Row[]]
    const [first, second, third, fourth] = test as [Row, Row, Row, Row]
    // Of one text two rows are near; a label differs; validation and test share one; a row stands in both files.
    train.push({ text: `${first.text}!`, label: "ham" }, { text: first.text.replace("w", "v"), label: "spam" })
    validation.push({ text: `${second.text} .`, label: "ham" }, { text: `${third.text}?`, label: "phishing" })
    train.push(fourth)
    const { same, other, result } = await taken({ train, validation, test })
    expect(same()).toEqual(
      [
        `train: ${first.text}! = ham | test: ${first.text} = ham`,
        `validation: ${second.text} . = ham | test: ${second.text} = ham`,
        `train: ${fourth.text} = ham | test: ${fourth.text} = ham`,
      ].sort(),
    )
    expect(other()).toEqual(
      [
        `train: ${train[31]?.text} = spam | test: ${first.text} = ham`,
        `validation: ${third.text}? = phishing | test: ${third.text} = ham`,
      ].sort(),
    )
    expect(result.pairs.between.map(({ a, b, pairs, otherOutput }) => [a, b, pairs, otherOutput]).sort()).toEqual([
      ["train", "test", 3, 1],
      ["validation", "test", 2, 1],
    ])
  })

  it("are those that comparing each row with each other finds", async () => {
    const pool = Array.from({ length: 6 }, words)
    const near = () => {
      const text = pool[Math.floor(random() * pool.length)] as string
      const last = String(Math.floor(random() * 99)).replace(/\d/g, letter)
      return `${text.replace(/[a-j]/g, (old) => (random() < 0.05 ? "h" : old))} w${last}`
    }
    const made = (count: number): Row[] => Array.from({ length: count }, () => ({ text: near(), label: "ham" }))
    // A text stands once in all of them: otherwise it would be one row.
    const all = [...new Map([...made(60), ...rows(20)].map((row) => [row.text, row])).values()]
    const given = { train: all.slice(20), validation: all.slice(0, 8), test: all.slice(8, 20) }
    const cut = corpusShingler(
      [...given.validation, ...given.test].map(({ text }) => text),
      [],
    )
    const isNear = (a: Row, b: Row) => jaccard(cut.of(a.text), cut.of(b.text)) >= defaultThreshold(cut.name)
    const expected = (["train", "validation"] as const).flatMap((from) =>
      given[from].flatMap((a) =>
        (from === "train" ? (["validation", "test"] as const) : (["test"] as const)).flatMap((to) =>
          given[to].flatMap((b) => (isNear(a, b) ? [`${from}: ${a.text} = ham | ${to}: ${b.text} = ham`] : [])),
        ),
      ),
    )
    expect(expected.length).toBeGreaterThan(20)
    expect((await taken(given)).same()).toEqual(expected.sort())
  })

  it("are told on the card beside the leaks that are none any more, and go with an erasure", async () => {
    const train = rows(10)
    const test = [{ text: `${train[0]?.text}!`, label: "spam" }, ...rows(4)]
    const made = await taken({ train, validation: [], test })
    const { text } = await cardOf(made.context, messages, made.result.built.manifest.id)
    expect(text).toContain(
      "Leaks into what is held out: 0, by lineage, exact, near, ngram. Found in what was read, and left out of train: " +
        "1 row (1 leak-near).",
    )
    expect(text).toContain("- 1 row of train and test: 1 pair, 1 of them with different outputs; left out of train.")
    const [seed] = made.rows.seeds()
    await erase(made.context, messages, { ids: [seed?.id as string], matching: undefined, why: undefined, yes: true })
    expect(existsSync(made.pairs.folder)).toBe(false)
  })

  it("are none where the splits have nothing in common", async () => {
    const { same, other, result, context } = await taken({ train: rows(10), validation: [], test: rows(4) })
    expect([same(), other(), result.pairs.between]).toEqual([[], [], []])
    const { text } = await cardOf(context, messages, result.built.manifest.id)
    expect(text).toContain("None was found in what was read.")
  })
})

const shared = new URL("../../../../shared/data/", import.meta.url)
const textOf = (file: string) => readFileSync(new URL(file, shared), "utf8")

function bankingRows(file: string): Row[] {
  const table = parse(textOf(`banking77/${file}`), { columns: true }) as { text: string; category: string }[]
  return table.map(({ text, category }) => ({ text, label: category }))
}

/** With the slots that the text fills as its label: many texts stand in both files, and several times. */
function restaurantRows(file: string): Row[] {
  const turns = JSON.parse(textOf(`restaurant8k/${file}`)) as {
    userInput: { text: string }
    labels?: { slot: string }[]
  }[]
  return turns.map(({ userInput: { text }, labels = [] }) => ({
    text,
    label: [...new Set(labels.map(({ slot }) => slot))].sort().join("-") || "none",
  }))
}

describe.skipIf(!existsSync(shared))("of real data sets the rows that validation and test share", () => {
  it.each([
    ["banking77", 7, () => [bankingRows("train.csv"), bankingRows("test.csv")]],
    ["restaurant8k", 158, () => [restaurantRows("train_0.json"), restaurantRows("test.json")]],
  ] as const)("of %s are in the report, row by row", { timeout: 120_000 }, async (_, equal, read) => {
    const [others, test] = read() as [Row[], Row[]]
    // Those to train on are of no interest here: the first of the other file, which the rest does not have.
    const train = others.slice(0, 50)
    const keyOf = ({ text, label }: Row) => `${text}\n${label}`
    const trained = new Set(train.map(keyOf))
    const unique = (all: readonly Row[]) => [...new Map(all.map((row) => [keyOf(row), row])).values()]
    const validation = unique(others.slice(50).filter((row) => !trained.has(keyOf(row))))
    const labels = [...new Set([...others, ...test].map(({ label }) => label))]
    const task = taskSchema.parse({
      ...messages,
      output: { labels: Object.fromEntries(labels.map((each) => [each, each])) },
    })
    const { same, other } = await taken({ train, validation, test }, task)
    const found = [...same(), ...other()].filter((pair) => pair.startsWith("validation: "))
    const rowsOf = new Set(found.map((pair) => pair.slice(0, pair.lastIndexOf(" | test: "))))
    const told = (text: string) => text.toLowerCase().replace(/\s+/g, " ").trim()
    const inTest = new Set(test.map(({ text }) => told(text)))
    const isShared = ({ text }: Row) => inTest.has(told(text))
    const reported = validation.filter(({ text, label }) => rowsOf.has(`validation: ${text} = ${label}`))
    expect(validation.filter(isShared)).toHaveLength(equal)
    expect(reported.filter(isShared)).toHaveLength(equal)
  })
})
