import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { importSeeds, json, sample, sampleWorkspace, tuneloop } from "../../command-line.ts"
import { fillIn } from "../../stages/reviewing/review-workspace.ts"

const task = "ticket-triage"
const workspace = sampleWorkspace()
const cache = mkdtempSync(join(tmpdir(), "tuneloop-cache-"))
const run = (...words: string[]) => tuneloop(workspace, words, { TUNELOOP_CACHE: cache }).outcome
const place = (...names: string[]) => join(workspace, ...names)
const text = (file: string) => readFileSync(file, "utf8")

beforeAll(async () => {
  await importSeeds(workspace)
  await json(workspace, "input", "import", task, sample(task, "inputs.jsonl"))
  await json(workspace, "build", task)
}, 60_000)

describe("an output that a person names", () => {
  it("is not a sheet whose decisions nobody has imported, until they are", async () => {
    const out = place("review.csv")
    const words = ["review", "export", task, "--limit", "2", "--reviewer", "amara"]
    expect((await run(...words)).code).toBe(0)
    // As it was written it may be written again.
    expect((await run(...words)).code).toBe(0)
    await fillIn(out, () => ({ decision: "reject", comment: "off topic" }))
    const filled = text(out)
    const refused = await run(...words)
    expect([refused.code, text(out)]).toEqual([2, filled])
    expect(refused.stderr).toContain(`tuneloop review import ${task} review.csv`)
    expect((await run("review", "import", task, out)).code).toBe(0)
    expect((await run(...words)).code).toBe(0)
  })

  it("stays when nothing waits for a decision", async () => {
    const out = place("conflicts.csv")
    const { code, stdout } = await run("review", "export", task, "--only", "conflict", "--out", out)
    expect([code, existsSync(out)]).toEqual([0, false])
    expect(stdout).toContain("no file was written")
  })

  it("says how many of what waits are in the file, and what is not", async () => {
    const out = place("inputs.csv")
    await json(workspace, "review", "suspects", task)
    const { open, suspects } = await json<{ open: number; suspects: number }>(workspace, "review", "status", task)
    expect([open, suspects].every((count) => count > 3)).toBe(true)
    const words = ["review", "export", task, "--out", out, "--only"]
    expect((await run(...words, "input", "--limit", "3")).stdout).toContain(
      `3 of ${open} open items written to ${out} (not in it: ${suspects} suspected label errors)`,
    )
    expect((await run(...words, "label-error")).stdout).toContain(`${suspects} of ${suspects} suspected label errors`)
    const all = await run("review", "export", task, "--out", out)
    expect(all.stdout).toContain(`${open} of ${open} open items, ${suspects} of ${suspects} suspected label errors`)
    expect((await run(...words, "conflict")).stdout).toContain(`${open} open items, ${suspects} suspected`)
  })

  it.each([
    ["a sheet", ["review", "export", task, "--out"], "mine.csv"],
    ["a card", ["dataset", "card", task, "--out"], "README.md"],
    ["kept rows", ["dedup", sample(task, "seeds.jsonl"), "--field", "input.body", "--out"], "kept.jsonl"],
    ["dropped rows", ["dedup", sample(task, "seeds.jsonl"), "--field", "input.body", "--dropped"], "dropped.jsonl"],
    ["a report", ["dedup", sample(task, "seeds.jsonl"), "--field", "input.body", "--report"], "report.jsonl"],
    ["an export", ["dataset", "export", task, "--format", "messages", "--out"], "train.jsonl"],
  ])("is never another's file: %s", async (_, words, name) => {
    const file = place(name)
    writeFileSync(file, "mine\n")
    const refused = await run(...words, file)
    expect([refused.code, text(file)], refused.stderr).toEqual([2, "mine\n"])
    expect(refused.stderr).toContain("--force")
    expect((await run(...words, file, "--force")).code).toBe(0)
    expect(text(file)).not.toBe("mine\n")
    expect((await run(...words, file)).code).toBe(0)
    appendFileSync(file, " ")
    expect((await run(...words, file)).code).toBe(2)
  })

  it.each([
    ["the rows of a task", ["dedup", sample(task, "seeds.jsonl"), "--field", "input.body", "--out"], "splits.jsonl"],
    ["a new name among them", ["review", "export", task, "--out"], "review.csv"],
    ["a card", ["dataset", "card", task, "--out"], "DATA-CARD.md"],
    ["an export", ["dataset", "export", task, "--format", "messages", "--out"], "export"],
  ])("is never among the machine's own files: %s", async (_, words, name) => {
    const file = place("datasets", task, name)
    const before = existsSync(file) ? text(file) : undefined
    for (const force of [[], ["--force"]]) {
      const { code, stderr } = await run(...words, file, ...force)
      expect(code, stderr).toBe(2)
      expect(stderr).toContain("keeps its own files")
    }
    expect(existsSync(file) ? text(file) : undefined).toBe(before)
  })

  it("is found to be the machine's by another way there, and in its other folders", async () => {
    symlinkSync(place("datasets", task), place("link"))
    mkdirSync(place("jobs", "runs"), { recursive: true })
    for (const file of [place("link", "x.csv"), place(".tuneloop", "x.csv"), place("jobs", "runs", "x.csv")])
      expect((await run("review", "export", task, "--out", file)).code, file).toBe(2)
    // The quickstart's workspace lies in another's folder.
    mkdirSync(place(".tuneloop", "inner", "specs"), { recursive: true })
    expect((await run("review", "export", task, "--out", place(".tuneloop", "inner", "x.csv"))).code).toBe(0)
  })

  it.each([
    ["kept rows", ["dedup", sample(task, "seeds.jsonl"), "--field", "input.body", "--out"]],
    ["a report", ["dedup", sample(task, "seeds.jsonl"), "--field", "input.body", "--report"]],
    ["a card", ["dataset", "card", task, "--out"]],
    ["an export", ["dataset", "export", task, "--format", "messages", "--out"]],
  ])("is never in what this machine keeps for all workspaces: %s", async (_, words) => {
    const file = join(cache, "converted", "x.jsonl")
    const { code, stderr } = await run(...words, file, "--force")
    expect([code, existsSync(file)], stderr).toEqual([2, false])
    expect(stderr).toContain("keeps its own files")
  })

  it("is not what SQLite would read beside a ledger that lies elsewhere", async () => {
    const other = sampleWorkspace()
    writeFileSync(join(other, "tuneloop.yaml"), "ledger: books/ledger.db\n")
    mkdirSync(join(other, "books"))
    const card = ["dataset", "card", task, "--force", "--out", join(other, "books", "ledger.db-wal")]
    expect((await tuneloop(other, card).outcome).stderr).toContain("keeps its own files")
  })

  it("is never the file that dedup reads", async () => {
    const file = place("rows.jsonl")
    writeFileSync(file, '{"text":"one row here"}\n{"text":"one row here"}\n')
    for (const words of [[], ["--force"]]) {
      const { code, stderr } = await run("dedup", file, "--out", file, ...words)
      expect([code, text(file).length]).toEqual([2, 48])
      expect(stderr).toContain("the file that is read")
    }
  })
})
