import { execFileSync } from "node:child_process"
import { readFileSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { beforeAll, describe, expect, it } from "vitest"
import type { Candidate, Decision, Example } from "../../../src/core/rows/example.ts"
import { importSeeds, json, linesOf, sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
let workspace = ""
let candidates: Candidate[] = []

const folder = (...parts: string[]) => join(workspace, "datasets", task, ...parts)
const git = (...words: string[]) =>
  execFileSync("git", ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", ...words], {
    cwd: workspace,
    encoding: "utf8",
  })
const other = (label: unknown) => (label === "fault" ? "product" : "fault")

/** Imports one decision an item, by the reviewer. */
async function decide(
  reviewer: string,
  lines: readonly string[],
  name = "decided.csv",
): Promise<Record<string, unknown>> {
  writeFileSync(join(workspace, name), `id,decision,corrected_output\n${lines.join("\n")}\n`)
  return json(workspace, "review", "import", task, join(workspace, name), "--reviewer", reviewer)
}

function exported(): Promise<Record<string, string>[]> {
  const out = join(workspace, "review.csv")
  return json(workspace, "review", "export", task, "--out", out).then(() =>
    parse(readFileSync(out), { bom: true, columns: true }),
  )
}

const decisions = () => readdirSync(folder("decisions")).flatMap((file) => linesOf<Decision>(folder("decisions", file)))

beforeAll(async () => {
  workspace = sampleWorkspace()
  await importSeeds(workspace)
  await json(workspace, "expand", task, "--strategy", "recombine", "--count", "12")
  const [batch] = readdirSync(folder("candidates")) as [string]
  candidates = linesOf<Candidate>(folder("candidates", batch)).filter(({ checks }) => checks.every(({ ok }) => ok))
  writeFileSync(join(workspace, ".gitignore"), ".tuneloop/\n*.csv\n")
  git("init", "-q", "-b", "main")
  git("add", "-A")
  git("commit", "-qm", "grown")
})

describe("two people who review on two branches", () => {
  it("merge without a conflict, also where both imported the same file, and get every decision", async () => {
    const both = candidates.slice(0, 6).map(({ id }) => `${id},accept,`)
    git("checkout", "-qb", "amara")
    await decide("amara", both)
    await decide("chidi", [`${candidates[7]?.id},reject,`], "shared.csv")
    git("add", "-A")
    git("commit", "-qm", "amara")
    git("checkout", "-q", "main")
    git("checkout", "-qb", "ben")
    await decide("ben", [
      ...both.slice(0, 4),
      `${candidates[4]?.id},edit,${other(candidates[4]?.output)}`,
      `${candidates[5]?.id},reject,`,
    ])
    await decide("chidi", [`${candidates[7]?.id},reject,`], "shared.csv")
    git("add", "-A")
    git("commit", "-qm", "ben")
    git("merge", "-q", "--no-edit", "amara")
    expect(git("status", "--porcelain")).toBe("")
    const by = Map.groupBy(decisions(), ({ reviewer }) => reviewer)
    expect([by.get("amara")?.length, by.get("ben")?.length]).toEqual([6, 6])
    expect(new Set(by.get("chidi")?.map(({ item, verdict }) => `${item} ${verdict}`)).size).toBe(1)
    expect(await json(workspace, "review", "status", task)).toMatchObject({ conflicts: 2, accepted: 4, rejected: 1 })
    expect(await json(workspace, "review", "agreement", task)).toMatchObject({
      items: 6,
      unanimous: 4,
      reviewers: ["amara", "ben"],
      raw: 4 / 6,
    })
    const { stdout } = await tuneloop(workspace, ["review", "agreement", task]).outcome
    expect(stdout).toMatch(/6 items were decided on by several of amara, ben: all agreed on 4/)
  })

  it(
    "and what contradicts is one question each, which shows the answers without names, and which a third " +
      "person settles",
    async () => {
      const asked = (await exported()).filter(({ kind }) => kind === "adjudication")
      expect(asked).toHaveLength(2)
      const [edited, rejected] = [candidates[4], candidates[5]] as [Candidate, Candidate]
      const about = ({ input }: Candidate) =>
        asked.find((row) => row["input.body"] === input["body"]) as Record<string, string>
      expect([about(edited)["proposed_output"], about(edited)["current_output"]].sort()).toEqual(
        [edited.output, other(edited.output)].sort(),
      )
      expect(about(rejected)["note"]).toContain(`${rejected.output}; or turned down`)
      expect(JSON.stringify(asked)).not.toMatch(/amara|ben\b/)
      const settle = [`${about(edited)["id"]},edit,${other(edited.output)}`, `${about(rejected)["id"]},accept,`]
      expect(await decide("chidi", settle)).toMatchObject({ added: 2 })
      expect(await decide("chidi", settle), "imported again").toMatchObject({ added: 0, unchanged: 2 })
      expect(await json(workspace, "review", "status", task)).toMatchObject({ conflicts: 0, accepted: 6, rejected: 1 })
      const built = await json<{ version: string }>(workspace, "build", task)
      const train = linesOf<Example>(folder("versions", built.version, "train.jsonl"))
      const outputOf = ({ id }: Candidate) => train.find((row) => row.id === `ex_${id.slice(5)}`)
      expect(outputOf(edited)).toMatchObject({ output: other(edited.output), provenance: { acceptedBy: "chidi" } })
      expect(outputOf(rejected)).toMatchObject({ output: rejected.output })
    },
  )

  it("a reviewer who says something new after that opens it again", async () => {
    await decide("ben", [`${candidates[4]?.id},edit,account`])
    expect(await json(workspace, "review", "status", task)).toMatchObject({ conflicts: 1 })
    const [asked] = (await exported()).filter(({ kind }) => kind === "adjudication")
    await decide("dora", [`${asked?.["id"]},reject,`])
    expect(await json(workspace, "review", "status", task)).toMatchObject({ conflicts: 0, rejected: 2 })
    // An erasure reaches what settled it.
    await json(
      workspace,
      "dataset",
      "erase",
      task,
      candidates[4]?.id as string,
      "--yes",
      "--accept-remaining",
      "a test",
    )
    expect(JSON.stringify(decisions())).not.toContain(asked?.["id"])
  })
})

it("a settled conflict is asked again when one of its rows is corrected to a third output afterwards", async () => {
  const body = "the zinc watering can that I bought at the end of March has a leak near its spout"
  const pair = [
    { input: { body }, output: "fault", split: "train" },
    { input: { body: `${body} now` }, output: "product", split: "train" },
  ]
  writeFileSync(join(workspace, "pair.jsonl"), pair.map((row) => `${JSON.stringify(row)}\n`).join(""))
  await json(workspace, "seed", "import", task, join(workspace, "pair.jsonl"))
  expect(await json(workspace, "build", task)).toMatchObject({ conflicts: 1 })
  const conflicts = async () => (await exported()).filter(({ kind }) => kind === "conflict")
  const [first] = (await conflicts()) as [Record<string, string>]
  await decide("amara", [`${first["id"]},a,`])
  expect(await json(workspace, "review", "status", task)).toMatchObject({ conflictPairs: 0 })
  // One of the rows is corrected by hand of another reviewer, as a suspected label error would be.
  const check = decisions().find(
    (decision) => decision.item.startsWith("check_") && decision.reviewer === "amara",
  ) as Decision
  const later = { ...check, output: "account", at: "2030-01-01T00:00:00.000Z" }
  writeFileSync(folder("decisions", "later.jsonl"), `${JSON.stringify(later)}\n`)
  expect(await json(workspace, "build", task)).toMatchObject({ conflicts: 1 })
  const [again] = (await conflicts()) as [Record<string, string>]
  expect(again["id"]).not.toBe(first["id"])
  expect([again["proposed_output"], again["current_output"]].sort()).toEqual(
    ["account", first["proposed_output"]].sort(),
  )
  await decide("amara", [`${again["id"]},b,`])
  expect(await json(workspace, "review", "status", task)).toMatchObject({ conflictPairs: 0 })
  const { stdout } = await tuneloop(workspace, ["build", task]).outcome
  expect(stdout).not.toContain("to decide on")
}, 30_000)
