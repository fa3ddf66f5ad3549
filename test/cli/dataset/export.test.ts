import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parquetReadObjects } from "hyparquet"
import { beforeAll, describe, expect, it } from "vitest"
import { names } from "../../../src/cli/plugins.ts"
import { contentId, digestText } from "../../../src/core/canonical.ts"
import { renderExample } from "../../../src/core/task/prompt.ts"
import type { FineTuneBackend } from "../../../src/core/contracts/backend.ts"
import { tokenCounts } from "../../../src/stages/versions/token-counts.ts"
import { planTraining } from "../../../src/stages/training/plan-training.ts"
import type { StageContext } from "../../../src/stages/context.ts"
import { SqliteLedger } from "../../../src/store/ledger/sqlite-ledger.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { json as printed, linesOf, sample, sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
const workspace = sampleWorkspace()
const folder = join(workspace, "datasets", task)
let version = ""
let holdout = ""

async function run(...words: string[]) {
  const { code, stdout, stderr } = await tuneloop(workspace, words).outcome
  return { code, stdout, stderr }
}
const json = (...words: string[]) => printed(workspace, ...words)
const out = () => mkdtempSync(join(tmpdir(), "tuneloop-export-"))
const lines = (file: string) => linesOf<Record<string, unknown>>(file)
const openings = async (folder = workspace, of = holdout) => {
  const ledger = SqliteLedger.open(join(folder, ".tuneloop", "ledger.db"), () => new Date(0))
  const found = await ledger.openings.of(of)
  await ledger.close()
  return found
}

beforeAll(async () => {
  await json("seed", "import", task, sample(task, "seeds.jsonl"))
  const built = await json("build", task)
  version = built["version"] as string
  holdout = built["holdout"] as string
}, 60_000)

