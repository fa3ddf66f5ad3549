import { spawn } from "node:child_process"
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { describe, expect, it } from "vitest"
import { readLines } from "../../src/store/files/files.ts"
import { SqliteLedger } from "../../src/store/ledger/sqlite-ledger.ts"
import { readTable } from "../../src/store/tables/table.ts"
import { sample, sampleWorkspace, tuneloop } from "../command-line.ts"

const folder = () => mkdtempSync(join(tmpdir(), "tuneloop-store-"))

describe("lines", () => {
  it(
    "come without ends, byte order mark and, when asked, without a torn last one; across the pieces a file " +
      "is read in",
    () => {
      const file = join(folder(), "a.jsonl")
      const long = "é".repeat(700_000)
      writeFileSync(file, `\ufeffone\r\n${long}\nthree\ntor`)
      expect([...readLines(file)].map(({ text }) => text)).toEqual(["one", long, "three", "tor"])
      expect([...readLines(file, { cutTornLine: true })].map(({ number }) => number)).toEqual([1, 2, 3])
      expect([...readLines(join(folder(), "none"))]).toEqual([])
    },
  )
})

describe("tables", () => {
  it("CSV rows are named by the line they begin on, with line breaks in cells and any delimiter", () => {
    const file = join(folder(), "a.csv")
    writeFileSync(file, 'sep=;\r\na;b\r\n"x\ny";1\r\n"=1;2";3\r\n')
    expect(readTable(file).rows).toEqual([
      { line: 3, fields: { a: "x\ny", b: "1" } },
      { line: 5, fields: { a: "=1;2", b: "3" } },
    ])
  })
})

describe("the ledger", () => {
  const event = { type: "metric-logged", step: 1, values: { loss: 1 } } as const

  it("is shared by processes that append at once, with no event lost or doubled", async () => {
    const file = join(folder(), "ledger.db")
    const ledger = SqliteLedger.open(file, () => new Date(0))
    await ledger.runs.create({ run: "r", job: "j", task: "t", plan: "p" })
    const script = `import { SqliteLedger } from ${JSON.stringify(join(import.meta.dirname, "..", "..", "src", "store", "ledger", "sqlite-ledger.ts"))}
      const ledger = SqliteLedger.open(process.argv[1], () => new Date(0))
      while (Date.now() < Number(process.argv[2])) {}
      for (let i = 0; i < 150; i++) await ledger.runs.appendEvents("r", [{ type: "metric-logged", step: i, values: {} }])`
    // Both begin at the same moment, when both are ready.
    const start = String(Date.now() + 1500)
    const codes = await Promise.all(
      [1, 2].map(
        () =>
          new Promise((done) =>
            spawn(process.execPath, ["--input-type=module-typescript", "-e", script, file, start], {
              stdio: "inherit",
            }).on("close", done),
          ),
      ),
    )
    expect(codes).toEqual([0, 0])
    expect((await ledger.runs.events("r")).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 301 }, (_, index) => index + 1),
    )
    await ledger.close()
  })

  it("lets one of two commands begin a submission, and one of two watchers take a poll", async () => {
    const ledger = SqliteLedger.open(join(folder(), "ledger.db"), () => new Date(0))
    await ledger.runs.create({ run: "r", job: "j", task: "t", plan: "p" })
    expect(await ledger.runs.beginSubmission("r", "k", 1)).toBe("begun")
    expect(await ledger.runs.beginSubmission("r", "k", 1)).toBe("taken")
    expect(await ledger.runs.appendEvents("r", [event], { expected: undefined, next: "5" })).toBe(true)
    expect(await ledger.runs.appendEvents("r", [event], { expected: undefined, next: "5" })).toBe(false)
    expect(await ledger.runs.cursor("r")).toBe("5")
    await ledger.close()
  })

  it("finds a request that was tampered with, and a lost event", async () => {
    const file = join(folder(), "ledger.db")
    const ledger = SqliteLedger.open(file, () => new Date(0))
    await ledger.runs.create({ run: "r", job: "j", task: "t", plan: "p" })
    await ledger.runs.appendEvents("r", [event, event])
    expect(await ledger.verify()).toEqual([])
    const database = new DatabaseSync(file)
    database.exec(
      "delete from run_events where sequence = 2; insert into requests (key, task, strategy, request, " +
        "sent_at, attempts) values ('sha256:0', 't', 's', '{}', '', 1)",
    )
    database.close()
    expect(await ledger.verify()).toHaveLength(2)
    await ledger.close()
  })
})

describe("a dataset version", () => {
  it("that was changed by hand is not trained on", async () => {
    const workspace = sampleWorkspace()
    await tuneloop(workspace, ["seed", "import", "order-extraction", sample("order-extraction", "seeds.jsonl")]).outcome
    const { version } = JSON.parse(
      (await tuneloop(workspace, ["build", "order-extraction", "--json"]).outcome).stdout,
    ) as { version: string }
    const train = join(workspace, "datasets", "order-extraction", "versions", version, "train.jsonl")
    appendFileSync(train, readFileSync(train, "utf8").split("\n")[0] ?? "")
    writeFileSync(join(workspace, "jobs", "orders.yaml"), "job: orders\ntask: order-extraction\nbaseModel: x\n")
    const { code, stderr } = await tuneloop(workspace, ["train", "orders"]).outcome
    expect(code).toBe(1)
    expect(stderr).toContain("not what its manifest says")
  })
})
