import { cpSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { beforeAll, beforeEach, describe, expect, it } from "vitest"
import type { Candidate, Example, Seed } from "../../../src/core/rows/example.ts"
import { importSeeds, json, linesOf, sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
let workspace = ""
const folder = (...parts: string[]) => join(workspace, "datasets", task, ...parts)
type Row = Record<string, string>

function specify(review: string): void {
  const file = join(workspace, "specs", `${task}.yaml`)
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace(/^review:\n( {2}.*\n)+/m, `review:\n${review.replace(/^/gm, "  ")}\n`),
  )
}

async function exported(...words: string[]): Promise<Row[]> {
  const out = join(workspace, "review.csv")
  // Where nothing waits no file is written.
  const { file } = await json(workspace, "review", "export", task, "--out", out, ...words)
  return file === null ? [] : parse(readFileSync(out), { bom: true, columns: true })
}

async function decide(reviewer: string, lines: readonly string[]): Promise<Record<string, unknown>> {
  writeFileSync(join(workspace, "decided.csv"), `id,decision,corrected_output,comment\n${lines.join("\n")}\n`)
  return json(workspace, "review", "import", task, join(workspace, "decided.csv"), "--reviewer", reviewer)
}

const candidates = () =>
  readdirSync(folder("candidates"))
    .flatMap((file) => linesOf<Candidate>(folder("candidates", file)))
    .filter(({ checks }) => checks.every(({ ok }) => ok))
const status = () => json(workspace, "review", "status", task)

const grown = sampleWorkspace()
beforeAll(async () => {
  await importSeeds(grown)
  await json(grown, "expand", task, "--strategy", "recombine", "--count", "40")
})
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), "tuneloop-review-"))
  cpSync(grown, workspace, { recursive: true })
})

