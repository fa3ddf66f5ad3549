import { parse } from "csv-parse/sync"
import { stringify } from "csv-stringify/sync"
import { cpSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { expect, it } from "vitest"
import { json, linesOf, sample, sampleWorkspace, tuneloop } from "../../command-line.ts"

interface Row {
  id: string
  input: { body: string }
  output: string
}

const readCsv = (file: string) => parse(readFileSync(file), { bom: true, columns: true }) as Record<string, string>[]

const texts = [
  "the zinc watering can that I bought at the end of March has a leak near its spout",
  "please tell me whether the velvet curtains can be shortened by somebody in your shop",
  "my newsletter shows another customer's birthday greeting every single year since 2019",
]

/** A workspace in which three pairs of train rows are near-duplicates with different labels. */
async function conflicting(): Promise<{ workspace: string; folder: string }> {
  const workspace = sampleWorkspace()
  const folder = join(workspace, "datasets", "ticket-triage")
  const gold = readFileSync(sample("ticket-triage", "seeds.jsonl"), "utf8").trimEnd().split("\n").slice(0, 40)
  const pairs = texts.flatMap((body) => [
    { input: { body }, output: "fault" },
    { input: { body: `${body} now` }, output: "product" },
  ])
  writeFileSync(join(workspace, "gold.jsonl"), `${[...gold, ...pairs.map((row) => JSON.stringify(row))].join("\n")}\n`)
  await json(workspace, "seed", "import", "ticket-triage", join(workspace, "gold.jsonl"))
  const ours = new Set(
    linesOf<Row>(join(folder, "seeds.jsonl")).flatMap(({ id, input }) =>
      texts.some((text) => input.body.startsWith(text)) ? [id] : [],
    ),
  )
  const splits = linesOf<{ id: string; split: string }>(join(folder, "splits.jsonl"))
  writeFileSync(
    join(folder, "splits.jsonl"),
    splits.map((row) => `${JSON.stringify(ours.has(row.id) ? { ...row, split: "train" } : row)}\n`).join(""),
  )
  return { workspace, folder }
}

it(
  "near-duplicates with different outputs are one question each, " + "decided in the spreadsheet and remembered",
  async () => {
    const { workspace, folder } = await conflicting()
    const seeds = readFileSync(join(folder, "seeds.jsonl"), "utf8")
    expect(await json(workspace, "build", "ticket-triage")).toMatchObject({ conflicts: 3 })
    const said = await tuneloop(workspace, ["build", "ticket-triage"]).outcome
    expect(said.stdout).toContain("3 pairs of near-duplicates with different outputs to decide on")
    expect(await json(workspace, "review", "status", "ticket-triage")).toMatchObject({ open: 0, conflictPairs: 3 })

    const csv = join(workspace, "conflicts.csv")
    expect(
      await json(workspace, "review", "export", "ticket-triage", "--only", "conflict", "--out", csv),
    ).toMatchObject({
      rows: 3,
    })
    const asked = readCsv(csv)
    for (const row of asked) {
      expect(
        [row["input.body"], row["other_input"]]
          .map((text) => text?.replace(/ now$/, ""))
          .every((text) => texts.includes(text ?? "")),
      ).toBe(true)
      expect([row["proposed_output"], row["current_output"]].sort()).toEqual(["fault", "product"])
    }
    const about = (index: number) =>
      asked.find((row) => row["input.body"]?.startsWith(texts[index] ?? "")) as Record<string, string>
    const [right, wrong, both] = [about(0), about(1), about(2)]
    const filled = [
      { ...right, decision: "a", reviewer: "amara" },
      { ...wrong, decision: "b", reviewer: "amara" },
      { ...both, decision: "both", reviewer: "amara" },
    ]
    writeFileSync(csv, stringify(filled, { header: true, bom: true }))
    expect(await json(workspace, "review", "import", "ticket-triage", csv)).toMatchObject({
      added: 3,
      conflictPairsLeft: 0,
    })
    expect(await json(workspace, "review", "import", "ticket-triage", csv)).toMatchObject({ added: 0, unchanged: 3 })
    expect(readFileSync(join(folder, "seeds.jsonl"), "utf8")).toBe(seeds)

    // A decided pair has one output, so that one of its rows is a duplicate now; both are right in the last pair, and
    // it is not asked again.
    const built = await json(workspace, "build", "ticket-triage")
    expect(built).toMatchObject({ conflicts: 1, dropped: { "near-duplicate": 2 } })
    expect((await tuneloop(workspace, ["build", "ticket-triage"]).outcome).stdout).not.toContain("to decide on")
    expect(await json(workspace, "review", "status", "ticket-triage")).toMatchObject({ conflictPairs: 0 })
    const train = linesOf<Row>(join(folder, "versions", built["version"] as string, "train.jsonl"))
    const outputs = (index: number) =>
      train.flatMap(({ input, output }) => (input.body.startsWith(texts[index] ?? "") ? [output] : []))
    expect(outputs(0)).toEqual([right["proposed_output"]])
    expect(outputs(1)).toEqual([wrong["current_output"]])
    expect(outputs(2).sort()).toEqual(["fault", "product"])
    // An erasure reaches the question, and what was decided on it.
    const erased = linesOf<Row>(join(folder, "seeds.jsonl")).find(({ input }) => input.body === texts[0])?.id as string
    expect(readFileSync(join(folder, "queue", "conflicts.jsonl"), "utf8")).toContain(erased)
    const copy = mkdtempSync(join(tmpdir(), "tuneloop-erase-"))
    cpSync(workspace, copy, { recursive: true })
    await json(copy, "dataset", "erase", "ticket-triage", erased, "--yes", "--accept-remaining", "a test")
    const left = readdirSync(join(copy, "datasets", "ticket-triage"), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && /^(queue|decisions)$/.test(basename(entry.parentPath)),
    )
    expect(left.length).toBeGreaterThan(0)
    for (const entry of left) expect(readFileSync(join(entry.parentPath, entry.name), "utf8")).not.toContain(erased)

    expect(
      await json(workspace, "review", "import", "ticket-triage", csv),
      "also after the pairs are gone",
    ).toMatchObject({ added: 0, unchanged: 3 })
  },
)

it(
  "equal inputs with different outputs are asked about as well; a third output may be right; reviewers may " +
    "disagree",
  async () => {
    const { workspace, folder } = await conflicting()
    const seeds = linesOf<Row>(join(folder, "seeds.jsonl"))
    const equal = seeds.map((row) =>
      row.input.body === `${texts[0]} now` ? { ...row, input: { body: texts[0] } } : row,
    )
    writeFileSync(join(folder, "seeds.jsonl"), equal.map((row) => `${JSON.stringify(row)}\n`).join(""))
    expect(await json(workspace, "build", "ticket-triage")).toMatchObject({ conflicts: 2, dropped: { conflict: 1 } })
    const csv = join(workspace, "conflicts.csv")
    await json(workspace, "review", "export", "ticket-triage", "--only", "conflict", "--out", csv)
    const item = readCsv(csv).find((row) => row["input.body"] === texts[0] && row["other_input"] === texts[0])
    const decide = (decision: string, corrected: string, reviewer: string) => {
      writeFileSync(
        csv,
        `id,decision,corrected_output,reviewer\n${item?.["id"]},${decision},${corrected},${reviewer}\n`,
      )
      return json(workspace, "review", "import", "ticket-triage", csv)
    }
    expect(await decide("edit", "return", "amara")).toMatchObject({ added: 1, conflictPairsLeft: 2 })
    expect(await decide("a", "", "piotr")).toMatchObject({ added: 1, conflictPairsLeft: 3 })
    expect(await decide("edit", "return", "piotr")).toMatchObject({ added: 1, conflictPairsLeft: 2 })
    const built = await json(workspace, "build", "ticket-triage")
    expect(built).toMatchObject({ dropped: { "exact-duplicate": 1 } })
    const train = linesOf<Row & { provenance: { correctedBy?: string } }>(
      join(folder, "versions", built["version"] as string, "train.jsonl"),
    )
    expect(train.find(({ input }) => input.body === texts[0])).toMatchObject({
      output: "return",
      provenance: { correctedBy: "piotr" },
    })

    const wrong = await tuneloop(workspace, ["review", "import", "ticket-triage", csv, "--reviewer", "x"]).outcome
    expect(wrong.code).toBe(0)
    writeFileSync(csv, `id,decision,corrected_output,reviewer\n${item?.["id"]},c,,amara\n`)
    const refused = await tuneloop(workspace, ["review", "import", "ticket-triage", csv]).outcome
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("allowed: a, b, both, edit")])
  },
)
