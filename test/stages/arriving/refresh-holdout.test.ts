import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { lineageOf } from "../../../src/curation/leaks/lineage.ts"
import { wearOf } from "../../../src/evaluation/verdict/wear.ts"
import type { Assignment } from "../../../src/core/rows/example.ts"
import { standingAfter, type HoldoutRefresh } from "../../../src/core/rows/holdout-refresh.ts"
import { SqliteLedger } from "../../../src/store/ledger/sqlite-ledger.ts"
import { json, rowsOf, sampleWorkspace, tuneloop } from "../../command-line.ts"
import { seeded } from "../../seeded.ts"

const task = "ticket-triage"
const digits = (id: string) => id.slice(id.indexOf("_") + 1)
type Built = { version: string; holdout: string }

/** Gold examples that are near nothing. */
function importGold(workspace: string, name: string, count: number): Promise<Record<string, unknown>> {
  const random = seeded(name.length * 97)
  const labels = ["delivery", "return", "payment", "account", "fault", "product"]
  const words = () => Array.from({ length: 14 }, () => `${name}${Math.floor(random() * 1e6).toString(36)}`).join(" ")
  const rows = Array.from({ length: count }, (_, row) => ({
    input: { body: words() },
    output: labels[row % labels.length],
  }))
  const file = join(workspace, `${name}.jsonl`)
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  return json(workspace, "seed", "import", task, file)
}

async function decide(workspace: string, holdout: string, ...evaluations: string[]): Promise<void> {
  const ledger = SqliteLedger.open(join(workspace, ".tuneloop", "ledger.db"), () => new Date())
  for (const evaluation of evaluations) await ledger.openings.record({ task, holdout, evaluation, purpose: "a test" })
  await ledger.close()
}

const idsIn = (workspace: string, holdout: string, file: string) =>
  rowsOf<{ id: string }>(workspace, "holdouts", holdout, file).map(({ id }) => digits(id))
const trainIds = (workspace: string, version: string) =>
  rowsOf<{ id: string }>(workspace, "versions", version, "train.jsonl").map(({ id }) => digits(id))

describe("a worn test set", () => {
  it("is told, is replaced by rows nothing was trained on, and what was opened is not trained on until it is " +
    "released", {
    timeout: 90_000,
  }, async () => {
    const workspace = sampleWorkspace()
    appendFileSync(join(workspace, "specs", `${task}.yaml`), "\nholdout:\n  openings: 2\n")
    await importGold(workspace, "first", 120)
    const first = await json<Built>(workspace, "build", task)
    const opened = idsIn(workspace, first.holdout, "test.jsonl")
    await decide(workspace, first.holdout, "eval_1")
    // Rows that arrive while it is not worn are spread by need, and one decision is not enough to refresh.
    await importGold(workspace, "early", 30)
    expect(await json(workspace, "holdout", "refresh", task)).toMatchObject({
      state: "unchanged",
      wear: { openings: 1, limit: 2, isWorn: false },
    })
    // One more row does not make a worn test set new, though the holdout has another id.
    await decide(workspace, first.holdout, "eval_2", "eval_2")
    const status = await json<{ tasks: { next: string; holdout: object }[] }>(workspace, "status", task)
    expect(status.tasks[0]).toMatchObject({ holdout: { id: first.holdout, openings: 2, isWorn: true } })
    const before = rowsOf<Assignment>(workspace, "splits.jsonl")
    await importGold(workspace, "late", 60)
    const late = rowsOf<Assignment>(workspace, "splits.jsonl").slice(before.length)
    expect(late.filter(({ split }) => split === "test").length).toBeGreaterThan(40)

    const splits = readFileSync(join(workspace, "datasets", task, "splits.jsonl"), "utf8")
    const planned = await tuneloop(workspace, ["holdout", "refresh", task, "--json"]).outcome
    expect(planned.code, planned.stderr).toBe(3)
    const plan = JSON.parse(planned.stdout)
    expect(plan).toMatchObject({
      state: "planned",
      retired: opened.length,
      tooFew: expect.stringContaining("too few to tell"),
    })
    expect(plan.test).toBe(plan.fresh + plan.unopened)
    const done = await json(workspace, "holdout", "refresh", task, "--yes", "--why", "worn")
    expect(done).toMatchObject({ ...plan, state: "refreshed" })
    expect(await json(workspace, "holdout", "refresh", task, "--force", "--yes")).toMatchObject({ state: "unchanged" })
    expect(readFileSync(join(workspace, "datasets", task, "splits.jsonl"), "utf8")).toBe(splits)
    expect(rowsOf<HoldoutRefresh>(workspace, "refreshes.jsonl")).toMatchObject([
      { holdout: first.holdout, openings: 2, released: [], why: "worn" },
    ])

    const second = await json<Built>(workspace, "build", task)
    const test = idsIn(workspace, second.holdout, "test.jsonl")
    expect(second.holdout).not.toBe(first.holdout)
    expect(test).toHaveLength(plan.test)
    expect(test.filter((id) => opened.includes(id))).toEqual([])
    const trainedOn = new Set(trainIds(workspace, first.version))
    expect(test.filter((id) => trainedOn.has(id))).toEqual([])
    const everywhere = new Set([
      ...trainIds(workspace, second.version),
      ...idsIn(workspace, second.holdout, "validation.jsonl"),
      ...test,
    ])
    expect(opened.filter((id) => everywhere.has(id))).toEqual([])
    expect((await json<{ tasks: object[] }>(workspace, "status", task)).tasks[0]).toMatchObject({
      holdout: { openings: 0, isWorn: false },
    })

    // A copy of a retired row is still a leak.
    const seed = rowsOf(workspace, "seeds.jsonl").find(
      ({ id, input }) => digits(id) === opened[0] && input.body.length > 20,
    )
    writeFileSync(
      join(workspace, "copy.jsonl"),
      `${JSON.stringify({ input: { body: `${seed.input.body} !!` }, output: seed.output, split: "train" })}\n`,
    )
    await json(workspace, "seed", "import", task, join(workspace, "copy.jsonl"))
    const third = await json<Built & { dropped: Record<string, number> }>(workspace, "build", task)
    expect(
      rowsOf(workspace, "versions", third.version, "dropped.jsonl").filter(
        ({ witness }) => digits(witness) === opened[0],
      ),
    ).toHaveLength(1)

    expect(await json(workspace, "holdout", "refresh", task, "--release", "--yes")).toMatchObject({
      state: "refreshed",
      retired: 0,
      released: opened.length,
    })
    const fourth = await json<Built>(workspace, "build", task)
    expect(fourth.holdout).toBe(second.holdout)
    expect(trainIds(workspace, fourth.version).filter((id) => opened.includes(id)).length).toBeGreaterThan(
      opened.length / 2,
    )
  })

  it("asks for real rows where there is none to take its place, and says what is wrong without a holdout", {
    timeout: 60_000,
  }, async () => {
    const workspace = sampleWorkspace()
    const nothing = await tuneloop(workspace, ["holdout", "refresh", task]).outcome
    expect(nothing.code).toBe(1)
    expect(nothing.stderr).toContain(`tuneloop build ${task}`)
    await importGold(workspace, "first", 60)
    const { holdout } = await json<Built>(workspace, "build", task)
    await decide(workspace, holdout, ...Array.from({ length: 10 }, (_, n) => `eval_${n}`))
    const { code, stderr } = await tuneloop(workspace, ["holdout", "refresh", task, "--yes"]).outcome
    expect(code).toBe(3)
    expect(stderr).toContain("opened for 10 decisions")
    expect(stderr).toContain(`tuneloop input import ${task}`)
    expect(existsSync(join(workspace, "datasets", task, "refreshes.jsonl"))).toBe(false)
  })
})

