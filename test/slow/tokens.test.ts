import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { python, tinyWorkspace, tuneloop } from "./tuneloop.ts"

it("dataset tokens lists exactly the rows that the trainer would refuse, and trains nothing", async () => {
  const environment = { TUNELOOP_PYTHON: await python() }
  const workspace = await tinyWorkspace("tokens")
  const count = async () => {
    const { code, stdout, stderr } = await tuneloop(workspace, ["dataset", "tokens", "mood", "--json"], environment)
      .outcome
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as {
      splits: {
        split: string
        rows: number
        longest: number
        median: number
        tooLong: { id: string; tokens: number }[]
      }[]
    }
  }
  const built = await tuneloop(workspace, ["build", "mood"], environment).outcome
  expect(built.code, built.stderr).toBe(0)
  const [train] = (await count()).splits
  expect(train?.tooLong).toEqual([])
  expect(train?.longest).toBeGreaterThan(5)
  const job = join(workspace, "jobs", "mood.yaml")
  writeFileSync(
    job,
    readFileSync(job, "utf8").replace("epochs: 12", `epochs: 12, maxLength: ${(train?.longest ?? 0) - 1}`),
  )
  const over = (await count()).splits.flatMap(({ tooLong }) => tooLong)
  expect(over.length).toBeGreaterThan(0)
  const refused = await tuneloop(workspace, ["train", "mood", "--wait"], environment).outcome
  expect(refused.code).toBe(1)
  for (const { id, tokens } of over.slice(0, 1))
    expect(`${refused.stdout}${refused.stderr}`).toContain(`${id}: ${tokens} tokens`)
})
