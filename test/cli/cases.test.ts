import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { readCheckedTask } from "../../src/cli/plugins.ts"
import { packageRoot } from "../../src/cli/version.ts"
import { importInputs, importSeeds } from "../../src/stages/arriving/import-rows.ts"
import { json, tuneloop } from "../command-line.ts"
import { stageContext } from "../stages/training/workspace.ts"

// Small inputs as users have them, which lie beside the checkout where they are there at all.
const cases = join(packageRoot, "..", "shared", "cases")

/** A fresh workspace with the specifications of the case. */
function workspaceOf(name: string): string {
  const home = mkdtempSync(join(tmpdir(), "tuneloop-case-"))
  cpSync(join(cases, name, "specs"), join(home, "specs"), { recursive: true })
  return home
}

interface Given {
  readonly columns?: Readonly<Record<string, string>>
  readonly as?: "input"
}

/** The rows that the task has after the import of the files, one after the other; an import that fails throws. */
async function imported(name: string, task: string, files: readonly string[], { columns, as }: Given = {}) {
  const home = workspaceOf(name)
  const context = stageContext(home)
  const specification = await readCheckedTask(context.workspace, task)
  const options = { skipInvalid: false, withoutEqual: true, columns: new Map(Object.entries(columns ?? {})) }
  for (const file of files)
    await (as === "input" ? importInputs : importSeeds)(context, specification, [join(cases, name, file)], options)
  const rows = readLines(join(home, "datasets", task, as === "input" ? "inputs.jsonl" : "seeds.jsonl"))
  return { home, rows }
}

function readLines(file: string): Record<string, unknown>[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, "utf8").split("\n")
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, unknown>)
}

const outputsOf = (rows: readonly Record<string, unknown>[]) => rows.map(({ output }) => output)
const textsOf = (rows: readonly Record<string, unknown>[]) => rows.map(({ input }) => Object.values(input as object)[0])

/** The rows of the newest version of the case's task, and what it dropped. */
async function built(home: string, task: string) {
  const { version } = await json<{ version: string }>(home, "build", task)
  const folder = join(home, "datasets", task, "versions", version)
  return { train: readLines(join(folder, "train.jsonl")), dropped: readLines(join(folder, "dropped.jsonl")) }
}

