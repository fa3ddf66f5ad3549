import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { sampleWorkspace, tuneloop } from "../../command-line.ts"
import { fillIn } from "../../stages/reviewing/review-workspace.ts"

const workspace = sampleWorkspace()
const run = (...words: string[]) => tuneloop(workspace, words).outcome
const file = (name: string, text: string) => {
  writeFileSync(join(workspace, name), text)
  return join(workspace, name)
}

it.each([
  [["expand", "ticket-triage", "--count", "0"], "error: --count <n> got '0'; it must be a whole number, at least 1\n"],
  [["dedup", "x.jsonl", "--memory", "3"], "error: --memory <size> got '3'; it must be a size such as 4GB or 500MB\n"],
  [["schema", "nope"], "error: <file> got 'nope'; allowed: task, job, workspace, example\n"],
  [["review", "export", "ticket-triage", "--only", "x"], "error: --only <kind> got 'x'; allowed: candidate, input"],
  [["task", "migrate", "ticket-triage", "--rename", "x"], "error: --rename <old=new> got 'x'; write old=new\n"],
])("a wrong value is a sentence: %j", async (words, expected) => {
  const { code, stderr } = await run(...words)
  expect([code, stderr]).toEqual([2, expect.stringContaining(expected)])
  const said = JSON.parse((await run(...words, "--json")).stderr) as { error: { message: string } }
  expect(`error: ${said.error.message}\n`).toContain(expected)
})

it("dedup says once what is wrong with the field of all rows", async () => {
  const rows = file("rows.csv", `id,body\n${Array.from({ length: 30 }, (_, row) => `${row},text ${row}\n`).join("")}`)
  const { code, stderr } = await run("dedup", rows, "--field", "bodi")
  expect(code).toBe(1)
  expect(stderr.match(/no field "bodi"/g)).toHaveLength(1)
  expect(stderr).toContain(`${rows}:2: no field "bodi"; the row has id, body; the same in 29 other rows`)
})

it("a line that is no JSON is named by one line number", async () => {
  const bad = file("bad.jsonl", '{"input":{"body":"a"},"output":"fault"}\n{"input":{"body":"a"} "output":"fault"}\n')
  const { stderr } = await run("seed", "import", "ticket-triage", bad)
  expect(stderr).toContain(`${bad}:2: not valid JSON: Expected ',' or '}' after property value at column 23`)
  expect((await run("dedup", bad)).stderr).toContain("at column 23")
})

it("a key that stands twice is named by its column", async () => {
  const twice = file("twice.csv", "key,body,output\n1,where is it,delivery\n1,it is broken,fault\n")
  const { stderr } = await run("seed", "import", "ticket-triage", twice)
  expect(stderr).toContain(`${twice}:3: key: the key "1" is already that of ${twice}:2, with other content`)
})

it("counts of one are in the singular", async () => {
  file("one.csv", "body,output\nwhere is it,delivery\n")
  await run("seed", "import", "ticket-triage", join(workspace, "one.csv"))
  await run("expand", "ticket-triage", "--strategy", "recombine", "--count", "1")
  expect((await run("review", "export", "ticket-triage", "--out", "one-more.csv")).stdout).toContain(
    "1 of 1 open item ",
  )
  await fillIn(join(workspace, "one-more.csv"), () => ({ decision: "reject", comment: "no", reviewer: "amara" }))
  const words = ["review", "import", "ticket-triage", "one-more.csv"]
  const waiting = (await run("status", "ticket-triage")).stdout
  expect(waiting).toContain("1 candidate, 1 item waits for a decision")
  expect((await run(...words)).stdout).toContain("added 1 decision (1 reject), 0 were there already")
  expect((await run(...words)).stdout).toContain("unchanged: 1 decision is there already")
})
