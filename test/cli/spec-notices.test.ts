import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { json, sampleWorkspace } from "../command-line.ts"

test("spec check says which label is out of scope by its name alone, or that there is none", {
  timeout: 30_000,
}, async () => {
  const workspace = sampleWorkspace()
  const file = join(workspace, "specs", "ticket-triage.yaml")
  const given = readFileSync(file, "utf8")
  const noticesOf = async (text: string) => {
    writeFileSync(file, text)
    const { tasks } = await json<{ tasks: { notices: string[] }[] }>(workspace, "spec", "check", "ticket-triage")
    return tasks[0]?.notices.join("\n")
  }
  expect(await noticesOf(given)).toBe("")
  const undeclared = given.replace(/\n {2}outOfScope: .*/, "")
  expect(await noticesOf(undeclared)).toContain("output.outOfScope: out-of-scope")
  expect(await noticesOf(undeclared.replaceAll("out-of-scope:", "parking:"))).toContain(
    "no label is for what is out of scope",
  )
})
