import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { fillIn } from "../../stages/reviewing/review-workspace.ts"
import { importSeeds, json, rowsOf, sample, sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
const next = (stderr: string) => /^Next: (.*)$/m.exec(stderr)?.[1]

it("each command of the loop says what comes after it, and none of it under --json", async () => {
  const workspace = sampleWorkspace()
  const run = (...words: string[]) => tuneloop(workspace, words).outcome
  expect(next((await run("spec", "check", task)).stderr)).toBe(`tuneloop seed import ${task} <file>`)
  const seeds = sample(task, "seeds.jsonl")
  expect(next((await run("seed", "import", task, seeds)).stderr)).toBe(`tuneloop expand ${task}`)
  expect(next((await run("spec", "check", task)).stderr)).toBe(`tuneloop status ${task}`)
  const inputs = sample(task, "inputs.jsonl")
  const review = `tuneloop review export ${task} --out review.xlsx`
  expect(next((await run("input", "import", task, inputs)).stderr)).toBe(review)
  expect(next((await run("expand", task, "--count", "2")).stderr)).toBe(review)
  expect(next((await run("build", task)).stderr)).toBe(review)
  for (const words of [
    ["spec", "check"],
    ["build", task],
  ])
    expect((await run(...words, "--json")).stderr, words.join(" ")).not.toContain("Next")
}, 60_000)

it("expand says what it grew from, what of it is new, and what to do where nothing is to be grown", async () => {
  const workspace = sampleWorkspace()
  const run = (...words: string[]) => tuneloop(workspace, words).outcome
  const words = ["expand", task, "--strategy", "recombine", "--count"]
  const first = await run(...words, "20")
  expect(first.stderr).toContain(`${task} has no gold examples: this was grown from the specification alone`)
  expect((await run(...words, "5")).stdout).toMatch(/^recombine: 5 grown, 0 new, 5 passed/)
  const file = join(workspace, "specs", `${task}.yaml`)
  writeFileSync(file, readFileSync(file, "utf8").replace(/^expand:\n(?: {2}.*\n)+/m, ""))
  const none = await run("expand", task)
  expect([none.code, next(none.stderr)]).toEqual([0, expect.stringContaining("add expand.strategies to specs/")])
}, 60_000)

it("run without gold examples asks for them first, also where the task has no job", async () => {
  const { code, stderr } = await tuneloop(sampleWorkspace(), ["run", "order-extraction"]).outcome
  expect([code, stderr]).toEqual([2, expect.stringContaining("tuneloop seed import order-extraction <file>")])
})

it("status counts the test set as build does, and says what the rule counts", async () => {
  const workspace = sampleWorkspace()
  const run = (...words: string[]) => tuneloop(workspace, words).outcome
  await importSeeds(workspace)
  await json(workspace, "input", "import", task, sample(task, "inputs.jsonl"))
  const held = rowsOf(workspace, "splits.jsonl").filter(({ split }) => split === "test")
  const inputs = held.filter(({ id }) => String(id).startsWith("input_")).length
  expect(inputs).toBeGreaterThan(0)
  const out = join(workspace, "review.csv")
  await json(workspace, "review", "export", task, "--out", out, "--reviewer", "amara", "--only", "input")
  await fillIn(out, () => ({ decision: "edit", corrected_output: "delivery" }))
  await json(workspace, "review", "import", task, out)
  const { rows } = await json<{ rows: { test: number } }>(workspace, "build", task)
  const counted = `${held.length - inputs} gold and ${inputs} answered inputs`
  expect((await run("status", task)).stdout).toContain(`test      ${rows.test} rows (${counted}); the verdict's rule`)
  expect((await run("build", task)).stdout).toContain(`${rows.test} test rows (${held.length - inputs} gold examples`)
}, 60_000)
