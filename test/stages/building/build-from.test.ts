import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parquetWriteBuffer } from "hyparquet-writer"
import { describe, expect, it } from "vitest"
import { packageRoot } from "../../../src/cli/version.ts"
import { json, sampleWorkspace, tuneloop } from "../../command-line.ts"

const banking = join(packageRoot, "..", "shared", "data", "banking77")

interface BuiltFrom {
  readonly version: string
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number }
  readonly read: number
  readonly costs: { readonly core: { readonly rows: number }; readonly checks: Readonly<Record<string, unknown>> }
  readonly kept: number
  readonly dropped: Readonly<Record<string, number>>
  readonly imported: {
    readonly added: number
    readonly unchanged: number
    readonly heldElsewhere: readonly { id: string; split: string; asked: string }[]
  }
  readonly splitLeaks: readonly {
    readonly check: string
    readonly row: string
    readonly in: string
    readonly heldOut: string
    readonly heldOutIn: string
  }[]
}

const specification = (labels: readonly string[], field = "text") =>
  `task: intents\nkind: label\ndescription: What a customer wants.\ninput:\n  ${field}:\n    description: ` +
  `the message\noutput:\n  ` +
  `labels:\n${labels.map((label) => `    ${JSON.stringify(label)}: an intent\n`).join("")}`

function workspaceFor(labels: readonly string[]): string {
  const workspace = sampleWorkspace()
  writeFileSync(join(workspace, "specs", "intents.yaml"), specification(labels))
  return workspace
}

const buildFrom = (workspace: string, words: readonly string[]) =>
  json<BuiltFrom>(workspace, "build", "intents", "--from", ...words)

const messages = [
  "The parcel that I ordered three weeks ago has still not been delivered to my house",
  "Please change the invoice address of our company to the new office in Leeds",
  "Two of the four chairs came with a broken leg and scratches on the seat",
  "How many people can sit around the oval dining table when it is extended",
  "My voucher from the summer sale is refused at the checkout every single time",
  "I would like to give back the curtains because the colour does not suit us",
]

