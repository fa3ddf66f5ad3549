import fc from "fast-check"
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, test } from "vitest"
import { contentId } from "../../../src/core/canonical.ts"
import type { RealInput, Seed } from "../../../src/core/rows/example.ts"
import { checkId, revisionOf } from "../../../src/core/rows/row-identity.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { holdOut } from "../../../src/stages/arriving/hold-out.ts"
import { foldedFigures } from "../../../src/stages/reviewing/folded-figures.ts"
import { figuresOf } from "../../../src/stages/reviewing/review-figures.ts"
import { statusOf } from "../../../src/stages/reviewing/review-status.ts"
import { strategyYields } from "../../../src/stages/reviewing/yields.ts"
import { guidelineDigest, reviewItems } from "../../../src/stages/standing/review-items.ts"
import { taskExamples } from "../../../src/stages/standing/task-examples.ts"
import { workspaceWith } from "../in-process.ts"

const labels = ["good", "bad", "odd"]
const taskOf = (review: object, kind: "label" | "text" = "label"): TaskSpecification =>
  taskSchema.parse({
    ...{ task: "moods", kind, description: "How it sounds", input: { text: {} }, review },
    output: kind === "label" ? { labels: { good: "likes it", bad: "does not", odd: "neither" } } : {},
  })

const textOf = (number: number) => `the customer number ${number} says something of thing ${number * 7}`
const made = <Prefix extends string>(prefix: Prefix, number: number) => {
  const [input, output] = [{ text: textOf(number) }, labels[number % 3] as string]
  return { id: contentId(prefix, { input, output }), input, output }
}
const seeds: Seed[] = Array.from({ length: 16 }, (_, number) => made("seed", number))
const inputs: RealInput[] = Array.from({ length: 6 }, (_, number) => {
  const { id, input } = made("input", 200 + number)
  return { id, input }
})
// Some failed a check, some propose an output for a real input, several for the same.
const candidates = Array.from({ length: 24 }, (_, number) => {
  const answered = number % 3 === 0 ? inputs[(number / 3) % 4] : undefined
  const { id, input, output } = made("cand", 100 + number)
  return {
    ...{ id, parents: [], strategy: number % 5 === 0 ? "evolve" : "label", input: answered?.input ?? input, output },
    checks: [{ name: "novel", ok: number % 7 !== 2 }],
    ...(number % 2 === 0 ? { confidence: (number % 10) / 10 } : {}),
    ...(number % 4 === 0 ? { cell: { label: output } } : {}),
    ...(answered === undefined ? {} : { answers: answered.id }),
  }
})
const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("")

/** What somebody decided: on which item, in which way, who, and at which of a few times. */
const choice = fc.record({
  item: fc.nat({ max: 45 }),
  way: fc.constantFrom("accept", "edit", "edit", "reject", "withdraw", "settle", "stale"),
  who: fc.constantFrom("amara", "ben", "chloe"),
  hour: fc.nat({ max: 5 }),
})
type Choice = typeof choice extends fc.Arbitrary<infer Value> ? Value : never

const reviews = [
  {},
  { policy: "sample", sampleSize: 4, maxError: 0.5 },
  { reviewers: ["amara", "ben"], overlap: 0.5, calibration: 3, goldChecks: 0.5 },
  { policy: "auto", maxError: 0.6, confidence: 0.6, lowConfidence: 0.4, reviewers: ["amara"] },
]

function decisionLine(task: TaskSpecification, items: readonly ReturnType<typeof reviewItems>[number][], one: Choice) {
  const rows = [...candidates, ...inputs, ...items.filter(({ kind, gold }) => gold || kind !== "candidate")]
  const row = rows[one.item % rows.length] as (typeof rows)[number]
  const output = "output" in row ? row.output : undefined
  const revision = "revision" in row ? row.revision : revisionOf(row.input, output)
  const verdict = one.way === "settle" ? "edit" : one.way === "stale" ? "accept" : one.way
  return {
    ...{ item: row.id, verdict, ...(verdict === "edit" ? { output: labels[one.hour % 3] } : {}) },
    ...("gold" in row && row.gold ? { rows: [row.gold.row] } : {}),
    ...(verdict === "reject" ? { reason: `reason ${one.hour % 2}` } : {}),
    ...{ reviewer: one.who, guideline: one.hour === 0 ? "before" : guidelineDigest(task) },
    ...(one.way === "settle" ? { settles: [] } : {}),
    revision: one.way === "stale" ? `sha256:${"0".repeat(64)}` : revision,
    at: `2026-11-2${one.hour}T12:00:0${one.item % 3}.000Z`,
  }
}

