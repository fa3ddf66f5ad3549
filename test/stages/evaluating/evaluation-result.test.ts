import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { readEvaluation } from "../../../src/stages/evaluating/evaluation-result.ts"
import { writeAtomically } from "../../../src/store/files/files.ts"
import { evaluationFile } from "../../../src/store/rows/run-files.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { fixtureFolder, fixtureRuns } from "../../characterisation/fixture.ts"

const kept = readFileSync(
  join(fixtureFolder, "jobs", "runs", fixtureRuns.finished, "evaluations", "eval_a11095caa0dbe521.json"),
  "utf8",
)
const folder = () => Workspace.open(mkdtempSync(join(tmpdir(), "tuneloop-result-")))
const reread = (value: unknown) => {
  const workspace = folder()
  writeAtomically(evaluationFile(workspace, "run", "eval_1"), JSON.stringify(value))
  return readEvaluation(workspace, "run", "eval_1")
}

it("reads a result of an earlier version as it is, in the order of its keys", () => {
  expect(JSON.stringify(reread(JSON.parse(kept)))).toBe(JSON.stringify(JSON.parse(kept)))
})

it("reads one from before test sets wore out and answers were kept, and keeps what it does not know", () => {
  const { tainted: _, wear: _wear, answers: _answers, ...old } = JSON.parse(kept)
  expect(reread({ ...old, later: { than: "this" } })).toEqual({ ...old, later: { than: "this" } })
})

it("reads a figure that could not be computed as what it is, which JSON has not", () => {
  const value = JSON.parse(kept)
  value.contenders[0].metrics.accuracy.value = null
  const result = reread(value)
  expect(result?.contenders[0]?.metrics["accuracy"]?.value).toBeNaN()
  expect(JSON.stringify(result)).toBe(JSON.stringify(value))
})

it("names each thing that is wrong, and says nothing of a file that is not there", () => {
  expect(() => reread({ ...JSON.parse(kept), verdict: "perhaps", notes: "many" })).toThrow(
    expect.objectContaining({
      issues: [
        expect.objectContaining({ path: "verdict", message: expect.stringContaining('got "perhaps"') }),
        expect.objectContaining({ path: "notes" }),
      ],
    }),
  )
  expect(readEvaluation(folder(), "run", "eval_1")).toBeUndefined()
})
