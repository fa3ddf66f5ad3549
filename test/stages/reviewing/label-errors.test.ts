import { parse } from "csv-parse/sync"
import { stringify } from "csv-stringify/sync"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { json, linesOf, sample, sampleWorkspace, snapshot, tuneloop } from "../../command-line.ts"

interface Row {
  id: string
  input: { body: string }
  output: string
}

interface Suspect {
  id: string
  row: string
  split: string
  label: string
  suggested: string
}

/** A workspace with the sample's gold, in which some labels are wrong: one of each split among them. */
async function noisyWorkspace(): Promise<{ workspace: string; seeds: Map<string, Row>; flipped: Map<string, string> }> {
  const workspace = sampleWorkspace()
  await json(workspace, "seed", "import", "ticket-triage", sample("ticket-triage", "seeds.jsonl"))
  const folder = join(workspace, "datasets", "ticket-triage")
  const rows = linesOf<Row>(join(folder, "seeds.jsonl"))
  const flipped = new Map<string, string>()
  const noisy = rows.map((row, index) => {
    if (index % 12 !== 5 || row.output === "out-of-scope") return row
    flipped.set(row.id, row.output)
    return { ...row, output: "out-of-scope" }
  })
  writeFileSync(join(folder, "seeds.jsonl"), noisy.map((row) => `${JSON.stringify(row)}\n`).join(""))
  return { workspace, seeds: new Map(noisy.map((row) => [row.id, row])), flipped }
}

function readCsv(file: string): Record<string, string>[] {
  return parse(readFileSync(file), { bom: true, columns: true }) as Record<string, string>[]
}

