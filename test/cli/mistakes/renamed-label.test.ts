import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { importSeeds, json, rowsOf, sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"

it("a label that was renamed in the specification alone is named by every check, with how to go on", async () => {
  const workspace = sampleWorkspace()
  const run = (...words: string[]) => tuneloop(workspace, words).outcome
  await importSeeds(workspace)
  await json(workspace, "build", task)
  const seeds = rowsOf<{ id: string; output: string }>(workspace, "seeds.jsonl")
  const label = seeds[0]?.output as string
  const held = new Map(rowsOf(workspace, "splits.jsonl").map(({ id, split }) => [id, split]))
  const gold = seeds.filter(({ output }) => output === label)
  const heldOut = gold.filter(({ id }) => held.get(id) !== "train").length
  const file = join(workspace, "specs", `${task}.yaml`)
  writeFileSync(file, readFileSync(file, "utf8").replace(new RegExp(`\\b${label}\\b`, "g"), "brand-new"))

  const counts = `${gold.length} rows have labels that the specification does not have: ${label} (${gold.length} gold, `
  const command = `tuneloop task migrate ${task} --rename ${label}=brand-new`
  for (const [words, code] of [
    [["spec", "check", task], 0],
    [["status", task], 0],
    [["job", "check", task], 2],
    [["build", task], 1],
  ] as const) {
    const { stdout, stderr, code: got } = await run(...words)
    expect(got, words.join(" ")).toBe(code)
    expect(stdout + stderr, words.join(" ")).toContain(`${counts}${heldOut} of them held out`)
    expect(stdout + stderr, words.join(" ")).toContain(command)
  }
  expect((await run(...command.split(" ").slice(1), "--yes")).code).toBe(0)
  expect((await run("spec", "check", task)).stdout).not.toContain("does not have")
  expect((await run("build", task)).code).toBe(0)
}, 60_000)