describe("a data set that was not grown here", () => {
  it("keeps its own splits, and what they have in common is named and leaves train", { timeout: 60_000 }, async () => {
    const workspace = workspaceFor(["a", "b"])
    const [first, second, third, fourth, fifth, sixth] = messages as [string, string, string, string, string, string]
    const row = (text: string, label: string, split: string) => ({ text, label, split })
    const rows = [
      row(first, "a", "train"),
      row(`${first} `.toUpperCase(), "b", "test"),
      row(second, "a", "training"),
      row(second, "a", "test"),
      row(third, "a", "train"),
      row(`${third} ok`, "a", "dev"),
      row(fourth, "b", "train"),
      row(fifth, "b", "validation"),
      row(fifth.toUpperCase(), "a", "test"),
      row(sixth, "b", "train"),
    ]
    writeFileSync(join(workspace, "set.jsonl"), rows.map((line) => `${JSON.stringify(line)}\n`).join(""))
    const built = await buildFrom(workspace, ["set.jsonl"])
    expect(built.rows).toEqual({ train: 2, validation: 2, test: 3 })
    expect(built.splitLeaks.map(({ check, in: from, heldOutIn }) => `${check} ${from} ${heldOutIn}`).sort()).toEqual([
      "exact train test",
      "exact train test",
      "exact validation test",
      "near train validation",
    ])
    expect(Object.keys(built.costs.checks)).toContain("personal-data")
    expect(built.costs.core.rows).toBe(built.read)
    const again = await buildFrom(workspace, ["set.jsonl"])
    expect(again.version).toBe(built.version)
    expect(again.splitLeaks).toEqual(built.splitLeaks)
    expect(again.imported).toMatchObject({ added: 0, unchanged: 10 })
  })

  it("never moves a row that is held already", { timeout: 60_000 }, async () => {
    const workspace = workspaceFor(["a", "b"])
    const file = (name: string) => {
      writeFileSync(
        join(workspace, name),
        `text,label\n${messages.map((text, index) => `${text},${index % 2 === 0 ? "a" : "b"}`).join("\n")}\n`,
      )
      return name
    }
    await buildFrom(workspace, [`train=${file("one.csv")}`])
    const built = await buildFrom(workspace, [`test=${file("two.csv")}`])
    expect(built.rows).toMatchObject({ train: 6, test: 0 })
    expect(built.imported.heldElsewhere).toHaveLength(6)
    expect(built.imported.heldElsewhere[0]).toMatchObject({ split: "train", asked: "test" })
  })

  it("is read in the shapes that trainers read: messages, prompt and completion", { timeout: 60_000 }, async () => {
    const workspace = workspaceFor(["a", "b"])
    const conversations = messages.map((text, index) =>
      index < 3
        ? {
            messages: [
              { role: "system", content: "Sort." },
              { role: "user", content: text },
              { role: "assistant", content: "a" },
            ],
          }
        : { prompt: [{ role: "user", content: text }], completion: [{ role: "assistant", content: "b" }] },
    )
    for (const [name, part] of [
      ["messages.jsonl", conversations.slice(0, 3)],
      ["completions.jsonl", conversations.slice(3)],
    ] as const)
      writeFileSync(join(workspace, name), part.map((line) => `${JSON.stringify(line)}\n`).join(""))
    const built = await buildFrom(workspace, ["messages.jsonl", "completions.jsonl"])
    expect(built.imported.added).toBe(6)
    const seeds = readFileSync(join(workspace, "datasets", "intents", "seeds.jsonl"), "utf8")
    for (const text of messages) expect(seeds).toContain(JSON.stringify({ text }))
  })

  it("is read from Parquet, splits and all", { timeout: 60_000 }, async () => {
    const workspace = workspaceFor(["a", "b"])
    const column = (name: string, data: unknown[]) => ({ name, data, type: "STRING" as const })
    const bytes = parquetWriteBuffer({
      columnData: [
        column("text", messages),
        column(
          "label",
          messages.map((_, index) => (index % 2 === 0 ? "a" : "b")),
        ),
        column("split", ["train", "train", "train", "train", "validation", "test"]),
        { name: "id", data: messages.map((_, index) => BigInt(index + 1)), type: "INT64" as const },
      ],
    })
    writeFileSync(join(workspace, "set.parquet"), Buffer.from(bytes))
    const built = await buildFrom(workspace, ["set.parquet"])
    expect(built.rows).toEqual({ train: 4, validation: 1, test: 1 })
    writeFileSync(join(workspace, "broken.parquet"), Buffer.from(bytes).subarray(0, 200))
    const broken = await tuneloop(workspace, ["build", "intents", "--from", "broken.parquet"]).outcome
    expect(broken.code).toBe(1)
    expect(broken.stderr).toContain("broken.parquet cannot be read as Parquet")
  })

  it("is refused whole, with its place, when a split or a column is unknown", { timeout: 60_000 }, async () => {
    const workspace = workspaceFor(["a", "b"])
    writeFileSync(join(workspace, "split.csv"), "text,label,split\nhello there,a,trian\n")
    const split = await tuneloop(workspace, ["build", "intents", "--from", "split.csv"]).outcome
    expect(split.code).toBe(1)
    expect(split.stderr).toContain('split.csv:2: split: got "trian"; allowed: train, training, validation')
    writeFileSync(join(workspace, "column.csv"), "text,category\nhello there,a\n")
    const column = await tuneloop(workspace, ["build", "intents", "--from", "column.csv", "--column", "output=categry"])
      .outcome
    expect(column.code).toBe(1)
    expect(column.stderr).toContain('no column "categry"; the columns are: text, category; did you mean "category"?')
    const word = await tuneloop(workspace, ["build", "intents", "--from", "column.csv", "--column", "output"]).outcome
    expect(word.code).toBe(2)
    expect(word.stderr).toContain("Example: --column output=category")
    expect(existsSync(join(workspace, "datasets", "intents"))).toBe(false)
  })

  it("changes nothing where splits.jsonl cannot be read: no row may be without the split that it says", {
    timeout: 60_000,
  }, async () => {
    const workspace = workspaceFor(["a", "b"])
    const folder = join(workspace, "datasets", "intents")
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "splits.jsonl"), "<<<<<<< HEAD\n")
    for (const line of ["text,label,split\nhello there,a,test\n", "text,label\nhello there,a\n"]) {
      writeFileSync(join(workspace, "set.csv"), line)
      const { code, stderr } = await tuneloop(workspace, ["build", "intents", "--from", "set.csv"]).outcome
      expect(code).toBe(1)
      expect(stderr).toContain("splits.jsonl:1: not valid JSON")
      expect(readdirSync(folder)).toEqual(["splits.jsonl"])
    }
  })

  it("has the splits that it says after a kill at the first write, whatever command runs next", {
    timeout: 120_000,
  }, async () => {
    const rows = messages.map((text, index) => `${text},${index % 2 === 0 ? "a" : "b"},${index < 3 ? "train" : "test"}`)
    const undisturbed = workspaceFor(["a", "b"])
    writeFileSync(join(undisturbed, "set.csv"), `text,label,split\n${rows.join("\n")}\n`)
    const { version } = await buildFrom(undisturbed, ["set.csv"])
    let killed = 0
    for (let attempt = 0; killed < 3 && attempt < 12; attempt += 1) {
      const workspace = workspaceFor(["a", "b"])
      const folder = join(workspace, "datasets", "intents")
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(workspace, "set.csv"), `text,label,split\n${rows.join("\n")}\n`)
      const { child, outcome } = tuneloop(workspace, ["build", "intents", "--from", "set.csv"])
      const watcher = watch(folder, () => child.kill("SIGKILL"))
      if ((await outcome).code === null) killed += 1
      watcher.close()
      await tuneloop(workspace, ["build", "intents"]).outcome
      expect((await buildFrom(workspace, ["set.csv"])).version).toBe(version)
    }
    expect(killed).toBe(3)
  })

  it.skipIf(!existsSync(banking))(
    "names the test rows of banking77 that are also in train",
    { timeout: 120_000 },
    async () => {
      const texts = readFileSync(join(banking, "train.csv"), "utf8")
      const labels = [...new Set(texts.match(/,[A-Za-z_?]+(?=\r?\n)/g)?.map((match) => match.slice(1)))].filter(
        (label) => label !== "category",
      )
      const workspace = workspaceFor(labels)
      const built = await buildFrom(workspace, [
        `train=${join(banking, "train.csv")}`,
        `test=${join(banking, "test.csv")}`,
        "--column",
        "output=category",
      ])
      expect(built.rows.test).toBe(3080)
      expect(built.kept + Object.values(built.dropped).reduce((sum, count) => sum + count, 0)).toBe(built.read)
      // Counted once apart from this program: rows of train that are rows of test but for case and white space.
      expect(built.splitLeaks.filter(({ check }) => check === "exact")).toHaveLength(10)
      expect(built.splitLeaks.filter(({ check }) => check === "near").length).toBeGreaterThan(400)
      expect(built.splitLeaks.every((leak) => leak.in === "train" && leak.heldOutIn === "test")).toBe(true)
    },
  )
})
