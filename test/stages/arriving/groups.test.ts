import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { DataError } from "../../../src/core/errors.ts"
import type { Seed } from "../../../src/core/rows/example.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { build } from "../../../src/stages/building/build.ts"
import { sourcesOf } from "../../../src/stages/growing/expand.ts"
import { refreshHoldout } from "../../../src/stages/arriving/refresh-holdout.ts"
import { Versions } from "../../../src/store/rows/versions.ts"
import { erase } from "../../../src/stages/versions/erase.ts"
import { columnNotices, columnNoticesOf, likelyNotice } from "../../../src/stages/arriving/column-notices.ts"
import { importInputs, importSeeds, type ImportOptions } from "../../../src/stages/arriving/import-rows.ts"
import { seeded } from "../../seeded.ts"
import { workspaceWith } from "../in-process.ts"

function shop(holdout: object, input: object = { body: {} }): TaskSpecification {
  return taskSchema.parse({
    ...{ task: "shop", kind: "label", description: "Sort", input, holdout },
    output: { labels: { delivery: "parcels", return: "sending back" } },
  })
}

interface Flat {
  readonly customer: string
  readonly received: string
  readonly body: string
  readonly label: string
}

/** Texts of words of their own, from so many customers. */
function madeRows(count: number, customers: number, seed = 5): Flat[] {
  const random = seeded(seed)
  const word = () => `w${Math.floor(random() * 100_000)}`
  return Array.from({ length: count }, () => ({
    customer: `c-${Math.floor(random() * customers)}`,
    received: new Date(Date.UTC(2026, 0, 1 + Math.floor(random() * 300))).toISOString().slice(0, 10),
    body: Array.from({ length: 8 }, word).join(" "),
    label: random() < 0.3 ? "return" : "delivery",
  }))
}

function workspace(task: TaskSpecification) {
  const made = workspaceWith(task, { seeds: [] })
  let files = 0
  const put = (rows: readonly object[], name = `${files++}.jsonl`) => {
    const file = join(made.folder, name)
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    return file
  }
  const take = (rows: readonly object[], options: Partial<ImportOptions> = {}, as = task) =>
    importSeeds(made.context, as, [put(rows)], { skipInvalid: false, ...options })
  const splitOf = () => new Map(made.rows.assignments().map(({ id, split }) => [id, split]))
  return { ...made, put, take, splitOf }
}

/** The splits of each customer, as they stand. */
function splitsByCustomer({ rows, splitOf }: ReturnType<typeof workspace>): Map<string, Set<string>> {
  const splits = splitOf()
  const found = new Map<string, Set<string>>()
  for (const { id, columns } of rows.seeds()) {
    const customer = columns?.["customer"] ?? ""
    found.set(customer, (found.get(customer) ?? new Set()).add(splits.get(id) as string))
  }
  return found
}

