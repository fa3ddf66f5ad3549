import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { cleanOf, importSeeds, json, rowsOf, sample, sampleWorkspace, snapshot, tuneloop } from "../command-line.ts"

/** Runs the command and returns its JSON. */

async function throughBuild(workspace: string, seeds: string): Promise<Record<string, unknown>> {
  await json(workspace, "seed", "import", "ticket-triage", seeds)
  await json(workspace, "input", "import", "ticket-triage", sample("ticket-triage", "inputs.jsonl"))
  await json(workspace, "expand", "ticket-triage")
  await json(workspace, "review", "import", "ticket-triage", sample("ticket-triage", "recorded-review.csv"))
  return json(workspace, "build", "ticket-triage")
}

/** A person accepts every candidate that waits for a decision. */
async function acceptAll(workspace: string, task: string): Promise<Record<string, unknown> & { exported: number }> {
  const file = join(workspace, "review.csv")
  const { rows } = await json(workspace, "review", "export", task, "--out", file, "--reviewer", "amara")
  // Where nothing waits no file is written.
  if (rows === 0) return { added: 0, stillOpen: 0, exported: 0 }
  writeFileSync(file, readFileSync(file, "utf8").replace(/^(cand_[0-9a-f]{16}),,/gm, "$1,accept,"))
  return { ...(await json(workspace, "review", "import", task, file)), exported: rows as number }
}

const data = (path: string) => !path.includes(".tuneloop") && !path.includes("decisions")

