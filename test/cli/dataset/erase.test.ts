import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { digest } from "../../../src/core/canonical.ts"
import type { ModelRequest } from "../../../src/core/contracts/model.ts"
import { datasetIdSchema, holdoutIdSchema, type DatasetId, type HoldoutId } from "../../../src/core/rows/frozen-ids.ts"
import { SqliteLedger } from "../../../src/store/ledger/sqlite-ledger.ts"
import { planWith } from "../../training-plan.ts"
import { json, linesOf, sample, sampleWorkspace, snapshot, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
const secret = "Wilhelmina Quakkelstein-Obafemi"
const prepared = sampleWorkspace()
const run = async (workspace: string, ...words: string[]) => tuneloop(workspace, words).outcome
/** Erases, and leaves what lies elsewhere: each test says what it looks at. */
const erase = (workspace: string, ...words: string[]) =>
  json(workspace, "dataset", "erase", task, ...words, "--yes", "--accept-remaining", "the people know")
const lines = (file: string) => linesOf<{ id: string; split?: string; input?: { body: string } }>(file)
const folderOf = (workspace: string) => join(workspace, "datasets", task)
const copyOf = (workspace: string) => {
  const copy = mkdtempSync(join(tmpdir(), "tuneloop-erase-"))
  cpSync(workspace, copy, { recursive: true })
  return copy
}
const ledgerOf = (workspace: string) =>
  SqliteLedger.open(join(workspace, ".tuneloop", "ledger.db"), () => new Date("2026-01-01T00:00:00Z"))
/** Every file of the workspace that says the text; the ledger's pages and journal as well. */
const saying = (workspace: string, text: string) =>
  readdirSync(workspace, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text))
    .map((path) => path.slice(workspace.length + 1))
    .sort()

let version: DatasetId = "ds_"
let holdout: HoldoutId = "hold_"
let seed = ""
let heldOut = ""
beforeAll(async () => {
  const gold = readFileSync(sample(task, "seeds.jsonl"), "utf8")
  const named = {
    input: { body: `This is ${secret}: my order 4711 never came to the lighthouse.` },
    output: "delivery",
    source: "letters",
  }
  writeFileSync(join(prepared, "gold.jsonl"), `${gold}${JSON.stringify(named)}\n`)
  await json(prepared, "seed", "import", task, join(prepared, "gold.jsonl"))
  const folder = folderOf(prepared)
  seed = lines(join(folder, "seeds.jsonl")).find(({ input }) => input?.body.includes(secret))?.id ?? ""
  const splits = lines(join(folder, "splits.jsonl"))
  // The split follows from the content; the test is about a row that trains.
  writeFileSync(
    join(folder, "splits.jsonl"),
    splits.map((row) => `${JSON.stringify(row.id === seed ? { ...row, split: "train" } : row)}\n`).join(""),
  )
  heldOut = splits.find(({ id, split }) => split === "test" && id !== seed)?.id ?? ""

  const request: ModelRequest = {
    provider: "openai",
    baseUrl: "http://127.0.0.1:1",
    model: "gpt-example",
    messages: [{ role: "user", content: `Write more like: ${named.input.body}` }],
    temperature: 1,
    maxTokens: 9,
    seed: 1,
  }
  const other = { ...request, messages: [{ role: "user" as const, content: "Write something else." }] }
  const ledger = ledgerOf(prepared)
  for (const [asked, text] of [
    [request, `[{"input": {"body": "Where is the parcel of ${secret}?"}}]`],
    [other, "kept"],
  ] as const) {
    const begun = await ledger.requests.begin([
      { key: digest(asked), request: asked, task, purpose: "self-instruct", worstUsd: 1 },
    ])
    if ("attempts" in begun)
      await ledger.requests.settle([
        {
          attempt: begun.attempts[0] ?? 0,
          outcome: "answered",
          answer: { text, inputTokens: 30, outputTokens: 12 },
          costUsd: 0.5,
        },
      ])
  }
  await ledger.runs.create({ run: "ticket-triage-run", job: task, task, plan: "sha256:0" })
  await ledger.runs.appendEvents("ticket-triage-run", [
    { type: "submitted", job: { backend: "elsewhere", id: "ftjob-99", submissionKey: "k" } },
  ])
  await ledger.close()
  mkdirSync(join(folder, "candidates"))
  const grown = (digit: number, parents: string[], body: string) => ({
    id: `cand_000000000000000${digit}`,
    request: digest(request),
    parents,
    strategy: "self-instruct",
    model: "openai:gpt-example",
    input: { body },
    output: "delivery",
    checks: [],
  })
  writeFileSync(
    join(folder, "candidates", "grown.jsonl"),
    [
      grown(1, [seed], `Where is the parcel of ${secret}?`),
      grown(2, ["cand_0000000000000001"], "I have been waiting for a parcel at the lighthouse since spring"),
      grown(3, [], "A barge with my crate of tulips is overdue, please look"),
    ]
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(""),
  )
  writeFileSync(
    join(prepared, "review.csv"),
    [
      "id,decision,corrected_output,comment,reviewer",
      ...[1, 2, 3].map((digit) => `cand_000000000000000${digit},accept,,fine,amara`),
      "",
    ].join("\n"),
  )
  await json(prepared, "review", "import", task, join(prepared, "review.csv"))
  const built = await json(prepared, "build", task)
  version = datasetIdSchema.parse(built["version"])
  holdout = holdoutIdSchema.parse(built["holdout"])
  await json(prepared, "dataset", "export", task, "--format", "messages", "--out", join(prepared, "out"))
  const runFolder = join(prepared, "jobs", "runs", "ticket-triage-run")
  mkdirSync(join(runFolder, "adapter"), { recursive: true })
  writeFileSync(
    join(runFolder, "plan.json"),
    JSON.stringify(planWith({ dataset: version, holdout, backend: { name: "elsewhere", options: {} } })),
  )
}, 90_000)