describe("holdout.groupBy", () => {
  it("keeps a customer in one split, also with rows that arrive later", async () => {
    const made = workspace(shop({ groupBy: "customer" }))
    const first = await made.take(madeRows(200, 30))
    expect(first.split.groups).toMatchObject({ column: "customer", groups: 30, without: 0, across: 0 })
    const before = made.splitOf()
    const later = await made.take(madeRows(60, 40, 6))
    expect(later.split.groups).toMatchObject({ groups: 38, across: 0 })
    for (const [id, split] of before) expect(made.splitOf().get(id)).toBe(split)
    for (const splits of splitsByCustomer(made).values()) expect(splits.size).toBe(1)
    expect(columnNotices(later.split)[0]).toMatch(/^38 groups by customer, of \d+ rows in the middle and \d+ at most$/)
  })

  it("wants more test rows, for those of a customer say less than others", async () => {
    const made = workspace(shop({ groupBy: "customer" }))
    const { split } = await made.take(madeRows(100, 10))
    const alone = await workspace(shop({})).take(madeRows(100, 10))
    expect(split.testNeeded).toBeGreaterThan(3 * alone.split.testNeeded)
    expect(split.tooFew).toContain("Rows of one group say less than others")
    const unlike = await workspace(shop({ groupBy: "customer", groupCorrelation: 0 })).take(madeRows(100, 10))
    expect(unlike.split.testNeeded).toBe(alone.split.testNeeded)
  })

  it.each<[string, TaskSpecification, (row: Flat) => object, Partial<ImportOptions>]>([
    [
      "a key of {input, output}",
      shop({ groupBy: "customer" }),
      ({ body, label, customer }) => ({ input: { body }, output: label, customer }),
      {},
    ],
    [
      "a column in another case",
      shop({ groupBy: "customer" }),
      ({ body, label, customer }) => ({ body, label, Customer: customer }),
      {},
    ],
    [
      "a column of another name",
      shop({ groupBy: "customer" }),
      ({ body, label, customer }) => ({ body, label, "Kd-Nr": customer }),
      { columns: new Map([["customer", "Kd-Nr"]]) },
    ],
    [
      "an input field",
      shop({ groupBy: "customer" }, { body: {}, customer: {} }),
      ({ body, label, customer }) => ({ input: { body, customer }, output: label }),
      {},
    ],
    [
      "a number",
      shop({ groupBy: "customer" }),
      ({ body, label, customer }) => ({ body, label, customer: Number(customer.slice(2)) }),
      {},
    ],
    [
      "the source",
      shop({ groupBy: "source" }),
      ({ body, label, customer }) => ({ input: { body }, output: label, source: customer }),
      {},
    ],
  ])("may be %s", async (_, task, rowOf, options) => {
    const made = workspace(task)
    const rows = madeRows(40, 5)
    const { split } = await made.take(rows.map(rowOf), options)
    expect(split.groups).toMatchObject({ groups: 5, without: 0, across: 0 })
    const kept = new Set(made.rows.seeds().map(({ columns }) => columns?.[task.holdout.groupBy as string]))
    expect(kept.size).toBe(5)
  })

  it("a file without the column is refused, for its rows could be held out anywhere", async () => {
    const made = workspace(shop({ groupBy: "customer" }))
    const without = madeRows(4, 2).map(({ body, label }) => ({ body, label }))
    await expect(made.take(without)).rejects.toThrow(DataError)
    await expect(made.take(without)).rejects.toThrow(/lacks a column that decides where its rows are held/)
    expect(made.rows.seeds()).toEqual([])
    // A row may be nobody's.
    const { split } = await made.take([{ ...without[0], customer: "" }, ...madeRows(9, 2, 8)])
    expect(split.groups).toMatchObject({ without: 1, groups: 2 })
  })

  it("rows that are there get their customer when their file is imported again, and keep it", async () => {
    const made = workspace(shop({}))
    const rows = madeRows(20, 4)
    await made.take(rows)
    expect(made.rows.seeds().some(({ columns }) => columns !== undefined)).toBe(false)
    const named = shop({ groupBy: "customer" })
    expect(columnNoticesOf(made.context.workspace, named).join("\n")).toContain("import the files again")
    const again = await made.take(rows, {}, named)
    expect(again).toMatchObject({ added: 0, corrected: 20, unchanged: 0 })
    expect(await made.take(rows, {}, named)).toMatchObject({ corrected: 0, unchanged: 20 })
    // The same words of somebody else are no reason to move a row.
    const [first] = rows as [Flat]
    const other = await made.take([{ ...first, customer: "c-99" }], {}, named)
    expect(other).toMatchObject({ added: 0, corrected: 0 })
    const ofKey = { input: { body: "one two three four" }, output: "return" }
    await made.take([{ ...ofKey, id: "k1", customer: "c-1" }], {}, named)
    expect(await made.take([{ ...ofKey, id: "k1", customer: "c-2" }], {}, named)).toMatchObject({ corrected: 1 })
    expect(made.rows.seeds().find(({ key }) => key === "k1")?.columns).toEqual({ customer: "c-2" })
  })

  it("customers that are in train and in test since before are named", async () => {
    const made = workspace(shop({}))
    await made.take(madeRows(40, 3))
    const named = shop({ groupBy: "customer" })
    const { split } = await made.take(madeRows(40, 3), {}, named)
    expect(split.groups?.across).toBe(3)
    expect(columnNoticesOf(made.context.workspace, named).join("\n")).toContain(
      "3 groups have rows in train and rows that are held out",
    )
  })

  it("shows no model what the column says", async () => {
    const task = shop({ groupBy: "customer", newestBy: "received" })
    const made = workspace(task)
    const secret = (row: Flat) => ({
      ...row,
      customer: `secret-${row.customer}`,
      received: `${row.received}T11:22:33Z`,
    })
    await made.take(madeRows(60, 30).map(secret))
    const inputs = madeRows(40, 30, 9).map(({ label: _, ...row }) => secret(row as Flat))
    await importInputs(made.context, task, [made.put(inputs)], { skipInvalid: false })
    const sources = sourcesOf(made.context, task, [])
    expect(sources.seeds.length * sources.inputs.length).toBeGreaterThan(0)
    expect(JSON.stringify([sources.seeds, sources.inputs])).not.toMatch(/secret|11:22:33/)
  })

  it("lets an erasure find all rows of one customer by name", async () => {
    const made = workspace(shop({ groupBy: "customer" }))
    await made.take(madeRows(40, 6).map((row) => ({ ...row, customer: `${row.customer}@example.com` })))
    const of = made.rows.seeds().filter(({ columns }) => columns?.["customer"] === "c-3@example.com")
    const options = { ids: [], matching: "c-3@example.com", why: undefined, yes: true }
    const erased = await erase(made.context, shop({ groupBy: "customer" }), options)
    expect(erased.rows.map(({ id }) => id).sort()).toEqual(of.map(({ id }) => id).sort())
    expect(readFileSync(made.rows.seedsFile, "utf8")).not.toContain("c-3@example.com")
  })

  it("gives a worn test set whole groups that no model was trained on", async () => {
    const task = shop({ groupBy: "customer" })
    const made = workspace(task)
    await made.take(madeRows(150, 25))
    const { holdout, manifest } = await build(made.context, task, [])
    await made.context.ledger().openings.record({ task: "shop", holdout: holdout.id, evaluation: "e1", purpose: "t" })
    const versions = new Versions(made.context.workspace, "shop")
    const groups = (file: "train.jsonl" | "test.jsonl", id: Parameters<typeof versions.rows>[0]) =>
      new Set([...versions.each(id as typeof manifest.id, file as "train.jsonl")].map((row) => row.provenance.group))
    const trained = groups("train.jsonl", manifest.id)
    // More of customers that are trained on, and new ones.
    await made.take([
      ...madeRows(30, 25, 31),
      ...madeRows(90, 20, 32).map((row) => ({ ...row, customer: `n${row.customer}` })),
    ])
    const options = { force: true, release: false, why: undefined, yes: true }
    const refreshed = await refreshHoldout(made.context, task, options)
    expect(refreshed.fresh).toBeGreaterThan(10)
    const second = await build(made.context, task, [])
    const tested = groups("test.jsonl", second.holdout.id as unknown as typeof manifest.id)
    expect([...tested].filter((group) => trained.has(group))).toEqual([])
    const now = groups("train.jsonl", second.manifest.id)
    expect([...tested].filter((group) => now.has(group))).toEqual([])
    expect(second.witness.found).toEqual([])
  })

  it("real inputs are in the group's split as well", async () => {
    const made = workspace(shop({ groupBy: "customer" }))
    await made.take(madeRows(60, 8))
    const inputs = madeRows(40, 8, 9).map(({ body, customer }) => ({ input: { body }, customer }))
    await importInputs(made.context, shop({ groupBy: "customer" }), [made.put(inputs)], { skipInvalid: false })
    const splits = made.splitOf()
    const byCustomer = new Map<string, Set<string>>()
    for (const { id, columns } of [...made.rows.seeds(), ...made.rows.inputs()]) {
      const customer = columns?.["customer"] as string
      byCustomer.set(customer, (byCustomer.get(customer) ?? new Set()).add(splits.get(id) as string))
    }
    for (const of of byCustomer.values()) expect(of.size).toBe(1)
  })
})

