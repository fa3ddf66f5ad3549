import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"

describe("imports at the same time", () => {
  it("lose no row of each other and assign each row once", { timeout: 60_000 }, async () => {
    const workspace = sampleWorkspace()
    const folder = mkdtempSync(join(tmpdir(), "tuneloop-test-"))
    const imports = [0, 1, 2, 3, 4].map((part) => {
      const file = join(folder, `part-${part}.jsonl`)
      const rows = Array.from({ length: 20 }, (_, row) => ({
        input: { body: `Where is parcel ${part} of order ${row}?` },
        output: "delivery",
      }))
      writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
      return tuneloop(workspace, ["seed", "import", task, file]).outcome
    })
    for (const { code, stderr } of await Promise.all(imports)) expect(code, stderr).toBe(0)
    const ids = (file: string) =>
      lines(join(workspace, "datasets", task, file)).map((line) => (JSON.parse(line) as { id: string }).id)
    expect(ids("seeds.jsonl")).toHaveLength(100)
    expect(ids("splits.jsonl").toSorted()).toEqual(ids("seeds.jsonl").toSorted())
  })
})

describe("assignments", () => {
  it("are appended: what stands in the file stays byte for byte, in whatever order a merge left it", {
    timeout: 60_000,
  }, async () => {
    const workspace = sampleWorkspace()
    const file = join(workspace, "datasets", task, "splits.jsonl")
    const add = async (body: string) => {
      const path = join(workspace, "more.jsonl")
      writeFileSync(path, `${JSON.stringify({ input: { body }, output: "payment" })}\n`)
      expect((await tuneloop(workspace, ["seed", "import", task, path]).outcome).code).toBe(0)
    }
    await add("I was charged twice")
    await add("Where is my refund?")
    const merged = lines(file).toReversed()
    writeFileSync(file, merged.concat(merged[0] as string).join("\n"))
    await add("May I have an invoice?")
    expect(lines(file).slice(0, 3)).toEqual([...merged, merged[0]])
    expect(lines(file)).toHaveLength(4)
  })
})

function lines(file: string): string[] {
  return readFileSync(file, "utf8").trimEnd().split("\n")
}