describe("dataset erase", () => {
  it("shows without --yes what would go and what had it, and changes nothing", async () => {
    const before = snapshot(prepared, (path) => !path.includes(".tuneloop"))
    const { code, stdout } = await run(prepared, "dataset", "erase", task, "--matching", secret.toUpperCase(), "--json")
    expect(code).toBe(3)
    const plan = JSON.parse(stdout)
    expect(plan).toMatchObject({
      state: "planned",
      requests: 1,
      versions: [{ id: version, files: ["train.jsonl"] }],
      runs: [
        {
          run: "ticket-triage-run",
          splits: ["train"],
          remote: { id: "ftjob-99" },
          adapter: "jobs/runs/ticket-triage-run/adapter",
        },
      ],
      exports: [{ path: "out/train.jsonl", format: "messages", exists: true }],
    })
    const why = Object.fromEntries(plan.rows.map((row: { id: string; why: string }) => [row.id, row.why]))
    expect(why).toEqual({ [seed]: "named", cand_0000000000000001: "named", cand_0000000000000002: "descendant" })
    expect(snapshot(prepared, (path) => !path.includes(".tuneloop"))).toEqual(before)
    const text = (await run(prepared, "dataset", "erase", task, seed)).stdout
    expect(text).toContain("remote job ftjob-99 of elsewhere")
    expect(text).toContain("the same command with --yes")
  })

  it(
    "leaves nothing of the row and its descendants in any file of the task nor in the ledger, and keeps a " +
      "tombstone without content",
    async () => {
      const workspace = copyOf(prepared)
      expect(saying(workspace, secret).length).toBeGreaterThan(4)
      expect(await erase(workspace, seed, "--why", "request 12")).toMatchObject({
        state: "erased",
      })
      // What a person gave, an export, stays; the person is told.
      expect(saying(workspace, secret)).toEqual(["gold.jsonl", "out/train.jsonl"])
      expect(
        saying(join(workspace, "datasets"), "0000000000000002").filter((path) => !path.includes("review")),
      ).toEqual([])
      const tombstones = readFileSync(join(folderOf(workspace), "tombstones.jsonl"), "utf8")
      expect(tombstones.trimEnd().split("\n")).toHaveLength(3)
      expect(tombstones).toContain('"why":"request 12"')
      expect(tombstones).not.toContain(seed.slice(5))
      expect(await json(workspace, "ledger", "verify")).toMatchObject({ ok: true })
      const ledger = ledgerOf(workspace)
      expect(await ledger.requests.totals(task)).toMatchObject({
        requests: 2,
        answered: 2,
        inputTokens: 60,
        outputTokens: 24,
      })
      await ledger.close()
      expect(await erase(workspace, seed)).toMatchObject({
        state: "unchanged",
        versions: [{ id: version }],
        runs: [{ run: "ticket-triage-run" }],
      })
    },
  )

  it("takes the answers of models to the row with it, and keeps the other answers byte for byte", async () => {
    const workspace = copyOf(prepared)
    const answers = join(workspace, ".tuneloop", "answers", task)
    mkdirSync(answers, { recursive: true })
    const answer = (id: string, output: string) =>
      `${JSON.stringify({ id, output, latencyMs: null, inputTokens: 9, outputTokens: 1, finish: "stop" })}\n`
    const other = answer("ex_00000000000000ff", "delivery")
    const file = join(answers, "tuned-0123456789abcdef.jsonl")
    writeFileSync(file, answer(seed.replace("seed_", "ex_"), `Dear ${secret}`) + other)
    await erase(workspace, seed)
    expect(readFileSync(file, "utf8")).toBe(other)
    expect(await erase(workspace, seed)).toMatchObject({ state: "unchanged" })
  })

  it("takes a question about the row out of the review queue, and what was decided on it", async () => {
    const workspace = copyOf(prepared)
    const folder = folderOf(workspace)
    const question = (id: string, row: string) => ({
      id,
      row,
      split: "train",
      label: "delivery",
      suggested: "fault",
      selfConfidence: 0.1,
      confidence: 0.9,
      isCurrent: true,
    })
    const asked = [question("label_00000000000000aa", seed), question("label_00000000000000bb", heldOut)]
    mkdirSync(join(folder, "queue"))
    writeFileSync(join(folder, "queue", "label-errors.jsonl"), asked.map((row) => `${JSON.stringify(row)}\n`).join(""))
    const decided = asked.map(({ id }) => ({
      item: id,
      verdict: "reject",
      reason: id,
      reviewer: "ben",
      guideline: "g",
      revision: "r",
      at: "2026-01-01T00:00:00Z",
    }))
    writeFileSync(
      join(folder, "decisions", "questions.jsonl"),
      decided.map((row) => `${JSON.stringify(row)}\n`).join(""),
    )
    await erase(workspace, seed)
    expect(lines(join(folder, "queue", "label-errors.jsonl"))).toEqual([asked[1]])
    expect(lines(join(folder, "decisions", "questions.jsonl"))).toEqual([decided[1]])
  })

  it("keeps the other rows byte for byte, marks the version and lets nobody train on or export it", async () => {
    const workspace = copyOf(prepared)
    const train = join(folderOf(workspace), "versions", version, "train.jsonl")
    const before = readFileSync(train, "utf8").split("\n")
    const manifest = readFileSync(join(folderOf(workspace), "versions", version, "manifest.json"), "utf8")
    await erase(workspace, seed)
    expect(readFileSync(train, "utf8").split("\n")).toEqual(
      before.filter((line) => !line.includes(seed.slice(5)) && !/ex_000000000000000[12]"/.test(line)),
    )
    expect(readFileSync(join(folderOf(workspace), "versions", version, "manifest.json"), "utf8")).toBe(manifest)
    for (const words of [
      ["train", task, "--dry-run"],
      ["dataset", "export", task, "--format", "messages", "--out", join(workspace, "out2")],
    ]) {
      const refused = await run(workspace, ...words)
      expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining(`rows were erased from ${version}`)])
    }
    const built = await json(workspace, "build", task)
    expect(built["version"]).not.toBe(version)
    const listed = (await json(workspace, "dataset", "ls"))["versions"] as { id: string; erased: boolean }[]
    expect(Object.fromEntries(listed.map(({ id, erased }) => [id, erased]))).toEqual({
      [version]: true,
      [built["version"] as string]: false,
    })
    const diff = await json(workspace, "dataset", "diff", version, "latest")
    expect(diff).toMatchObject({ came: [], went: [] })
    expect((await json(workspace, "dataset", "card", task))["erased"]).toBe(3)
  })

  it("refuses the row when it comes again, under any id, and leaves it out when git brings its file back", async () => {
    const workspace = copyOf(prepared)
    const seedsBefore = readFileSync(join(folderOf(workspace), "seeds.jsonl"), "utf8")
    await erase(workspace, seed)
    const built = await json(workspace, "build", task)
    const again = await run(workspace, "seed", "import", task, join(workspace, "gold.jsonl"))
    expect(again.code).toBe(1)
    expect(again.stderr).toMatch(/gold\.jsonl:\d+: this row was erased on \d{4}-\d\d-\d\d and does not come back/)
    const body = `This is ${secret}: my order 4711 never came to the lighthouse.`
    writeFileSync(join(workspace, "again.csv"), `id,body\nother-key,"${body}"\n`)
    expect((await run(workspace, "input", "import", task, join(workspace, "again.csv"))).code).toBe(1)
    writeFileSync(join(folderOf(workspace), "seeds.jsonl"), seedsBefore)
    expect(await json(workspace, "build", task)).toMatchObject({ state: "unchanged", version: built["version"] })
    expect(await erase(workspace)).toMatchObject({
      state: "erased",
      rows: [{ id: seed }],
    })
    expect(saying(join(workspace, "datasets"), secret)).toEqual([])
  })

  it("takes a held-out row as well, and then neither its holdout nor the version is whole", async () => {
    const workspace = copyOf(prepared)
    const { code, stdout } = await run(workspace, "dataset", "erase", task, heldOut, "--json")
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({
      versions: [{ id: holdout, files: ["test.jsonl"] }],
      runs: [{ splits: ["test"] }],
      exports: [],
    })
    await erase(workspace, heldOut)
    expect(saying(folderOf(workspace), heldOut.slice(5))).toEqual(["splits.jsonl"])
    expect((await run(workspace, "train", task, "--dry-run")).stderr).toContain(
      `rows were erased from ${holdout}, the holdout of ${version}`,
    )
    const ledger = ledgerOf(workspace)
    expect(await ledger.openings.of(holdout)).toEqual([])
    await ledger.close()
    expect((await json(workspace, "build", task))["holdout"]).not.toBe(holdout)
  })

  it.each([
    ["an id that is nowhere", ["seed_ffffffffffffffff"], 1, /has no row seed_ffffffffffffffff/],
    ["a text that nobody said", ["--matching", "xylophone factory"], 1, /no row of ticket-triage says/],
    ["a text that is in everything", ["--matching", "e"], 2, /at least 3 characters/],
    ["no row at all", [], 2, /nothing is named/],
  ])("refuses %s", async (_what, words, code, message) => {
    const refused = await run(prepared, "dataset", "erase", task, ...words, "--yes")
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringMatching(message)])
  })
})

