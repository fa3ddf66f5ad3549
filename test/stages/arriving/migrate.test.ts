import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { beforeAll, describe, expect, it } from "vitest"
import type { Assignment, Candidate, Decision, Example, Seed } from "../../../src/core/rows/example.ts"
import { checkId } from "../../../src/core/rows/row-identity.ts"
import { importSeeds, json, linesOf, rowsOf, sampleWorkspace, snapshot, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
const workspace = sampleWorkspace()
const folder = (...parts: string[]) => join(workspace, "datasets", task, ...parts)
const specification = join(workspace, "specs", `${task}.yaml`)
const specify = (change: (text: string) => string) =>
  writeFileSync(specification, change(readFileSync(specification, "utf8")))
const files = () => snapshot(folder(), (path) => !/migrations\.jsonl|\/(versions|holdouts)\//.test(path))
const at = "2026-11-24T10:00:00.000Z"
let corrected: Seed
let edited: Candidate
let accepted: Candidate

interface Built {
  version: string
  holdout: string
  rows: Record<string, number>
}
async function build(): Promise<Built & { train: Example[] }> {
  const built = await json<Built>(workspace, "build", task)
  return { ...built, train: linesOf<Example>(folder("versions", built.version, "train.jsonl")) }
}
async function exported(...words: string[]): Promise<Record<string, string>[]> {
  const out = join(workspace, "review.csv")
  await json(workspace, "review", "export", task, "--out", out, ...words)
  return parse(readFileSync(out), { bom: true, columns: true })
}
async function decide(lines: readonly string[]): Promise<void> {
  writeFileSync(join(workspace, "decided.csv"), `id,decision,corrected_output\n${lines.join("\n")}\n`)
  await json(workspace, "review", "import", task, join(workspace, "decided.csv"), "--reviewer", "amara")
}

beforeAll(async () => {
  await importSeeds(workspace)
  await json(workspace, "expand", task, "--strategy", "recombine", "--count", "40")
  const train = new Set(
    rowsOf<Assignment>(workspace, "splits.jsonl").flatMap(({ id, split }) => (split === "train" ? [id] : [])),
  )
  const [batch] = readdirSync(folder("candidates")) as [string]
  const candidates = linesOf<Candidate>(folder("candidates", batch)).filter(({ checks }) =>
    checks.every(({ ok }) => ok),
  )
  edited = candidates.find(({ output }) => output === "payment") as Candidate
  accepted = candidates.find(({ output }) => output === "delivery") as Candidate
  await decide(
    candidates.map((each) =>
      each === edited
        ? `${each.id},edit,delivery`
        : each.output === "product"
          ? `${each.id},reject,`
          : `${each.id},accept,`,
    ),
  )
  // A train seed of the label that will be renamed was corrected, as a suspected label error is.
  corrected = rowsOf<Seed>(workspace, "seeds.jsonl").find(
    ({ id, output }) => output === "delivery" && train.has(id),
  ) as Seed
  const decision: Decision = {
    item: checkId(corrected.id, corrected.input, corrected.output),
    rows: [corrected.id],
    verdict: "edit",
    output: "fault",
    reviewer: "ben",
    guideline: "sha256:0",
    revision: "sha256:0",
    at,
  }
  writeFileSync(folder("decisions", "by-hand.jsonl"), `${JSON.stringify(decision)}\n`)
})

describe("a renamed label", () => {
  it("is planned first, and refused where the specification does not fit", async () => {
    const words = ["task", "migrate", task, "--rename", "delivery=shipping"]
    const early = await tuneloop(workspace, [...words, "--yes"]).outcome
    expect([early.code, early.stderr]).toEqual([2, expect.stringContaining('has no label "shipping"')])
    specify((text) => text.replaceAll(/\bdelivery:/g, "shipping:"))
    const wrong = await tuneloop(workspace, ["task", "migrate", task, "--rename", "delivry=shipping"]).outcome
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean "delivery"?')])
    const planned = await tuneloop(workspace, words).outcome
    expect([planned.code, planned.stdout]).toEqual([
      3,
      expect.stringMatching(/rename delivery to shipping: \d+ seeds, \d+ candidates, \d+ decisions/),
    ])
    expect(readdirSync(folder())).not.toContain("migrations.jsonl")
  }, 30_000)

  it("is the label of every row, and what was decided under the old name counts; no other file changes and " +
    "nothing held out moves", async () => {
    const before = files()
    expect(await json(workspace, "task", "migrate", task, "--rename", "delivery=shipping", "--yes")).toMatchObject({
      state: "migrated",
      asked: 0,
    })
    expect(await json(workspace, "task", "migrate", task, "--rename", "delivery=shipping", "--yes")).toMatchObject({
      state: "unchanged",
    })
    expect(await json(workspace, "review", "status", task)).toMatchObject({ open: 0, stale: 0 })
    const { train } = await build()
    const outputOf = (id: string) => train.find((row) => row.id === `ex_${id.slice(id.indexOf("_") + 1)}`)
    expect(train.filter(({ output }) => output === "delivery")).toEqual([])
    expect(outputOf(accepted.id)).toMatchObject({ output: "shipping", provenance: { acceptedBy: "amara" } })
    expect(outputOf(edited.id)).toMatchObject({ output: "shipping" })
    expect(outputOf(corrected.id)).toMatchObject({ output: "fault", provenance: { correctedBy: "ben" } })
    expect(files()).toEqual(before)
  }, 30_000)
})

describe("a split label", () => {
  it("asks about the rows that had it, which are examples again when people decided", async () => {
    const before = await build()
    const had = before.train.filter(({ output }) => output === "account").map(({ id }) => id)
    expect(had.length).toBeGreaterThan(1)
    specify((text) =>
      text
        .replace(/^ {4}account: .*\n/m, "    login: signing in\n    profile: personal data\n")
        .replace(/^ {8}account:/m, "        login:"),
    )
    const result = await json<{ asked: number }>(
      workspace,
      "task",
      "migrate",
      task,
      "--split",
      "account=login,profile",
      "--yes",
    )
    const held = before.rows["validation"] as number
    const asked = await exported("--only", "relabel")
    expect(asked.length).toBe(result.asked)
    const between = await build()
    expect(between.train.filter(({ id }) => had.includes(id))).toEqual([])
    expect(between.train.length).toBe(before.train.length - had.length)
    expect(between.rows["validation"]).toBeLessThan(held)

    await decide(asked.map(({ id }, index) => `${id},edit,${index % 2 === 0 ? "login" : "profile"}`))
    expect(await json(workspace, "review", "status", task)).toMatchObject({ open: 0 })
    const after = await build()
    expect(after.train.filter(({ id }) => had.includes(id)).map(({ id }) => id)).toEqual(had)
    expect(new Set(after.train.filter(({ id }) => had.includes(id)).map(({ output }) => output))).toEqual(
      new Set(["login", "profile"]),
    )
    expect([after.rows["validation"], after.rows["test"]]).toEqual([before.rows["validation"], before.rows["test"]])
    expect(await json(workspace, "task", "migrate", task, "--split", "account=login,profile", "--yes")).toMatchObject({
      state: "unchanged",
    })
    expect(await json(workspace, "dataset", "show", task, accepted.id)).toMatchObject({
      decisions: [{ reviewer: "amara", verdict: "accept" }],
    })
  }, 60_000)
})