describe("from gold examples to a dataset version", () => {
  it("gives the same version from the same rows in any order, and is unchanged the second time", async () => {
    const workspace = sampleWorkspace()
    const built = await throughBuild(workspace, sample("ticket-triage", "seeds.jsonl"))
    expect(built).toMatchObject({ state: "built", open: 0, ...cleanOf(built) })
    expect(built["read"]).toBe(
      (built["kept"] as number) +
        Object.values(built["dropped"] as Record<string, number>).reduce((sum, count) => sum + count, 0),
    )
    const before = snapshot(workspace)
    expect(
      await json(workspace, "seed", "import", "ticket-triage", sample("ticket-triage", "seeds.jsonl")),
    ).toMatchObject({ added: 0, corrected: 0 })
    expect(await json(workspace, "expand", "ticket-triage")).toMatchObject({ strategies: [{ state: "unchanged" }] })
    expect(
      await json(workspace, "review", "import", "ticket-triage", sample("ticket-triage", "recorded-review.csv")),
    ).toMatchObject({ added: 0 })
    expect(await json(workspace, "build", "ticket-triage")).toMatchObject({
      state: "unchanged",
      version: built["version"],
    })
    expect(snapshot(workspace)).toEqual(before)

    const { holdout, rows } = built as { holdout: string; rows: { test: number } }
    expect(await json(workspace, "dataset", "show", holdout)).toMatchObject({
      id: holdout,
      files: { "test.jsonl": { rows: rows.test } },
    })

    const shuffled = sampleWorkspace()
    const lines = readFileSync(sample("ticket-triage", "seeds.jsonl"), "utf8").trimEnd().split("\n")
    writeFileSync(join(shuffled, "seeds.jsonl"), `${lines.reverse().join("\n")}\n`)
    const other = await throughBuild(shuffled, join(shuffled, "seeds.jsonl"))
    expect(other["version"]).toBe(built["version"])
    const versions = (folder: string) =>
      snapshot(join(folder, "datasets", "ticket-triage"), (path) => /versions|holdouts/.test(path) && data(path))
    expect(versions(shuffled)).toEqual(versions(workspace))
  })

  it("asks people about exactly the items that the recorded review answers", async () => {
    const workspace = sampleWorkspace()
    await importSeeds(workspace)
    await json(workspace, "input", "import", "ticket-triage", sample("ticket-triage", "inputs.jsonl"))
    await json(workspace, "expand", "ticket-triage")
    const stopped = await tuneloop(workspace, ["run", "ticket-triage"]).outcome
    expect(stopped.code).toBe(3)
    expect(stopped.stderr).toContain("review export ticket-triage")
    await json(workspace, "review", "export", "ticket-triage", "--out", join(workspace, "review.csv"))
    const ids = (file: string) =>
      [...readFileSync(file, "utf8").matchAll(/^(?:\ufeff)?((?:cand|input)_[0-9a-f]{16}),/gm)]
        .map((match) => match[1])
        .sort()
    expect(ids(join(workspace, "review.csv"))).toEqual(ids(sample("ticket-triage", "recorded-review.csv")))
    await json(workspace, "review", "import", "ticket-triage", sample("ticket-triage", "recorded-review.csv"))
    expect(await json(workspace, "review", "status", "ticket-triage")).toMatchObject({
      open: 0,
      conflicts: 0,
      stale: 0,
    })
  })

  it("keeps a held-out example out of training when it comes back as a near copy", async () => {
    const workspace = sampleWorkspace()
    await importSeeds(workspace)
    const folder = join(workspace, "datasets", "ticket-triage")
    const test = new Set(
      rowsOf(workspace, "splits.jsonl")
        .filter(({ split }) => split === "test")
        .map(({ id }) => id),
    )
    const heldOut = rowsOf(workspace, "seeds.jsonl").find(({ id, input }) => test.has(id) && input.body.length > 80)
    const before = rowsOf(workspace, "splits.jsonl")
    writeFileSync(
      join(workspace, "copy.jsonl"),
      `${JSON.stringify({ input: { body: `${heldOut.input.body.toUpperCase()} !!` }, output: heldOut.output })}\n`,
    )
    await json(workspace, "seed", "import", "ticket-triage", join(workspace, "copy.jsonl"))
    // A seed that arrives near a held-out one follows it; what was assigned stays where it was.
    expect(rowsOf(workspace, "splits.jsonl").slice(0, before.length)).toEqual(before)
    expect(rowsOf(workspace, "splits.jsonl").at(-1)).toMatchObject({ split: "test" })
    // By hand it is put to training: the build takes it out again and says why.
    const added = rowsOf(workspace, "splits.jsonl").at(-1)
    writeFileSync(
      join(folder, "splits.jsonl"),
      `${[...before, { ...added, split: "train" }].map((row) => JSON.stringify(row)).join("\n")}\n`,
    )
    const built = await json(workspace, "build", "ticket-triage")
    const dropped = readFileSync(join(folder, "versions", built["version"] as string, "dropped.jsonl"), "utf8")
    expect(dropped).toMatch(/"reason":"leak-(exact|near)"/)
    expect(dropped).toContain(heldOut.id.replace("seed_", "ex_"))
  })

  it(
    "trains on no candidate that is near a held-out example, even one that every check passed and a person " +
      "accepted",
    async () => {
      const workspace = sampleWorkspace()
      await importSeeds(workspace)
      const folder = join(workspace, "datasets", "ticket-triage")
      const splits = new Map(rowsOf(workspace, "splits.jsonl").map(({ id, split }) => [id, split]))
      const long = rowsOf(workspace, "seeds.jsonl").filter(({ input }) => input.body.length > 120)
      const candidates = ["test", "validation", "train"].map((split, index) => {
        const parent = long.find(({ id }) => splits.get(id) === split)
        const base = { id: `cand_000000000000000${index}`, strategy: "by-hand", output: parent.output, checks: [] }
        // Near by its text, or by its parent alone.
        if (split === "validation")
          return {
            ...base,
            parents: [parent.id],
            input: { body: "An entirely other question about a teapot and its lid, please" },
          }
        return { ...base, parents: [], input: { body: `Hello, ${parent.input.body} Bye` } }
      })
      mkdirSync(join(folder, "candidates"))
      writeFileSync(
        join(folder, "candidates", "by-hand.jsonl"),
        candidates.map((row) => `${JSON.stringify(row)}\n`).join(""),
      )
      expect(await acceptAll(workspace, "ticket-triage")).toMatchObject({ added: 3, stillOpen: 0 })
      const built = await json(workspace, "build", "ticket-triage")
      expect(built).toMatchObject({ open: 0, ...cleanOf(built) })
      const train = rowsOf(workspace, "versions", built["version"] as string, "train.jsonl").map(({ id }) => id)
      expect(train.filter((id) => /^ex_000000000000000/.test(id))).toEqual([])
      const dropped = new Map(
        rowsOf(workspace, "versions", built["version"] as string, "dropped.jsonl").map((row) => [row.id, row]),
      )
      expect(dropped.get("ex_0000000000000000")).toMatchObject({
        reason: expect.stringMatching(/^leak-(near|ngram)$/),
        witness: expect.any(String),
      })
      expect(dropped.get("ex_0000000000000001")).toMatchObject({ reason: "lineage" })
      expect(dropped.get("ex_0000000000000002")).toMatchObject({
        reason: "near-duplicate",
        similarity: expect.any(Number),
      })
    },
  )

  it("keeps the id and the split of a row whose text is corrected under the user's own key", async () => {
    const workspace = sampleWorkspace()
    const write = (body: string) =>
      writeFileSync(join(workspace, "gold.csv"), `id,body,output\n1182,${body},delivery\n`)
    write("wher is it")
    await json(workspace, "seed", "import", "ticket-triage", join(workspace, "gold.csv"))
    const read = (file: string) => readFileSync(join(workspace, "datasets", "ticket-triage", file), "utf8")
    const [splits, before] = [read("splits.jsonl"), JSON.parse(read("seeds.jsonl"))]
    write("where is it")
    expect(await json(workspace, "seed", "import", "ticket-triage", join(workspace, "gold.csv"))).toMatchObject({
      added: 0,
      corrected: 1,
    })
    expect(read("splits.jsonl")).toBe(splits)
    expect(splits).toContain(before.id)
    expect(JSON.parse(read("seeds.jsonl"))).toEqual({ ...before, input: { body: "where is it" } })
  })

  it.each([
    ["order-extraction", true],
    ["house-style-reply", false],
  ])("takes %s through check, review and build", async (task, grows) => {
    const workspace = sampleWorkspace()
    await json(workspace, "spec", "check", task)
    await json(workspace, "seed", "import", task, sample(task, "seeds.jsonl"))
    await json(workspace, "expand", task)
    const review = await acceptAll(workspace, task)
    expect(review).toMatchObject({ added: review.exported, stillOpen: 0 })
    expect(review.exported > 0).toBe(grows)
    const built = await json(workspace, "build", task)
    expect(built).toMatchObject({ state: "built", ...cleanOf(built) })
  })
})