describe.skipIf(!existsSync(cases))("small inputs as users have them", { timeout: 60_000 }, () => {
  // What is loaded once is loaded here.
  beforeAll(() => readCheckedTask(stageContext(workspaceOf("05-tsv-quotes")).workspace, "nli").then(() => undefined))

  it.each([
    ["02-alpaca", "qa", "a.json", 3],
    ["02-alpaca", "qa", "b.jsonl", 3],
    ["02-alpaca", "qa", "c.csv", 2],
    ["02-alpaca", "lab", "d-text.jsonl", 2],
    ["03-int-labels", "sent", "a.jsonl", ["1", "0"]],
    ["03-int-labels", "sent", "b.jsonl", ["1", "0"]],
    ["03-int-labels", "sent", "c.csv", ["1", "0"]],
    ["03-int-labels", "sent", "d-float.csv", ["1", "0"]],
    ["03-int-labels", "tox", "e-bool.jsonl", ["true", "false"]],
    ["03-int-labels", "multi", "f-multi.jsonl", [["1", "2"], ["0"]]],
    ["04-one-in-a-list", "mail", "a.jsonl", ["billing", "delivery"]],
    ["04-one-in-a-list", "mail", "b-case.jsonl", ["billing", "delivery"]],
    ["04-one-in-a-list", "mail", "c-case-flat.jsonl", ["billing", "delivery"]],
    ["04-one-in-a-list", "mail", "d-case.csv", ["billing", "delivery"]],
    ["04-one-in-a-list", "mail", "e-messages.jsonl", ["billing"]],
    ["05-tsv-quotes", "nli", "a.tsv", ["1", "1", "0", "1", "0"]],
    ["05-tsv-quotes", "nli", "b.tsv", ["1", "1", "0"]],
    ["05-tsv-quotes", "nli", "c.tsv", ["1", "0"]],
    ["05-tsv-quotes", "nli", "d.tsv", ["1", "0", "1", "0"]],
    ["06-inch", "shop", "a.csv", ["screen", "rim"]],
    ["06-inch", "shop", "b.csv", ["rim", "screen"]],
    ["06-inch", "shop", "c.csv", ["screen", "rim"]],
    ["06-inch", "shop", "d.csv", ["screen", "rim"]],
    ["07-weights", "chat", "b-name.jsonl", 2],
    ["08-tools", "chat", "a.jsonl", 2],
    ["08-tools", "chat", "d-textparts.jsonl", [{ content: "A threaded pin." }]],
    ["08-tools", "chat", "e-tools-string.jsonl", 2],
    ["08-tools", "chat", "f-params-string.jsonl", 2],
    ["09-sharegpt", "chat", "a.jsonl", [{ content: "4" }, { content: "The Loire." }]],
    ["15-multilabel", "topics", "a-hash.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "b-semicolon.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "c-pipe.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "d-comma.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "e-slash.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "f-newline.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "g-json.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "h-python.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "i-numpy.csv", [["sport", "news"], ["art"]]],
    ["15-multilabel", "topics", "j-labelstudio.csv", [["sport", "news"], ["art"]]],
    ["17-nan", "deep", "e-deep500.jsonl", 1],
    ["17-nan", "deep", "g-proto.jsonl", 2],
    ["18-encoding", "mail", "b-utf16.csv", ["spam", "ham"]],
    ["18-encoding", "mail", "c-utf8sig.csv", ["spam", "ham"]],
    ["18-encoding", "mail", "d-utf16.tsv", ["spam", "ham"]],
    ["18-encoding", "mail", "e-utf16.jsonl", ["ham"]],
    ["18-encoding", "mail", "g-bom.jsonl", ["ham", "spam"]],
    ["18-encoding", "mail", "h-bom.json", ["ham", "spam"]],
    ["18-encoding", "mail", "i-nul.csv", 2],
    ["19-json-shapes", "mail", "h-later-columns.jsonl", ["ham", "spam", "ham"]],
    ["19-json-shapes", "mail", "i-first-has-input.jsonl", ["ham", "spam"]],
    ["22-shapes", "mail", "a-unnamed.csv", ["ham", "spam"]],
    ["22-shapes", "mail", "b-trailing.csv", ["ham", "spam"]],
    ["22-shapes", "mail", "c-trailing-text.csv", ["ham"]],
    ["22-shapes", "mail", "d-cr.csv", ["ham", "spam"]],
    ["22-shapes", "mail", "h-case.csv", ["ham", "spam"]],
    ["22-shapes", "mail", "j-quoted-nl.csv", ["ham", "spam"]],
    ["22-shapes", "mail", "k-semi-comma.csv", ["ham", "spam"]],
    ["22-shapes", "mail", "l-sep.csv", ["ham"]],
    ["25-first-row", "mail", "d.json", 2],
    ["25-first-row", "mail", "f-null-first.jsonl", ["billing", "delivery"]],
    ["25-first-row", "mail", "g-two-label-names.jsonl", ["billing"]],
    ["28-parquet", "sent", "b-classlabel.parquet", ["1", "0"]],
    ["28-parquet", "chat", "c-messages.parquet", 2],
    ["28-parquet", "ab", "d-types.parquet", 2],
    ["28-parquet", "ab", "e-bytes-unused.parquet", 2],
    ["28-parquet", "ab", "f-bigid-unused.parquet", 2],
    ["28-parquet", "tox", "g-bool.parquet", 2],
    ["28-parquet", "abm", "h-listlabels.parquet", 2],
    ["32-more", "ans", "a-num-output.jsonl", ["42", "4.5"]],
    ["32-more", "ans", "b-num-input.jsonl", ["a code"]],
  ])("%s: seed import %s %s gives %j", async (name, task, file, wanted) => {
    const { rows } = await imported(name, task, [file])
    if (typeof wanted === "number") expect(rows).toHaveLength(wanted)
    else expect(outputsOf(rows)).toEqual(wanted)
  })

  it.each([
    ["01-bigint", "orders", "a-output.jsonl", /:1: output\.order_id: must be integer/],
    ["01-bigint", "orders", "c.json", /:1: output\.order_id: must be integer/],
    ["01-bigint", "orders", "d.csv", /:2: output\.order_id: must be integer/],
    ["01-bigint", "nums", "e-field.csv", /:2: input\.account: expected a number, got "9007199254740993"/],
    ["01-bigint", "nums", "f-float.jsonl", /:1: input\.account: expected a number, got "1e400"/],
    ["07-weights", "chat", "c-lastzero.jsonl", /:1: messages: every answer has the weight 0/],
    ["08-tools", "chat", "b-function_call.jsonl", /:1: functions: unknown key/],
    ["08-tools", "chat", "c-parts.jsonl", /:1: input\.messages\[0\]\.content: expected a text/],
    [
      "08-tools",
      "chat",
      "g-two-assistants.jsonl",
      /2 of 4 rows .*:1: input\.messages\[1\]\.role.*:4: output\.content: empty/s,
    ],
    ["17-nan", "mail", "a.jsonl", /:1: not valid JSON: Unexpected token 'N'/],
    ["17-nan", "mail", "b-null.jsonl", /:2: input\.text: missing.*:3: output: missing/s],
    ["17-nan", "mail", "d-dup-keys.jsonl", /:1: the key "label" stands twice/],
    ["17-nan", "deep", "e-deep2000.jsonl", /:1: not valid JSON: .* deep/],
    ["17-nan", "deep", "e-deep5000.jsonl", /:1: not valid JSON: .* deep/],
    ["17-nan", "deep", "f-inf.jsonl", /:1: output\.x: expected a number, got "1e999"/],
    ["18-encoding", "mail", "a-cp1252.csv", /:2: bytes that are not UTF-8/],
    ["18-encoding", "mail", "f-latin1.jsonl", /:1: bytes that are not UTF-8/],
    ["19-json-shapes", "mail", "a-lines.json", /not valid JSON/],
    ["19-json-shapes", "mail", "b-nested.json", /must hold a JSON array/],
    ["19-json-shapes", "mail", "c-array.jsonl", /holds a JSON array, not a JSON object a line/],
    ["19-json-shapes", "mail", "d-oneline-array.jsonl", /holds a JSON array/],
    ["19-json-shapes", "mail", "f-pretty.jsonl", /8 of 8 rows/],
    ["19-json-shapes", "mail", "g.jsonl.gz", /cannot tell the format/],
    ["19-json-shapes", "mail", "j-first-null.jsonl", /:3: id: the id "x1" is already that of/],
    ["22-shapes", "mail", "e-pipe.csv", /no column "text"/],
    ["22-shapes", "mail", "f-title.csv", /no column "text"/],
    ["22-shapes", "mail", "g-dupcol.csv", /the column "note" twice/],
    ["22-shapes", "mail", "m-short-rows.csv", /1 of 2 rows .*4 cells where the header has 3/s],
    ["22-shapes", "mail", "o-empty.csv", /has no rows/],
    ["22-shapes", "mail", "p-zero.csv", /has no rows/],
    ["22-shapes", "mail", "q-splitname.csv", /1 of 3 rows .*split: got "evaluation"/s],
    ["25-first-row", "mail", "e-label-later.jsonl", /1 of 2 rows .*:1: output: missing/s],
    ["28-parquet", "scored", "i-float.parquet", /:1: input\.score: expected a number, got "NaN"/],
    ["32-more", "ans", "c-multiturn.jsonl", /3 turns stand before the answer/],
  ])("%s: seed import %s %s is refused with its line", async (name, task, file, message) => {
    await expect(imported(name, task, [file])).rejects.toThrow(message)
  })

  it("01-bigint: two long ids are two rows", async () => {
    const { rows } = await imported("01-bigint", "orders", ["b1.jsonl", "b2.jsonl"])
    const keys = [...readKeys("b1.jsonl"), ...readKeys("b2.jsonl")]
    expect(rows.map(({ key }) => key)).toEqual([...new Set(keys)])
    expect((await imported("01-bigint", "orders", ["g-keys-same.jsonl"])).rows).toHaveLength(2)
    function readKeys(file: string) {
      return [...readFileSync(join(cases, "01-bigint", file), "utf8").matchAll(/"id":(\d+)/g)].map(([, id]) => id)
    }
  })

  it("02-alpaca, 09-sharegpt: columns that people name are those that are read", async () => {
    const columns = { instruction: "instruction", input: "input", output: "output" }
    expect((await imported("02-alpaca", "qa", ["a.json"], { columns })).rows).toHaveLength(3)
    const renamed = await imported("02-alpaca", "qa2", ["a.json"], { columns: { context: "input" } })
    expect(renamed.rows[0]?.["input"]).toEqual({ instruction: "Name the capital of the country.", context: "Portugal" })
    const given = { columns: { messages: "conversations" } }
    expect((await imported("09-sharegpt", "chat", ["a.jsonl"], given)).rows).toHaveLength(2)
  })

  it("05-tsv-quotes: a .tsv of one column is split at tabs", async () => {
    const { rows } = await imported("05-tsv-quotes", "one", ["e-comma-one.tsv"], { as: "input" })
    expect(textsOf(rows)).toEqual(["Hello, world, how are you", "I am fine, thanks"])
  })

  it("07-weights, 08-tools, 31-two-systems: what came in goes out, tools as a list, one system message", async () => {
    const exported = async (name: string, file: string) => {
      const { home } = await imported(name, "chat", [file])
      await built(home, "chat")
      await json(home, "dataset", "export", "chat", "--format", "messages", "--out", join(home, "out"))
      return readLines(join(home, "out", "train.jsonl")) as unknown as {
        messages: Record<string, unknown>[]
        tools?: unknown
      }[]
    }
    const weights = await exported("07-weights", "a.jsonl")
    expect(weights.length).toBeGreaterThan(0)
    for (const { messages } of weights)
      expect(messages.map(({ weight }) => weight)).toEqual([undefined, 0, undefined, 1])
    for (const { tools } of await exported("08-tools", "e-tools-string.jsonl"))
      expect(tools).toMatchObject([{ type: "function", function: { name: "get_price" } }])
    for (const { messages } of await exported("31-two-systems", "a.jsonl"))
      expect(messages.filter(({ role }) => role === "system")).toHaveLength(1)
  })

  it("15-multilabel: labels with commas are refused by the check of the specification, which says why", async () => {
    const { code, stderr } = await tuneloop(workspaceOf("15-multilabel"), ["spec", "check", "comma"]).outcome
    expect([code, stderr]).toMatchObject([2, expect.stringContaining("must not have a comma")])
  })

  it("16-surrogates: lone surrogates and NUL are replaced", async () => {
    const { rows } = await imported("16-surrogates", "mail", ["a.jsonl"])
    expect(JSON.stringify(rows).isWellFormed()).toBe(true)
    expect(rows.length).toBeGreaterThan(0)
  })

  it("23-rare: labels of one and two rows are told", async () => {
    const home = workspaceOf("23-rare")
    const { untested } = await json<{ untested: string[] }>(
      home,
      "seed",
      "import",
      "rare",
      join(cases, "23-rare", "a.jsonl"),
    )
    expect(untested).toEqual(["once"])
  })

  it("24-leak: test rows in train but for case and space leave it", async () => {
    const home = workspaceOf("24-leak")
    const file = (name: string) => join(cases, "24-leak", name)
    const words = ["build", "sms", "--from", `train=${file("train.jsonl")}`, `test=${file("test.jsonl")}`]
    const { leaks, splitLeaks } = await json<{ leaks: { found: number }; splitLeaks: unknown[] }>(home, ...words)
    expect(leaks.found).toBe(0)
    expect(splitLeaks.length).toBeGreaterThan(0)
  })

  it("25-first-row: what the first row lacks is kept for the others", async () => {
    const optional = await imported("25-first-row", "mail", ["a-optional.jsonl"])
    expect(optional.rows.map(({ input }) => (input as { context?: string }).context)).toEqual([
      undefined,
      "customer since 2019",
      "wrote three times",
    ])
    const split = await imported("25-first-row", "mail", ["b-split.jsonl"])
    const assigned = readLines(join(split.home, "datasets", "mail", "splits.jsonl"))
    const splitOf = new Map(assigned.map((line) => [line["id"], line["split"]]))
    expect(split.rows.slice(1).map(({ id }) => splitOf.get(id))).toEqual(["test", "train", "test"])
    const named = await imported("25-first-row", "mail", ["c-id-source.jsonl"])
    expect(named.rows[1]).toMatchObject({ key: "t-2", source: "crm" })
  })

  it.each([
    ["alpaca.jsonl", [], 7],
    ["alpaca.json", [], 7],
    ["dpo.jsonl", [], 2],
    ["intents.csv", ["--field", "text"], 3],
    ["labels.jsonl", [], 2],
    ["pairs.jsonl", [], 2],
    ["sharegpt.jsonl", [], 2],
    ["messages-tools.jsonl", [], 2],
  ])("26-dedup: dedup %s %j keeps %i rows", async (file, words, kept) => {
    const home = mkdtempSync(join(tmpdir(), "tuneloop-case-"))
    const result = await json<{ kept: number }>(home, "dedup", join(cases, "26-dedup", file), ...words)
    expect(result.kept).toBe(kept)
  })

  it("01-bigint: dedup writes long ids as they stand", async () => {
    const home = mkdtempSync(join(tmpdir(), "tuneloop-case-"))
    const file = join(home, "in.json")
    writeFileSync(file, `[{"id":740245381351497731,"text":"a"},{"id":740245381351497732,"text":"b c d"}]`)
    await json(home, "dedup", file, "--out", join(home, "out.json"))
    const written = readFileSync(join(home, "out.json"), "utf8")
    for (const id of ["740245381351497731", "740245381351497732"]) expect(written).toContain(id)
  })

  it.each([
    ["flag", "e-flag.xlsx", 0, "3 decisions"],
    ["code", "c-prefix.xlsx", 0, "2 decisions"],
    ["code", "d-norefs.xlsx", 0, "2 decisions"],
    ["code", "a-code.xlsx", 1, "may have cut digits of 1234567890123460"],
    ["order", "b-date.xlsx", 1, "made a date of it"],
  ])("27-review: review import %s %s ends with %i", async (task, file, code, said) => {
    const { home } = await imported("27-review", task, ["inputs.jsonl"], { as: "input" })
    const words = ["review", "import", task, join(cases, "27-review", file), "--dry-run"]
    const outcome = await tuneloop(home, words).outcome
    expect([outcome.code, `${outcome.stdout}${outcome.stderr}`]).toMatchObject([code, expect.stringContaining(said)])
  })

  it("27-review: 00012 is taken as it is shown", async () => {
    const { home } = await imported("27-review", "code", ["inputs.jsonl"], { as: "input" })
    const words = ["review", "import", "code", join(cases, "27-review", "a-code.xlsx"), "--dry-run"]
    expect((await tuneloop(home, words).outcome).stderr).not.toContain("00012")
  })

  it("33-groups: no customer is in two splits, also of rows that arrive later", async () => {
    const { home } = await imported("33-groups", "shop", ["a.jsonl", "b-later.jsonl"])
    const splitOf = new Map(
      readLines(join(home, "datasets", "shop", "splits.jsonl")).map(({ id, split }) => [id, split]),
    )
    const byCustomer = new Map<unknown, Set<unknown>>()
    for (const { id, columns } of readLines(join(home, "datasets", "shop", "seeds.jsonl"))) {
      const { customer } = columns as { customer: string }
      byCustomer.set(customer, (byCustomer.get(customer) ?? new Set()).add(splitOf.get(id)))
    }
    expect(byCustomer.size).toBeGreaterThan(5)
    for (const splits of byCustomer.values()) expect(splits.size).toBe(1)
  })
})