it("takes what killed commands left unfinished along, and the kept answers about the task", async () => {
  const workspace = copyOf(prepared)
  const left = [".0123456789ab.tmp", join("versions", ".ba9876543210.tmp", "train.jsonl")]
  for (const name of left) {
    mkdirSync(dirname(join(folderOf(workspace), name)), { recursive: true })
    writeFileSync(join(folderOf(workspace), name), `{"input":{"body":"${secret}"}`)
  }
  await json(workspace, "review", "status", task)
  const kept = join(workspace, ".tuneloop", "cache", "answers", task)
  expect(readdirSync(kept)).toEqual(expect.arrayContaining(["review.json"]))
  const planned = await run(workspace, "dataset", "erase", task, seed)
  expect(planned.stdout).toContain("2 files that killed commands left unfinished would go as well")
  expect(saying(folderOf(workspace), secret)).toEqual(expect.arrayContaining(left))
  expect(await erase(workspace, seed)).toMatchObject({
    state: "erased",
    unfinished: 2,
  })
  expect(saying(folderOf(workspace), secret)).toEqual([])
  expect(existsSync(kept)).toBe(false)
  expect((await erase(workspace, seed))["state"]).toBe("unchanged")
}, 60_000)

describe("an erasure that is killed", () => {
  it("at any write, and called again, ends with the files of an undisturbed one; meanwhile nobody trains on " +
    "what is left", {
    timeout: 240_000,
  }, async () => {
    const undisturbed = copyOf(prepared)
    await erase(undisturbed, seed)
    const files = (workspace: string) => {
      const found = snapshot(
        folderOf(workspace),
        (path) => !/\/\.[0-9a-f]{12}[-0-9a-f]*\.tmp$|tombstones|elsewhere|erased\.json|decisions/.test(path),
      )
      return found
    }
    const marks = (workspace: string) =>
      [join("versions", version, "erased.json"), "tombstones.jsonl"].map((name) =>
        readFileSync(join(folderOf(workspace), name), "utf8").replace(/"at":\s*"[^"]*"/g, ""),
      )
    let killed = 0
    let between = 0
    for (let attempt = 0; attempt < 6; attempt++) {
      const workspace = copyOf(prepared)
      const { child, outcome } = tuneloop(workspace, ["dataset", "erase", task, seed, "--yes"])
      let left = attempt + 1
      const watcher = watch(folderOf(workspace), { recursive: true }, () => {
        if (--left === 0) child.kill("SIGKILL")
      })
      if ((await outcome).code === null) killed++
      watcher.close()
      const hasBegun = existsSync(join(folderOf(workspace), "tombstones.jsonl"))
      if (hasBegun && saying(folderOf(workspace), secret).some((path) => path.endsWith(".jsonl"))) between++
      if (hasBegun) expect((await run(workspace, "train", task, "--dry-run")).code).not.toBe(0)
      expect(["erased", "unchanged"]).toContain((await erase(workspace, seed))["state"])
      expect(files(workspace)).toEqual(files(undisturbed))
      expect(marks(workspace)).toEqual(marks(undisturbed))
      expect(saying(join(workspace, ".tuneloop"), secret)).toEqual([])
    }
    expect(killed).toBeGreaterThan(2)
    expect(between).toBeGreaterThan(0)
  })
})
