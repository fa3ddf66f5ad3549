import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { importSeeds, json, rowsOf, sampleWorkspace, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"

interface Row {
  readonly id: string
  readonly input: { readonly body: string }
  readonly output: string
}

describe("a text that comes again", () => {
  const workspace = sampleWorkspace()
  const run = (...words: string[]) => tuneloop(workspace, words).outcome
  const file = (name: string, rows: readonly object[]) => {
    writeFileSync(join(workspace, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    return join(workspace, name)
  }
  let sealed: Row
  let other = ""

  beforeAll(async () => {
    await importSeeds(workspace)
    const held = new Map(rowsOf(workspace, "splits.jsonl").map(({ id, split }) => [id, split]))
    const seeds = rowsOf<Row>(workspace, "seeds.jsonl")
    sealed = seeds.find(({ id }) => held.get(id) === "test") as Row
    other = seeds.find(({ output }) => output !== sealed.output)?.output ?? ""
  }, 60_000)

  it("is no new input where it is a gold example, and the import says so", async () => {
    const seeds = rowsOf<Row>(workspace, "seeds.jsonl")
    const given = file("inputs.jsonl", [...seeds.map(({ input }) => ({ input })), { input: { body: "Quite new." } }])
    const { code, stdout } = await run("input", "import", task, given)
    expect(code).toBe(0)
    expect(stdout).toContain(
      `${seeds.length + 1} rows read: 1 added, 0 corrected, 0 unchanged, ${seeds.length} skipped`,
    )
    expect(stdout).toContain(`${seeds.length} skipped as already gold examples: ${given}:1 is ${seeds[0]?.id}`)
    expect(rowsOf(workspace, "inputs.jsonl")).toHaveLength(1)
  })

  it("is no new gold example under another key, with the same output", async () => {
    const before = rowsOf(workspace, "seeds.jsonl").length
    const given = file("again.jsonl", [{ id: "my-1", input: sealed.input, output: sealed.output }])
    expect((await run("seed", "import", task, given)).stdout).toContain(`${given}:1 is ${sealed.id}, held out (test)`)
    expect(rowsOf(workspace, "seeds.jsonl")).toHaveLength(before)
  })

  it("with another output is a conflict that the import and the build name, and that can be decided", async () => {
    const given = file("other.jsonl", [{ input: sealed.input, output: other }])
    const imported = await run("seed", "import", task, given)
    expect(imported.stdout).toContain("1 row read: 1 added")
    expect(imported.stdout).toContain(`1 conflict, added: the same input has another output already: ${given}:1 is`)
    expect(imported.stdout).toContain(`tuneloop review export ${task} --only conflict`)
    const built = await run("build", task)
    expect(built.stdout).toContain("1 pair of held-out rows with the same input and different outputs to decide on")
    expect(built.stdout).not.toContain(sealed.input.body)
    expect(await json(workspace, "build", task)).toMatchObject({ heldOutPairs: { duplicates: 0, conflicts: 1 } })
    const exported = await json(workspace, "review", "export", task, "--only", "conflict", "--out", "conflicts.csv")
    expect(exported).toMatchObject({ rows: 1 })
  })
})