describe("dataset export", () => {
  it("writes the very rows that a run is trained on", async () => {
    const to = out()
    expect(await json("dataset", "export", task, "--format", "messages", "--out", to)).toMatchObject({
      state: "exported",
      openedTest: false,
    })
    const opened = Workspace.open(workspace)
    const planned = planTraining({ workspace: opened } as StageContext, opened.readJob(task), opened.readTask(task))
    for (const split of ["train", "validation"] as const)
      expect(lines(join(to, `${split}.jsonl`)).map(({ messages }) => messages)).toEqual(
        [...planned.rendered[split]].map((line) => JSON.parse(line).messages),
      )
    expect(readdirSync(to).sort()).toEqual(["train.jsonl", "validation.jsonl"])
  })

  it("is unchanged the second time, replaces its own file and nobody else's", async () => {
    const to = out()
    const words = ["dataset", "export", task, "--format", "sharegpt", "--out", join(to, "x.jsonl")]
    await json(...words)
    expect(await json(...words)).toMatchObject({ state: "unchanged" })
    // Another format to the same place: the file is an earlier export.
    expect(await json(...words.with(4, "alpaca"))).toMatchObject({ state: "exported" })
    writeFileSync(join(to, "x.jsonl"), "mine\n")
    const refused = await run(...words)
    expect([refused.code, readFileSync(join(to, "x.jsonl"), "utf8")]).toEqual([2, "mine\n"])
    expect(refused.stderr).toContain("--force")
    expect(await json(...words, "--force")).toMatchObject({ state: "exported" })
    expect(readdirSync(to)).toEqual(["x.jsonl"])
  })

  it("leaves the sealed test out, and records its opening when it is asked for", async () => {
    const to = out()
    await json("dataset", "export", task, "--format", "mlx-lm", "--out", to)
    expect(readdirSync(to).sort()).toEqual(["train.jsonl", "valid.jsonl"])
    expect(await openings()).toEqual([])
    expect(await json("dataset", "export", task, "--format", "mlx-lm", "--out", to, "--with-test")).toMatchObject({
      openedTest: true,
    })
    expect(readdirSync(to).sort()).toEqual(["test.jsonl", "train.jsonl", "valid.jsonl"])
    expect(await openings()).toMatchObject([{ purpose: `export of ${version} as mlx-lm` }])
    await json("dataset", "export", task, "--format", "mlx-lm", "--out", to, "--with-test")
    expect(await openings()).toHaveLength(1)
  })

  it("writes Parquet that another reader reads", async () => {
    const to = join(out(), "train.parquet")
    await json("dataset", "export", task, "--format", "parquet", "--out", to)
    const rows = (await parquetReadObjects({ file: new Uint8Array(readFileSync(to)).buffer as ArrayBuffer })) as {
      id: string
      messages: unknown
    }[]
    const specification = Workspace.open(workspace).readTask(task)
    const train = lines(join(folder, "versions", version, "train.jsonl"))
    expect(rows).toEqual(train.map((row) => ({ id: row["id"], messages: renderExample(specification, row as never) })))
  })

  it("has every file in the ledger, so that an erasure finds it", async () => {
    const to = join(out(), "train.jsonl")
    await json("dataset", "export", task, "--format", "prompt-completion", "--out", to)
    const ledger = SqliteLedger.open(join(workspace, ".tuneloop", "ledger.db"), () => new Date(0))
    const entry = (await ledger.exports.of(task)).find(({ path }) => path === to)
    await ledger.close()
    expect(entry).toMatchObject({
      version,
      format: "prompt-completion",
      split: "train",
      digest: digestText(readFileSync(to)),
    })
  })

  it.each([
    ["a format that there is not", ["--format", "sharegtp", "--out", "x"], 2, /did you mean "sharegpt"/],
    ["another ending", ["--format", "messages", "--out", "x.parquet"], 2, /ends in \.jsonl/],
    ["one file for a folder's format", ["--format", "mlx-lm", "--out", "x.jsonl"], 2, /valid\.jsonl/],
    ["the test in one file", ["--format", "messages", "--out", "x.jsonl", "--with-test"], 2, /folder/],
    [
      "a version that there is not",
      ["--format", "messages", "--out", "x", "--dataset", "ds_ffff"],
      2,
      /ds_[0-9a-f]{16}/,
    ],
    [
      "preferences of a version that has none",
      ["--format", "preference-trl", "--out", "x"],
      1,
      /has no preferences.*\n.*--format messages/,
    ],
  ])("refuses %s and writes nothing", async (_what, words, code, message) => {
    const before = readdirSync(workspace)
    const refused = await run("dataset", "export", task, ...words)
    expect([refused.code, refused.stdout]).toEqual([code, ""])
    expect(refused.stderr).toMatch(message)
    expect(readdirSync(workspace)).toEqual(before)
  })

  it("writes the preferences of a version that has them, in both shapes", async () => {
    const copy = sampleWorkspace()
    cpSync(join(workspace, "datasets"), join(copy, "datasets"), { recursive: true })
    const place = join(copy, "datasets", task, "versions", version)
    const [row] = lines(join(place, "train.jsonl"))
    const text = `${JSON.stringify({ id: row?.["id"], input: row?.["input"], chosen: "fault", rejected: "product", provenance: row?.["provenance"] })}\n`
    writeFileSync(join(place, "preferences.jsonl"), text)
    const manifest = JSON.parse(readFileSync(join(place, "manifest.json"), "utf8"))
    manifest.files["preferences.jsonl"] = { rows: 1, digest: digestText(text) }
    // The id is that of the files, and what it names is there under it.
    const id = contentId("ds", { task, recipe: manifest.recipe, files: manifest.files })
    writeFileSync(join(place, "manifest.json"), JSON.stringify({ ...manifest, id }))
    renameSync(place, join(copy, "datasets", task, "versions", id))
    const to = out()
    for (const format of names("formats").filter((name) => name.startsWith("preference-"))) {
      const { code, stderr } = await tuneloop(copy, [
        "dataset",
        "export",
        task,
        "--dataset",
        id,
        "--format",
        format,
        "--out",
        join(to, `${format}.jsonl`),
      ]).outcome
      expect(code, stderr).toBe(0)
    }
    const assistant = (content: string) => [{ role: "assistant", content }]
    expect(lines(join(to, "preference-openai.jsonl"))).toMatchObject([
      {
        preferred_output: assistant("fault"),
        non_preferred_output: assistant("product"),
        input: { messages: [{ role: "system" }, { role: "user" }] },
      },
    ])
    expect(lines(join(to, "preference-trl.jsonl"))).toMatchObject([
      { prompt: [{ role: "system" }, { role: "user" }], chosen: assistant("fault"), rejected: assistant("product") },
    ])
  })

  it(
    "refuses tools where the format has no place for them, by row and before the test is opened, and " +
      "carries them elsewhere",
    async () => {
      const chat = sampleWorkspace()
      writeFileSync(
        join(chat, "specs", "desk.yaml"),
        "task: desk\nkind: chat\ndescription: Answers at a desk.\noutput:\n  tools:\n    - name: look\n     " +
          " parameters: {type: object}\n",
      )
      mkdirSync(join(chat, "datasets"), { recursive: true })
      const row = (index: number) => ({
        input: { messages: [{ role: "user", content: `Where is shelf ${index}${"abcdef"[index]?.repeat(20)}?` }] },
        output: { tool_calls: [{ type: "function", function: { name: "look", arguments: { index } } }] },
      })
      writeFileSync(
        join(chat, "gold.jsonl"),
        Array.from({ length: 6 }, (_, index) => `${JSON.stringify(row(index))}\n`).join(""),
      )
      for (const words of [
        ["seed", "import", "desk", join(chat, "gold.jsonl")],
        ["build", "desk"],
      ]) {
        const { code, stderr } = await tuneloop(chat, words).outcome
        expect(code, stderr).toBe(0)
      }
      const refused = await tuneloop(chat, [
        "dataset",
        "export",
        "desk",
        "--format",
        "sharegpt",
        "--out",
        join(chat, "out", "new"),
        "--with-test",
      ]).outcome
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(/train ex_[0-9a-f]{16}: ShareGPT has no place for tools/)
      expect(existsSync(join(chat, "out"))).toBe(false)
      const [held = ""] = readdirSync(join(chat, "datasets", "desk", "holdouts"))
      expect(await openings(chat, held)).toEqual([])
      const written = await tuneloop(chat, [
        "dataset",
        "export",
        "desk",
        "--format",
        "messages",
        "--out",
        join(chat, "out", "t.jsonl"),
      ]).outcome
      expect(written.code, written.stderr).toBe(0)
      expect(lines(join(chat, "out", "t.jsonl"))[0]).toMatchObject({
        tools: [{ type: "function", function: { name: "look" } }],
      })
    },
  )
})