describe("a column that looks like a group", () => {
  it.each(["customer_id", "threadId", "doc", "URL", "Conversation ID", "source_url", "ticket no"])(
    "%s is named where nobody named it",
    async (column) => {
      const made = workspace(shop({}))
      const rows = madeRows(20, 4).map(({ body, label, customer }) => ({ body, label, [column]: customer }))
      const { likelyGroups } = await made.take(rows)
      expect(likelyGroups).toEqual([{ column, groups: 4, rows: 20 }])
      expect(likelyNotice(likelyGroups[0] as (typeof likelyGroups)[number])).toContain(`holdout.groupBy: ${column}`)
    },
  )

  it("is none where its values do not come again, or its name says something else", async () => {
    const made = workspace(shop({}))
    const rows = madeRows(20, 4).map(({ body, label, customer }, at) => {
      return { body, label, ticket: at, priority: customer, channel_type: customer, customer: "all one" }
    })
    expect((await made.take(rows)).likelyGroups).toEqual([])
    const named = workspace(shop({ groupBy: "thread" }))
    const both = madeRows(20, 4).map((row) => ({ ...row, thread: row.customer }))
    expect((await named.take(both)).likelyGroups).toEqual([])
  })

  it("may be a field of the input", async () => {
    const task = shop({}, { body: {}, url: {} })
    const made = workspace(task)
    await made.take(madeRows(10, 2).map(({ body, label, customer }) => ({ body, label, url: customer })))
    expect(columnNoticesOf(made.context.workspace, task).join()).toContain('"url" looks like a group')
  })
})

