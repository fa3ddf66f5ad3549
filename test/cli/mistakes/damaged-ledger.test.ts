import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { sampleWorkspace, tuneloop } from "../../command-line.ts"

const damaged = () => {
  const workspace = sampleWorkspace()
  mkdirSync(join(workspace, ".tuneloop"))
  writeFileSync(join(workspace, ".tuneloop", "ledger.db"), "this is no database, whatever it was before\n".repeat(200))
  return workspace
}

it("ledger verify says what to do with a damaged ledger, not to run it again", async () => {
  const { code, stderr } = await tuneloop(damaged(), ["ledger", "verify"]).outcome
  expect(code).toBe(1)
  expect(stderr).toContain("Keep a copy")
  expect(stderr).not.toContain("ledger verify")
})

it("doctor says that the ledger is damaged, beside all its other checks", async () => {
  const { code, stdout } = await tuneloop(damaged(), ["doctor"]).outcome
  expect(code).toBe(1)
  expect(stdout).toMatch(/^FAILED {3}ledger: /m)
  expect(stdout).toMatch(/^ok {7}workspace: .* 3 tasks, 1 job,/m)
  expect(stdout).toMatch(/^ok {7}node: /m)
})

it("doctor says that the settings cannot be read, and goes on", async () => {
  const workspace = sampleWorkspace()
  writeFileSync(join(workspace, "tuneloop.yaml"), "nonsense: true\n")
  const { code, stdout } = await tuneloop(workspace, ["doctor"]).outcome
  expect(code).toBe(1)
  expect(stdout).toMatch(/^FAILED {3}workspace: /m)
  expect(stdout).toMatch(/^ok {7}node: /m)
})

it("doctor names the variables that are not set in one line", async () => {
  const { stdout } = await tuneloop(sampleWorkspace(), ["doctor"], { HF_TOKEN: "" }).outcome
  const lines = stdout.split("\n").filter((line) => line.startsWith("missing") && line.includes("_"))
  expect(lines.filter((line) => line.includes("not set:"))).toEqual([
    expect.stringMatching(/: .*OPENAI_API_KEY.*HF_TOKEN|: .*HF_TOKEN.*OPENAI_API_KEY/),
  ])
})
