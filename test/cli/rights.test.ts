import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { cleanOf, json, sample, sampleWorkspace, tuneloop } from "../command-line.ts"

const task = "ticket-triage"
const prepared = sampleWorkspace()
const seeds = readFileSync(sample(task, "seeds.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { id: string; input: { body: string }; output: string; source: string })

async function run(workspace: string, ...words: string[]) {
  return tuneloop(workspace, words).outcome
}

/** A copy of the workspace whose specification has these rights. */
function withRights(rights: string): string {
  const workspace = mkdtempSync(join(tmpdir(), "tuneloop-rights-"))
  cpSync(prepared, workspace, { recursive: true })
  const file = join(workspace, "specs", `${task}.yaml`)
  writeFileSync(file, `${readFileSync(file, "utf8").replace(/\nrights:\n[\s\S]*$/, "\n")}\nrights:\n${rights}`)
  return workspace
}

let grown = ""
beforeAll(async () => {
  const mixed = seeds.map((seed, index) => (index % 2 === 0 ? seed : { ...seed, source: "forum-dump" }))
  writeFileSync(join(prepared, "gold.jsonl"), mixed.map((row) => `${JSON.stringify(row)}\n`).join(""))
  await json(prepared, "seed", "import", task, join(prepared, "gold.jsonl"))
  const folder = join(prepared, "datasets", task)
  const split = new Map(
    readFileSync(join(folder, "splits.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: string; split: string })
      .map(({ id, split: part }) => [id, part]),
  )
  const parent = mixed.find(({ id, source }) => source === "forum-dump" && split.get(id) === "train")
  grown = parent?.id ?? ""
  mkdirSync(join(folder, "candidates"))
  const candidate = {
    id: "cand_0000000000000001",
    parents: [grown],
    strategy: "self-instruct",
    model: "openai:gpt-example",
    input: { body: "May I bring an umbrella stand back to the shop, it wobbles?" },
    output: "return",
    checks: [],
  }
  writeFileSync(join(folder, "candidates", "x.jsonl"), `${JSON.stringify(candidate)}\n`)
  for (const [reviewer, verdict, output] of [
    ["amara", "accept", ""],
    ["ben", "edit", "return"],
    ["chidi", "edit", "return"],
  ]) {
    writeFileSync(
      join(prepared, "review.csv"),
      `id,decision,corrected_output,reviewer\ncand_0000000000000001,${verdict},${output},${reviewer}\n`,
    )
    await json(prepared, "review", "import", task, join(prepared, "review.csv"))
  }
  await json(prepared, "build", task)
}, 60_000)

describe("rights.forbid", () => {
  it.each([
    ["a source", "  forbid: [{source: forum-dump, why: no permission}]\n", /source forum-dump: no permission/],
    ["a model that grew rows, by a pattern", '  forbid: [{generator: "openai:*"}]\n', /generator openai:gpt-example/],
    ["a source whose licence nobody stated", "  forbid: [{licence: unknown}]\n", /source forum-dump \(unknown\)/],
    ["the terms of a model", "  forbid: [{licence: OpenAI terms}]\n", /model openai:gpt-example \(OpenAI terms\)/],
    [
      "a source together with a model",
      '  forbid: [{source: forum-dump, generator: "openai:*"}]\n',
      /source forum-dump and generator/,
    ],
  ])("refuses a build with %s, names it and freezes nothing", async (_what, rights, message) => {
    const workspace = withRights(rights)
    const latest = readFileSync(join(workspace, "datasets", task, "versions", "latest.json"), "utf8")
    const { code, stderr, stdout } = await run(workspace, "build", task)
    expect([code, stdout]).toEqual([4, ""])
    expect(stderr).toMatch(message)
    expect(readFileSync(join(workspace, "datasets", task, "versions", "latest.json"), "utf8")).toBe(latest)
  })

  it("lets through what meets a rule only in part", async () => {
    const rights =
      "  sources:\n    forum-dump: {licence: CC-BY-4.0}\n    written-for-tuneloop: {licence: " +
      'Apache-2.0}\n  forbid: [{source: forum-dump, generator: "other:*"}]\n'
    const built = await json(withRights(rights), "build", task)
    expect(built).toMatchObject(cleanOf(built))
  })

  it("keeps a version that was built earlier from a base model and from an export", async () => {
    const base = withRights('  forbid: [{licence: OpenAI terms, baseModel: "*SmolLM2*"}]\n')
    const trained = await run(base, "train", task, "--dry-run")
    expect(trained.code, trained.stderr).toBe(4)
    expect(trained.stderr).toMatch(/model openai:gpt-example \(OpenAI terms\)/)
    expect((await run(base, "build", task)).code).toBe(0)
    const source = withRights("  forbid: [{source: forum-dump}]\n")
    const exported = await run(source, "dataset", "export", task, "--format", "messages", "--out", join(source, "out"))
    expect([exported.code, existsSync(join(source, "out"))]).toEqual([4, false])
  })

  it("a rule that names nothing, or a wrong key, is an error with its line", async () => {
    const { code, stderr } = await run(withRights("  forbid: [{why: because}]\n"), "spec", "check", task)
    expect(code).toBe(2)
    expect(stderr).toMatch(/rights\.forbid\[0\].*needs at least one of source, generator, baseModel, licence/)
    expect((await run(withRights("  forbids: []\n"), "spec", "check", task)).stderr).toMatch(/did you mean "forbid"/)
  })
})

describe("dataset card", () => {
  it("tells counts, sources, agreement and rights, and calls unknown what nobody stated", async () => {
    const workspace = withRights("  sources:\n    written-for-tuneloop: {licence: Apache-2.0}\n")
    const card = await json(workspace, "dataset", "card", task)
    const text = card["card"] as string
    const version = readFileSync(
      join(workspace, "datasets", task, "versions", card["version"] as string, "train.jsonl"),
      "utf8",
    )
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { output: string; provenance: { source?: string } })
    for (const label of ["return", "fault"]) {
      const count = version.filter(({ output }) => output === label).length
      expect(text).toMatch(new RegExp(`^\\| ${label} \\| ${count} \\| \\d+ \\| \\d+ \\|$`, "m"))
    }
    // The grown row counts under the source of its parent.
    const own = version.filter(({ provenance }) => provenance.source === "forum-dump").length
    expect(text).toContain(`| forum-dump | ${own + 1} |`)
    expect(text).toContain("| forum-dump | unknown |")
    expect(text).toContain("| written-for-tuneloop | Apache-2.0 |")
    expect(text).toMatch(/\| openai:gpt-example \| 1 \| OpenAI terms \|.*checked \d{4}-\d\d-\d\d/)
    expect(text).toMatch(/SmolLM2.*\| Apache-2\.0 \|/)
    expect(text).toContain("1 items were decided on by more than one reviewer (amara, ben, chidi)")
    expect(text).toContain("The test set was never opened.")
    expect(card).toMatchObject({ agreement: { items: 1, unanimous: 1 }, generators: { "openai:gpt-example": 1 } })
  })

  it("is the same bytes each time, in a file as well, and believes the workspace's own licences first", async () => {
    const workspace = withRights("  sources: {}\n")
    const first = (await run(workspace, "dataset", "card", task)).stdout
    await json(workspace, "dataset", "card", task, "--out", join(workspace, "CARD.md"))
    expect(readFileSync(join(workspace, "CARD.md"), "utf8")).toBe(first)
    writeFileSync(
      join(workspace, "licences.yaml"),
      "models:\n  - {match: gpt-example, licence: our contract, source: the drawer, checked: 2026-01-02}\n",
    )
    expect((await run(workspace, "dataset", "card", task)).stdout).toContain(
      "| our contract |  | the drawer (checked 2026-01-02) |",
    )
    writeFileSync(join(workspace, "licences.yaml"), "models:\n  - {match: gpt, license: x}\n")
    const wrong = await run(workspace, "dataset", "card", task)
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/licences\.yaml:2.*did you mean "licence"/)])
  })
})