describe("holdout.newestBy", () => {
  const late = shop({ newestBy: "received" })
  const timesIn = ({ rows, splitOf }: ReturnType<typeof workspace>, split: string) => {
    const splits = splitOf()
    const isIn = ({ id }: Seed) => splits.get(id) === split
    return rows
      .seeds()
      .filter(isIn)
      .map(({ columns }) => columns?.["received"] as string)
      .sort()
  }

  it("tests on what is newest, and says how much of train came later", async () => {
    const made = workspace(late)
    const first = await made.take(madeRows(200, 30))
    const [train, validation, test] = ["train", "validation", "test"].map((split) => timesIn(made, split))
    expect(test?.length).toBeGreaterThan(100)
    expect((train?.at(-1) as string) < (validation?.[0] as string)).toBe(true)
    expect((validation?.at(-1) as string) < (test?.[0] as string)).toBe(true)
    expect(columnNotices(first.split)).toEqual([
      `by received, no train row is newer than the oldest test row (${test?.[0]})`,
    ])
    const before = made.splitOf()
    const next = madeRows(50, 30, 8).map((row) => ({ ...row, received: row.received.replace("2026", "2027") }))
    const later = await made.take(next)
    for (const [id, split] of before) expect(made.splitOf().get(id)).toBe(split)
    expect(later.split.newest?.trainNewer).toBeGreaterThan(0)
    expect(columnNotices(later.split)[0]).toMatch(/^by received, \d+ of \d+ train rows \(\d+ %\) are newer than/)
  })

  it("a time that could be two is refused by line, and one that is missing is the oldest", async () => {
    const made = workspace(late)
    const rows = madeRows(10, 3)
    const wrong = rows.map((row, at) => (at === 4 ? { ...row, received: "03/04/2026" } : row))
    const refused = await made.take(wrong).catch((error: unknown) => error)
    expect(refused).toMatchObject({ issues: [{ line: 5, path: "received" }] })
    const { split } = await made.take(rows.map((row, at) => (at === 4 ? { ...row, received: null } : row)))
    expect(split.newest).toMatchObject({ without: 1 })
    const without = made.rows.seeds().find(({ columns }) => columns === undefined)
    expect(made.splitOf().get(without?.id as string)).toBe("train")
  })
})

it("a task without either keeps the lines of its seeds as they were", async () => {
  const made = workspace(shop({}))
  await made.take(madeRows(3, 2))
  for (const line of readFileSync(made.rows.seedsFile, "utf8").trimEnd().split("\n"))
    expect(Object.keys(JSON.parse(line) as object)).toEqual(["id", "input", "output"])
})