describe("a sample of a batch", () => {
  it("accepts the rest, marked with policy and batch, when few enough of it are wrong; one error more and " +
    "the whole batch is asked", async () => {
    specify("policy: sample\nsampleSize: 10\nmaxError: 0.3")
    const all = candidates()
    const [batch] = readdirSync(folder("candidates")).map((file) => file.replace(".jsonl", ""))
    const asked = await exported()
    expect(asked).toHaveLength(10)
    expect(await status()).toMatchObject({
      open: 10,
      accepted: 0,
      waiting: all.length - 10,
      effort: { decisions: 10, secondsPerDecision: 20, isMeasured: false },
    })
    await decide(
      "amara",
      asked.map(({ id }) => `${id},accept`),
    )
    expect(await status()).toMatchObject({
      open: 0,
      accepted: all.length,
      acceptedByPolicy: all.length - 10,
      strata: [{ name: batch, state: "accepted", decided: 10, wrong: 0 }],
    })
    const built = await json<{ version: string }>(workspace, "build", task)
    const train = linesOf<Example>(folder("versions", built.version, "train.jsonl")).filter(
      ({ provenance }) => provenance.strategy === "recombine",
    )
    const by = new Set(train.map(({ provenance }) => provenance.acceptedBy))
    expect(by).toEqual(new Set(["amara", `policy:sample:${batch}`]))

    // Reviewers look again, and find one wrong: the bound is too high, and everything is asked.
    await decide("amara", [`${asked[0]?.["id"]},reject,,Not our shop.`, `${asked[1]?.["id"]},reject,,not our  shop`])
    expect(await status()).toMatchObject({
      open: all.length - 10,
      acceptedByPolicy: 0,
      strata: [{ wrong: 2, state: "asking", missing: all.length - 10 }],
      strategies: { recombine: { decided: 10, edited: 0, rejected: 2, rate: { value: 0.2 } } },
      rejections: [{ count: 2, strategies: { recombine: 2 } }],
    })
    const { stdout } = await tuneloop(workspace, ["review", "status", task]).outcome
    expect(stdout).toMatch(/2 of the sample of 10 are wrong/)
    expect(stdout).toMatch(/decisions left: 0\.\d hours at 20 s each \(assumed/)
    expect(stdout).toContain("rejected because: Not our shop. (2)")
  }, 60_000)

  it("policies for a strategy come first; a strategy that there is not is told", async () => {
    specify("policy: all\npolicies:\n  - { strategy: recombine, policy: sample, sampleSize: 5, maxError: 0.6 }")
    expect(await exported()).toHaveLength(5)
    specify("policy: all\npolicies:\n  - { strategy: recombin, policy: sample }")
    const { code, stderr } = await tuneloop(workspace, ["spec", "check", task]).outcome
    expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean "recombine"?')])
  }, 30_000)
})

describe("named reviewers", () => {
  const kinds = (rows: readonly Row[]) => new Set(rows.map(({ kind }) => kind))

  it("get their share with the overlap, calibration items first, and gold checks that look like the others " +
    "and change no data", async () => {
    specify("policy: all\nreviewers: [amara, ben, chidi]\ncalibration: 4\noverlap: 0.2\ngoldChecks: 0.2")
    const all = candidates()
    const seeds = new Map(linesOf<Seed>(folder("seeds.jsonl")).map((seed) => [seed.input["body"] as string, seed]))
    const shares = new Map<string, Row[]>()
    for (const name of ["amara", "ben", "chidi"]) shares.set(name, await exported("--reviewer", name))
    const first = [...shares.values()].map((rows) => rows.slice(0, 4).map(({ id }) => id))
    expect(first[1]).toEqual(first[0])
    expect(first[2]).toEqual(first[0])
    const isGold = (row: Row) => seeds.has(row["input.body"] as string)
    const askedOf = new Map<string, number>()
    for (const rows of shares.values())
      for (const row of rows.filter((each) => !isGold(each)))
        askedOf.set(row["id"] as string, (askedOf.get(row["id"] as string) ?? 0) + 1)
    expect([...askedOf.keys()].sort()).toEqual(all.map(({ id }) => id).sort())
    expect([...askedOf.values()].filter((count) => count === 3)).toHaveLength(4)
    expect([...askedOf.values()].filter((count) => count === 2).length).toBeGreaterThan(2)
    const amara = shares.get("amara") as Row[]
    expect(kinds(amara)).toEqual(new Set(["candidate"]))
    const gold = amara.filter(isGold)
    expect(gold.length).toBe(Math.min(8, gold.length))
    expect(gold.length).toBeGreaterThan(3)

    // Accepting everything is wrong where the proposed output is not the known one.
    await decide(
      "amara",
      amara.map(({ id }) => `${id},accept`),
    )
    const wrong = gold.filter((row) => seeds.get(row["input.body"] as string)?.output !== row["proposed_output"]).length
    expect(wrong).toBeGreaterThan(0)
    expect(await status()).toMatchObject({ reviewers: { amara: { goldChecks: gold.length, goldErrors: wrong } } })
    // Their own items are decided, those that others have to decide on as well are not; nothing is asked twice of the
    // same person.
    const shared = amara.filter((row) => (askedOf.get(row["id"] as string) ?? 0) > 1)
    expect(await status()).toMatchObject({ accepted: amara.length - gold.length - shared.length })
    expect((await exported("--reviewer", "amara")).filter((row) => !isGold(row))).toEqual([])
    const left = await exported("--reviewer", "ben")
    expect(left.map(({ id }) => id)).toEqual((shares.get("ben") as Row[]).map(({ id }) => id))
    expect(JSON.stringify(left)).not.toContain("amara")
    const built = await json<{ version: string }>(workspace, "build", task)
    const train = linesOf<Example>(folder("versions", built.version, "train.jsonl"))
    expect(
      train
        .filter(({ provenance }) => provenance.acceptedBy === "amara")
        .every(({ provenance }) => provenance.strategy === "recombine"),
    ).toBe(true)
    const refused = await tuneloop(workspace, [
      "review",
      "export",
      task,
      "--reviewer",
      "amera",
      "--out",
      join(workspace, "x.csv"),
    ]).outcome
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('did you mean "amara"?')])
  }, 60_000)

  it("what two decide differently goes to the third, and to nobody else", async () => {
    specify("policy: all\nreviewers: [amara, ben, chidi]\ncalibration: 0\noverlap: 1\ngoldChecks: 0")
    const amara = await exported("--reviewer", "amara")
    const ben = new Set((await exported("--reviewer", "ben")).map(({ id }) => id))
    const both = amara.find(({ id }) => ben.has(id)) as Row
    await decide("amara", [`${both["id"]},accept`])
    expect(await status()).toMatchObject({ accepted: 0 })
    await decide("ben", [`${both["id"]},reject`])
    const adjudications = async (name: string) => (await exported("--reviewer", name, "--only", "adjudication")).length
    expect([await adjudications("amara"), await adjudications("ben"), await adjudications("chidi")]).toEqual([0, 0, 1])
  }, 60_000)
})

it("the queue asks what is uncertain first, then labels without an example, then a random share, then the " +
  "rest", async () => {
  specify("policy: all\nrandomShare: 0.2")
  const [file] = readdirSync(folder("candidates")) as [string]
  const all = linesOf<Candidate>(folder("candidates", file))
  const good = all.filter(({ checks }) => checks.every(({ ok }) => ok))
  const [low, lower] = good as [Candidate, Candidate]
  const confidence = new Map([
    [low.id, 0.5],
    [lower.id, 0.2],
  ])
  writeFileSync(
    folder("candidates", file),
    all
      .map(
        (row) => `${JSON.stringify(confidence.has(row.id) ? { ...row, confidence: confidence.get(row.id) } : row)}\n`,
      )
      .join(""),
  )
  // No train example has the label account any more.
  const seeds = linesOf<Seed>(folder("seeds.jsonl")).map((seed) => ({
    ...seed,
    output: seed.output === "account" ? "product" : seed.output,
  }))
  writeFileSync(folder("seeds.jsonl"), seeds.map((row) => `${JSON.stringify(row)}\n`).join(""))
  const asked = (await exported()).filter(({ kind }) => kind === "candidate")
  expect(asked).toHaveLength(good.length)
  expect(asked.slice(0, 2).map(({ id }) => id)).toEqual([lower.id, low.id])
  const account = good.filter(({ id, output }) => output === "account" && !confidence.has(id)).map(({ id }) => id)
  expect(account.length).toBeGreaterThan(0)
  expect(asked.slice(2, 2 + account.length).map(({ id }) => id)).toEqual(account.sort())
}, 30_000)