test("the figures from columns are those from all rows, whatever was grown, decided, disputed and asked", async () => {
  const made = fc.record({
    review: fc.constantFrom(...reviews),
    kind: fc.constantFrom("label" as const, "text" as const),
    batches: fc.array(fc.subarray(candidates), { minLength: 1, maxLength: 3 }),
    sessions: fc.array(fc.array(choice, { maxLength: 25 }), { maxLength: 3 }),
    suspects: fc.subarray([...seeds.slice(0, 6), ...candidates.slice(0, 9)]),
    pairs: fc.array(fc.tuple(fc.nat({ max: 39 }), fc.nat({ max: 39 })), { maxLength: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(made, async ({ review, kind, batches, sessions, suspects, pairs }) => {
      const task = taskOf(review, kind)
      const { context, rows, folder: root } = workspaceWith(task, { seeds, inputs })
      mkdirSync(join(root, ".tuneloop"), { recursive: true })
      await holdOut(context, task)
      const put = (name: string, all: readonly unknown[]) => {
        mkdirSync(dirname(join(rows.folder, name)), { recursive: true })
        writeFileSync(join(rows.folder, name), lines(all))
      }
      for (const [number, batch] of batches.entries()) put(`candidates/batch-${number}.jsonl`, batch)
      const all = [...seeds, ...candidates]
      const side = ({ id, input, output }: (typeof all)[number]) => ({
        row: id,
        check: checkId(id, input, output),
        output,
      })
      const conflicts = pairs.flatMap(([first, second]) => {
        const [a, b] = [all[first], all[second]]
        if (a === undefined || b === undefined || a === b) return []
        return [{ id: contentId("conflict", [a.id, b.id]), a: side(a), b: side(b), similarity: 0.9, isCurrent: true }]
      })
      put("queue/conflicts.jsonl", [...new Map(conflicts.map((each) => [each.id, each])).values()])
      const suspect = (row: (typeof all)[number]) => ({
        ...{ id: side(row).check, row: row.id, split: "train", label: row.output, suggested: "odd" },
        ...{ selfConfidence: 0.1, confidence: 0.8, isCurrent: true },
      })
      put("queue/label-errors.jsonl", suspects.map(suspect))
      for (const [number, session] of sessions.entries()) {
        const items = reviewItems(rows, taskExamples(task, rows).sources)
        put(
          `decisions/session-${number}.jsonl`,
          session.map((one) => decisionLine(task, items, one)),
        )
      }
      const whole = figuresOf(task, taskExamples(task, rows))
      const folded = foldedFigures(context.workspace, task)
      expect(folded).toBeDefined()
      if (folded === undefined) return
      expect(statusOf(task, folded)).toEqual(statusOf(task, whole))
      expect(folded.grown).toBe(whole.grown)
      expect(new Map([...folded.tally.accepted].sort())).toEqual(new Map([...whole.tally.accepted].sort()))
      expect(strategyYields(rows, folded.tally)).toEqual(strategyYields(rows, whole.tally))
    }),
    { seed: 25, numRuns: 20 },
  )
})

test("what is appended, edited in place, cut off or spoilt in the cache gives the figures of the files as they are", () => {
  const task = taskOf({})
  const { context, rows, folder: root } = workspaceWith(task, { seeds: [] })
  mkdirSync(join(root, ".tuneloop"), { recursive: true })
  const filler = "Please look at it. ".repeat(20)
  const grown = Array.from({ length: 200 }, (_, number) => {
    const [input, output] = [{ text: `${textOf(number)} ${filler}` }, labels[number % 3] as string]
    const checks = [{ name: "novel", ok: number % 7 !== 2 }]
    return { id: contentId("cand", { number }), parents: [], strategy: "evolve", input, output, checks }
  })
  const file = join(rows.folder, "candidates", "batch.jsonl")
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, lines(grown.slice(0, 150)))
  const look = () => {
    const folded = foldedFigures(context.workspace, task)
    const whole = figuresOf(task, taskExamples(task, rows))
    if (folded !== undefined) expect(statusOf(task, folded)).toEqual(statusOf(task, whole))
    return folded?.open
  }
  const parsedLines = (work: () => unknown) => {
    const { parse } = JSON
    const seen = new Set<string>()
    JSON.parse = (text: string, ...more: []) => {
      if (text.startsWith('{"id":"cand_')) seen.add(text)
      return parse(text, ...more) as unknown
    }
    try {
      work()
    } finally {
      JSON.parse = parse
    }
    return seen.size
  }
  const open = look()
  expect(parsedLines(() => foldedFigures(context.workspace, task))).toBe(0)
  appendFileSync(file, lines(grown.slice(150)))
  expect(parsedLines(() => foldedFigures(context.workspace, task))).toBe(50)
  expect(look()).toBeGreaterThan(open as number)
  // As long as before, at an earlier place: whether it passed its check.
  writeFileSync(file, readFileSync(file, "utf8").replace('"ok":false', '"ok":true ').replace("true }", "true}"))
  const passed = look()
  writeFileSync(file, lines(grown.slice(0, 150)))
  expect(look()).toBe(open)
  expect(passed).not.toBe(open)
  for (const spoil of [(bytes: Buffer) => bytes.subarray(0, -9), (bytes: Buffer) => bytes.fill(1, bytes.length - 9)]) {
    const kept = join(context.workspace.cacheFolder, "answers", "moods", "lines-candidates")
    const [name] = [...new Set(readdirNames(kept))]
    writeFileSync(join(kept, name as string), spoil(readFileSync(join(kept, name as string))))
    expect(look()).toBe(open)
  }
  // A line without its end may be half of one, and a line that is no row has to be named: all rows are gone through.
  writeFileSync(file, lines(grown).slice(0, -1))
  expect(foldedFigures(context.workspace, task)).toBeUndefined()
  writeFileSync(file, `${lines(grown)}{"id":1}\n`)
  expect(foldedFigures(context.workspace, task)).toBeUndefined()
  rmSync(file)
  expect(look()).toBe(0)
})

function readdirNames(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".bin"))
}