describe("wear", () => {
  const rule = { limit: 3, confidence: 0.95 }
  it("counts decisions that opened at least half of the rows, each once, whatever the holdout was called", () => {
    const test = ["a", "b", "c", "d"]
    const openings = [
      { evaluation: "e1", rows: ["a", "b", "x", "y"] },
      { evaluation: "e1", rows: ["a", "b", "c"] },
      { evaluation: "e2", rows: ["a"] },
      { evaluation: "e3", rows: ["x"] },
      { evaluation: "e4", rows: test },
    ]
    expect(wearOf(test, openings, rule)).toMatchObject({ openings: 2, limit: 3, isWorn: false })
    expect(wearOf(test, [...openings, { evaluation: "e5", rows: test }], rule)).toMatchObject({
      openings: 3,
      isWorn: true,
    })
    expect(wearOf(test, openings, rule).byChance).toBeCloseTo(1 - 0.975 ** 2, 12)
    expect(wearOf([], openings, rule)).toMatchObject({ openings: 0, isWorn: false, byChance: 0 })
  })
})

describe("refreshes", () => {
  it("in any order give the same, and let no held-out row into train but by a release", () => {
    const id = fc.constantFrom<string>("a", "b", "c", "d", "e", "f")
    const refresh = fc.record({
      at: fc.constant("2026-11-24T00:00:00.000Z"),
      holdout: fc.constant("hold_0"),
      openings: fc.constant(1),
      fresh: fc.array(fc.record({ id, stratum: fc.constant("s") }), { maxLength: 3 }),
      retired: fc.array(id, { maxLength: 3 }),
      released: fc.array(id, { maxLength: 1 }),
    })
    const splits = fc.array(fc.constantFrom("train" as const, "validation" as const, "test" as const), {
      minLength: 6,
      maxLength: 6,
    })
    fc.assert(
      fc.property(splits, fc.array(refresh, { maxLength: 4 }), (held, refreshes) => {
        const assignments = held.map(
          (split, place): Assignment => ({ id: "abcdef"[place] as string, split, stratum: "t" }),
        )
        const standing = assignments.map(standingAfter(refreshes))
        expect(assignments.map(standingAfter(refreshes.toReversed()))).toEqual(standing)
        const released = new Set(refreshes.flatMap((each) => each.released))
        for (const [place, { id: row, split }] of standing.entries())
          if (split === "train" && held[place] !== "train") expect(released.has(row)).toBe(true)
        expect(standing.map((each) => each.id)).toEqual(assignments.map((each) => each.id))
      }),
      { seed: 3, numRuns: 300 },
    )
  })
})

describe("lineage", () => {
  it("reaches every ancestor through rows that are parents themselves, and ends in a circle", () => {
    const known = [
      { id: "cand_1", parents: ["seed_a", "seed_b"] },
      { id: "cand_2", parents: ["cand_1", "cand_3"] },
      { id: "cand_3", parents: ["cand_2"] },
    ]
    expect([...lineageOf([{ id: "ex_2", parents: ["cand_1"] }], known)].sort()).toEqual(["1", "2", "3", "a", "b"])
    expect(lineageOf([], known).size).toBe(0)
  })
})
