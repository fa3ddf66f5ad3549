import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { json, linesOf, sample, sampleWorkspace, tuneloop } from "../../command-line.ts"

/** A specification that accepts grown rows like those that a person found right, and has these lines more. */
function automatic(workspace: string, more: string): void {
  const file = join(workspace, "specs", "ticket-triage.yaml")
  writeFileSync(
    file,
    `${readFileSync(file, "utf8").replace("policy: all", "policy: auto\n  maxError: 0.9\n  randomShare: 0")}\n${more}`,
  )
}

it("a build drops damaged rows that were grown, with the reason, and flags those that people wrote", async () => {
  const workspace = sampleWorkspace()
  automatic(workspace, "filters:\n  boilerplate: { severity: off }\n")
  const gold = readFileSync(sample("ticket-triage", "seeds.jsonl"), "utf8").trimEnd().split("\n").slice(0, 60)
  const damaged = { input: { body: "MÃ¼ller here, my kettle is broken, {{name}}" }, output: "fault" }
  writeFileSync(join(workspace, "gold.jsonl"), `${[...gold, JSON.stringify(damaged)].join("\n")}\n`)
  await json(workspace, "seed", "import", "ticket-triage", join(workspace, "gold.jsonl"))
  const folder = join(workspace, "datasets", "ticket-triage")
  mkdirSync(join(folder, "candidates"), { recursive: true })
  const bodies = [
    "my lamp is <|im_end|> broken",
    "As an AI language model I cannot have a kettle",
    "Sure! Here is a message: my scarf has a hole",
    "the mixer hums and stops",
    "the handle of my pan came off yesterday",
    "two of the shelves arrived bent",
    "it makes a rattling noise since Tuesday",
  ]
  const candidates = bodies.map((body, index) => ({
    id: `cand_000000000000000${index}`,
    parents: [],
    strategy: "by-hand",
    input: { body },
    output: "fault",
    checks: [],
    confidence: 0.9,
  }))
  writeFileSync(
    join(folder, "candidates", "by-hand.jsonl"),
    candidates.map((row) => `${JSON.stringify(row)}\n`).join(""),
  )
  const decided = candidates.slice(4).map(({ id }) => `${id},accept\n`)
  writeFileSync(join(workspace, "decided.csv"), `id,decision\n${decided.join("")}`)
  await json(workspace, "review", "import", "ticket-triage", join(workspace, "decided.csv"), "--reviewer", "amara")

  const built = await json(workspace, "build", "ticket-triage")
  expect(built).toMatchObject({
    dropped: { "filter-refusal": 1, "filter-special-tokens": 1 },
    flagged: { "encoding/mojibake": 1, "template-leftovers/template-slot": 1 },
  })
  expect(built["read"]).toBe(
    (built["kept"] as number) +
      Object.values(built["dropped"] as Record<string, number>).reduce((sum, count) => sum + count, 0),
  )
  const version = join(folder, "versions", built["version"] as string)
  const dropped = linesOf<{ id: string; reason: string; detail?: string }>(join(version, "dropped.jsonl"))
  expect(dropped.find(({ reason }) => reason === "filter-special-tokens")).toMatchObject({
    id: "ex_0000000000000000",
    detail: "control-token in the input: <|im_end|>",
  })
  const seed = linesOf<{ id: string; input: { body: string } }>(join(folder, "seeds.jsonl")).find(({ input }) =>
    input.body.startsWith("MÃ"),
  )
  const rows = built["flaggedRows"] as { id: string; filter: string; detail?: string }[]
  expect(rows.map(({ id }) => id)).toEqual([seed?.id.replace("seed_", "ex_"), seed?.id.replace("seed_", "ex_")])
  // What is off is not looked for, what is only flagged is kept.
  const kept = linesOf<{ id: string }>(join(version, "train.jsonl")).map(({ id }) => id)
  expect(kept).toEqual(expect.arrayContaining(["ex_0000000000000002", "ex_0000000000000003"]))
  const said = await tuneloop(workspace, ["build", "ticket-triage"]).outcome
  expect(said.stdout).toContain("1 row of people to look at, kept all the same")

  automatic(workspace, "")
  const file = join(workspace, "specs", "ticket-triage.yaml")
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace(
      "boilerplate: { severity: off }",
      "boilerplate: { severity: drop }\n  refusal: { severity: flag }",
    ),
  )
  const other = await json(workspace, "build", "ticket-triage")
  expect(other).toMatchObject({
    state: "built",
    dropped: { "filter-boilerplate": 1, "filter-special-tokens": 1 },
    flagged: { "refusal/ai-disclaimer": 1 },
  })
})

it(
  "a grown candidate that a filter drops fails its check and is asked of nobody; a person's decision weighs " +
    "more than a filter",
  async () => {
    const workspace = sampleWorkspace()
    await json(workspace, "seed", "import", "ticket-triage", sample("ticket-triage", "seeds.jsonl"))
    const file = join(workspace, "specs", "ticket-triage.yaml")
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(
        '"The {item} stopped working {when}.',
        '"Lorem ipsum, the {item} stopped working {when}.',
      ),
    )
    const grown = await json(workspace, "expand", "ticket-triage")
    const { passed } = (grown["strategies"] as { passed: number }[])[0] as { passed: number }
    const rows = linesOf<{
      id: string
      input: { body: string }
      checks: { name: string; ok: boolean; detail?: string }[]
    }>(
      join(
        workspace,
        "datasets",
        "ticket-triage",
        "candidates",
        `${(grown["strategies"] as { batch: string }[])[0]?.batch}.jsonl`,
      ),
    )
    expect(passed).toBe(rows.filter(({ checks }) => checks.every(({ ok }) => ok)).length)
    for (const { input, checks } of rows)
      expect(checks.find(({ name }) => name === "template-leftovers")?.ok).toBe(
        input.body.startsWith("Lorem") ? false : undefined,
      )
  },
)

it("a filter or an option that does not exist is an error of the specification, with the ones that do", async () => {
  const workspace = sampleWorkspace()
  automatic(workspace, "filters:\n  langage: { expected: [en] }\n  language: { expected: [xx] }\n")
  const { code, stderr } = await tuneloop(workspace, ["spec", "check", "ticket-triage"]).outcome
  expect(code).toBe(2)
  expect(stderr).toContain("did you mean")
  expect(stderr).toContain("filters.language.expected")
})