describe("suspected label errors", () => {
  it("are found in every split, go through the spreadsheet, correct the row or confirm it, and do not come back", async () => {
    const { workspace, seeds, flipped } = await noisyWorkspace()
    const folder = join(workspace, "datasets", "ticket-triage")
    const before = readFileSync(join(folder, "seeds.jsonl"), "utf8")
    const search = await json(workspace, "review", "suspects", "ticket-triage")
    const suspects = search["suspects"] as Suspect[]
    expect(suspects.filter(({ row }) => flipped.has(row)).length).toBeGreaterThan(flipped.size / 2)
    for (const split of ["train", "test"])
      expect(
        suspects.some((suspect) => suspect.split === split && flipped.has(suspect.row)),
        split,
      ).toBe(true)
    expect(await json(workspace, "review", "suspects", "ticket-triage")).toEqual({ ...search, state: "unchanged" })
    // The rows are examples all the same, and nobody is kept from building.
    expect(await json(workspace, "review", "status", "ticket-triage")).toMatchObject({
      open: 0,
      suspects: suspects.length,
    })

    const csv = join(workspace, "suspects.csv")
    expect(
      await json(workspace, "review", "export", "ticket-triage", "--only", "label-error", "--out", csv),
    ).toMatchObject({ rows: suspects.length })
    const asked = readCsv(csv)
    expect(asked[0]).toMatchObject({
      kind: "label-error",
      current_output: suspects[0]?.label,
      proposed_output: suspects[0]?.suggested,
    })
    const rowOf = new Map(suspects.map((suspect) => [suspect.id, suspect]))
    const decided = asked.map((row, index) => {
      const suspect = rowOf.get(row["id"] as string) as Suspect
      const right = flipped.get(suspect.row) ?? suspect.label
      const decision = right === suspect.label ? "reject" : right === suspect.suggested ? "accept" : "edit"
      // One is left undecided.
      return index === 0
        ? row
        : { ...row, decision, corrected_output: decision === "edit" ? right : "", reviewer: "amara" }
    })
    writeFileSync(csv, stringify(decided, { header: true, bom: true }))
    expect(await json(workspace, "review", "import", "ticket-triage", csv)).toMatchObject({
      added: suspects.length - 1,
      suspectsLeft: 1,
    })
    expect(await json(workspace, "review", "import", "ticket-triage", csv)).toMatchObject({
      added: 0,
      unchanged: suspects.length - 1,
    })
    // What a person wrote stays as it is; the correction is a decision.
    expect(readFileSync(join(folder, "seeds.jsonl"), "utf8")).toBe(before)

    const again = await json(workspace, "review", "suspects", "ticket-triage")
    const settled = new Set(suspects.slice(1).map(({ id }) => id))
    expect((again["suspects"] as Suspect[]).filter(({ id }) => settled.has(id))).toEqual([])
    expect(
      await json(workspace, "review", "import", "ticket-triage", csv),
      "the file can be imported after another search",
    ).toMatchObject({
      added: 0,
    })

    const built = await json(workspace, "build", "ticket-triage")
    const rows = [
      ...linesOf<Row & { provenance: Record<string, string> }>(
        join(folder, "versions", built["version"] as string, "train.jsonl"),
      ),
      ...["validation", "test"].flatMap((name) =>
        linesOf<Row & { provenance: Record<string, string> }>(
          join(folder, "holdouts", built["holdout"] as string, `${name}.jsonl`),
        ),
      ),
    ]
    const byId = new Map(rows.map((row) => [row.id, row]))
    for (const { row } of suspects.slice(1)) {
      const example = byId.get(row.replace("seed_", "ex_"))
      if (example === undefined) continue
      expect(example.output).toBe(flipped.get(row) ?? seeds.get(row)?.output)
      expect(example.provenance["correctedBy"]).toBe(flipped.has(row) ? "amara" : undefined)
    }
  })

  it("of the sealed test set leave no text in the queue and in what is printed", async () => {
    const { workspace, seeds } = await noisyWorkspace()
    const { code, stdout, stderr } = await tuneloop(workspace, [
      "review",
      "suspects",
      "ticket-triage",
      "--limit",
      "1000",
    ]).outcome
    expect(code, stderr).toBe(0)
    const queue = readFileSync(join(workspace, "datasets", "ticket-triage", "queue", "label-errors.jsonl"), "utf8")
    const suspects = queue
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Suspect)
    expect(suspects.filter(({ split }) => split === "test").length).toBeGreaterThan(0)
    for (const { row } of suspects) expect(queue + stdout).not.toContain(seeds.get(row)?.input.body.slice(0, 25))
    // No holdout was frozen, and none was opened.
    expect(existsSync(join(workspace, "datasets", "ticket-triage", "holdouts"))).toBe(false)
  })

  it("are asked about anew when the row changes, and stay open while reviewers disagree", async () => {
    const { workspace } = await noisyWorkspace()
    const folder = join(workspace, "datasets", "ticket-triage")
    const [first] = (await json(workspace, "review", "suspects", "ticket-triage"))["suspects"] as Suspect[]
    const csv = join(workspace, "suspects.csv")
    const decide = async (decision: string, reviewer: string) => {
      writeFileSync(csv, `id,decision,reviewer\n${first?.id},${decision},${reviewer}\n`)
      return json(workspace, "review", "import", "ticket-triage", csv)
    }
    const { suspects: open } = await json(workspace, "review", "status", "ticket-triage")
    expect(await decide("reject", "amara")).toMatchObject({ suspectsLeft: (open as number) - 1 })
    expect(await decide("accept", "piotr")).toMatchObject({ suspectsLeft: open })
    expect(await decide("reject", "piotr")).toMatchObject({ suspectsLeft: (open as number) - 1 })
    const seeds = linesOf<Row>(join(folder, "seeds.jsonl"))
    const edited = seeds.map((row) =>
      row.id === first?.row ? { ...row, input: { body: `${row.input.body} Thanks!` } } : row,
    )
    writeFileSync(join(folder, "seeds.jsonl"), edited.map((row) => `${JSON.stringify(row)}\n`).join(""))
    const search = await json(workspace, "review", "suspects", "ticket-triage")
    expect((search["suspects"] as Suspect[]).find(({ row }) => row === first?.row)).toMatchObject({
      id: expect.not.stringMatching(first?.id ?? ""),
    })
  })

  it("are no matter of tasks without labels", async () => {
    const workspace = sampleWorkspace()
    const { code, stderr } = await tuneloop(workspace, ["review", "suspects", "order-extraction"]).outcome
    expect(code).toBe(2)
    expect(stderr).toContain("of kind json")
    expect(snapshot(join(workspace, "datasets"))).toEqual({})
  })
})
