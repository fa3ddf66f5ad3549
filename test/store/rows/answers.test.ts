import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Prediction } from "../../../src/core/contracts/backend.ts"
import { answersFile, answersFiles, keepAnswers, readAnswers } from "../../../src/store/rows/answers.ts"
import { Workspace } from "../../../src/store/workspace.ts"

const workspace = () => Workspace.open(mkdtempSync(join(tmpdir(), "tuneloop-kept-")))
const answer = (id: string): Prediction => ({
  id,
  output: `answer to ${id}`,
  latencyMs: null,
  inputTokens: 9,
  outputTokens: 1,
  finish: "stop",
})

describe("kept answers", () => {
  it("are those of exactly these rows in this order, or none", () => {
    const file = answersFile(workspace(), "mood", "tuned", "0123456789abcdef")
    expect(readAnswers(file, [])).toBeUndefined()
    keepAnswers(file, [answer("a"), answer("b")])
    expect(readAnswers(file, ["a", "b"])).toEqual([answer("a"), answer("b")])
    expect(readAnswers(file)).toHaveLength(2)
    for (const ids of [["b", "a"], ["a"], ["a", "b", "c"], ["a", "c"]]) expect(readAnswers(file, ids)).toBeUndefined()
  })

  it("are none where a line is no answer", () => {
    const file = answersFile(workspace(), "mood", "tuned", "0123456789abcdef")
    for (const line of ["not JSON", "{}", JSON.stringify({ ...answer("a"), finish: "tired" })]) {
      keepAnswers(file, [answer("a")])
      writeFileSync(file, `${line}\n`)
      expect(readAnswers(file)).toBeUndefined()
    }
  })

  it("lie in a file of their own for any name of a contender, and are all found again", () => {
    const at = workspace()
    const names = ["few-shot", "endpoint:frontier", "recorded:../../../etc/x"]
    for (const name of names) keepAnswers(answersFile(at, "mood", name, "0123456789abcdef"), [answer("a")])
    keepAnswers(answersFile(at, "other", "few-shot", "0123456789abcdef"), [answer("a")])
    expect(answersFiles(at, "mood").map((file) => basename(file))).toEqual([
      "endpoint_frontier-0123456789abcdef.jsonl",
      "few-shot-0123456789abcdef.jsonl",
      "recorded_.._.._.._etc_x-0123456789abcdef.jsonl",
    ])
    expect(answersFiles(at, "none")).toEqual([])
  })
})
