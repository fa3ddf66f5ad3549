import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { copyFixture, fixtureRuns } from "../characterisation/fixture.ts"
import { json, tuneloop } from "../command-line.ts"

/** A workspace that commit 50f4575 made, with a finished evaluation; nothing here can start Python. */
function earlier(): string {
  const workspace = mkdtempSync(join(tmpdir(), "tuneloop-evaluate-"))
  copyFixture(workspace)
  return workspace
}

describe("a workspace of an earlier version", () => {
  it("has its evaluation unchanged, and answers for a new rule without asking anybody", async () => {
    const workspace = earlier()
    const first = await json<{ evaluation: string; verdict: string }>(workspace, "evaluate", "finished")
    const file = join(workspace, "jobs", "runs", fixtureRuns.finished, "evaluations", `${first.evaluation}.json`)
    const kept = JSON.parse(readFileSync(file, "utf8"))
    const { schemaVersion: _version, confusion: _confusion, at: _at, ...shown } = kept
    expect(first).toMatchObject(shown)

    const specification = join(workspace, "specs", "mood.yaml")
    writeFileSync(specification, `${readFileSync(specification, "utf8")}  margin: 0.02\n`)
    const second = await json<typeof kept>(workspace, "evaluate", "finished")
    expect(second.evaluation).not.toBe(first.evaluation)
    expect(second.rule).toContain("by more than 2 points")
    const figures = ({ contenders }: typeof kept) =>
      contenders.filter(({ name }: { name: string }) => name !== "linear")
    // How many were cut is a later figure: here it is every answer that could not be read.
    const withCut = figures(kept).map((contender: { unreadable: number }) => ({
      ...contender,
      cut: contender.unreadable,
    }))
    expect(figures(second)).toEqual(withCut)
    for (const place of Object.values<string>(second.answers))
      expect(readFileSync(join(workspace, place), "utf8")).toContain("ex_")
  })

  it("says what it does not know", async () => {
    const workspace = earlier()
    const { code, stderr } = await tuneloop(workspace, ["evaluate", "finished", "--against", "few-shots"]).outcome
    expect(code).toBe(2)
    expect(stderr).toMatch(/there is no contender "few-shots"; allowed: zero-shot, .*; did you mean "few-shot"\?/)
    const file = join(workspace, "jobs", "runs", fixtureRuns.finished, "evaluations", "eval_a11095caa0dbe521.json")
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), verdict: "perhaps" }))
    const broken = await tuneloop(workspace, ["evaluate", "finished"]).outcome
    expect(broken.code).toBe(1)
    expect(broken.stderr).toContain('verdict: got "perhaps"; allowed: promote, reject, undecided')
  })
})