describe("dataset tokens", () => {
  it("hands every row on as it is trained on, and tells figures by split and rows that do not render", async () => {
    const opened = Workspace.open(workspace)
    const job = opened.readJob(task)
    const notes: string[] = []
    const context = {
      workspace: opened,
      monotonicMs: () => 0,
      report: { note: (text: string) => notes.push(text) },
    } as unknown as StageContext
    const countTokens = async (_model: unknown, rows: Iterable<string>) => {
      const ids = Array.from(rows, (line) => (JSON.parse(line) as { id: string }).id)
      return {
        counts: Object.fromEntries(ids.slice(1).map((id, index) => [id, index + 1])),
        failed: { [ids[0] ?? ""]: "no answer" },
      }
    }
    const { plan, splits } = await tokenCounts(context, job, opened.readTask(task), {
      name: "counting",
      countTokens,
    } as unknown as FineTuneBackend)
    const [train, validation] = [plan.files.train.rows, plan.files.validation.rows]
    expect(splits).toMatchObject([
      {
        split: "train",
        rows: train,
        shortest: 1,
        longest: train - 1,
        total: (train * (train - 1)) / 2,
        failed: [{ why: "no answer" }],
      },
      { split: "validation", rows: validation, shortest: train, longest: train + validation - 1, failed: [] },
    ])
    expect(notes[0]).toMatch(new RegExp(`^${train + validation} rows counted`))
  })

  it("says what is missing where there is no trainer environment, and makes none", async () => {
    const { code, stderr } = await run("dataset", "tokens", task)
    expect(code).toBe(1)
    expect(stderr).toMatch(/needs the trainer environment, which is not there yet/)
    expect(stderr).toContain("tuneloop train ticket-triage")
  })
})
