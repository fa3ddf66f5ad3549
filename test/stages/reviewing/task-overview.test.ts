import fc from "fast-check"
import { existsSync, mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, test } from "vitest"
import { contentId } from "../../../src/core/canonical.ts"
import type { Seed } from "../../../src/core/rows/example.ts"
import { revisionOf } from "../../../src/core/rows/row-identity.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { holdOut } from "../../../src/stages/arriving/hold-out.ts"
import { build } from "../../../src/stages/building/build.ts"
import { reviewStatus } from "../../../src/stages/reviewing/review-status.ts"
import { taskOverview } from "../../../src/stages/reviewing/task-overview.ts"
import { workspaceWith } from "../in-process.ts"

const labels = ["good", "bad", "odd"]
const task: TaskSpecification = taskSchema.parse({
  task: "moods",
  kind: "label",
  description: "How it sounds",
  input: { text: {} },
  output: { labels: { good: "likes it", bad: "does not", odd: "neither" } },
})

const textOf = (number: number) => `the customer number ${number} says something of thing ${number * 7}`
const seeds: Seed[] = Array.from({ length: 20 }, (_, number) => {
  const [input, output] = [{ text: textOf(number) }, labels[number % 3]]
  return { id: contentId("seed", { input, output }), input, output }
})
const candidates = Array.from({ length: 12 }, (_, number) => {
  const [input, output] = [{ text: textOf(100 + number) }, labels[number % 3]]
  const id = contentId("cand", { input, output })
  return { id, parents: [], strategy: "recombine", input, output, checks: [{ name: "novel", ok: number !== 3 }] }
})
const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("")

/** What a person or git may do to the files: how it changes the text of one; none for a file that goes. */
const edits: readonly ((number: number) => { file: string; text: string | undefined })[] = [
  (number) => ({ file: `candidates/batch-${number % 2}.jsonl`, text: lines(candidates.slice(0, 1 + (number % 12))) }),
  (number) => ({ file: `candidates/batch-${number % 2}.jsonl`, text: undefined }),
  (number) => {
    const { id, input, output } = candidates[number % 12] as (typeof candidates)[number]
    const decision = {
      ...{ item: id, verdict: number % 2 === 0 ? "accept" : "reject", reviewer: `person-${number % 2}` },
      ...{ guideline: "none", revision: revisionOf(input, output), at: "2026-11-24T12:00:00.000Z" },
    }
    return { file: `decisions/session-${number % 2}.jsonl`, text: lines([decision]) }
  },
  (number) => ({ file: `decisions/session-${number % 2}.jsonl`, text: undefined }),
  // As long as before, at the same time.
  (number) => ({
    file: "seeds.jsonl",
    text: lines(
      seeds.map((seed, index) => (index === number % 20 ? { ...seed, input: { text: textOf(index + 60) } } : seed)),
    ),
  }),
  () => ({ file: "seeds.jsonl", text: lines(seeds) }),
]

test("whatever is done to the files, each answer is that which is made from scratch", async () => {
  const step = fc.tuple(fc.nat({ max: edits.length - 1 }), fc.nat({ max: 60 }), fc.boolean())
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 6 }), async (steps) => {
      const { context, rows } = workspaceWith(task, { seeds })
      const cache = context.workspace.cacheFolder
      const answers = async () => {
        const { costs: _, state, ...built } = await build(context, task, [])
        return { state, all: [await taskOverview(context, task), await reviewStatus(context, task), built] }
      }
      await answers()
      for (const [edit, number, isSameTime] of steps) {
        const made = edits[edit]?.(number)
        if (made !== undefined) write(join(rows.folder, made.file), made.text, isSameTime)
        const kept = await answers()
        const again = await answers()
        expect(again.state).toBe("unchanged")
        const aside = `${cache}-aside`
        renameSync(cache, aside)
        const scratch = await answers()
        rmSync(cache, { recursive: true })
        renameSync(aside, cache)
        expect(kept.all).toEqual(scratch.all)
        expect(again.all).toEqual(scratch.all)
      }
    }),
    { seed: 25, numRuns: 2 },
  )
})

test("no row is read again for an overview, a review status and a build of the same files", async () => {
  const { context, rows } = workspaceWith(task, { seeds })
  write(join(rows.folder, "candidates", "batch.jsonl"), lines(candidates), false)
  // As an import does: what a command writes to the splits itself is read again once.
  await holdOut(context, task)
  const first = [await build(context, task, []), await taskOverview(context, task), await reviewStatus(context, task)]
  const { parse } = JSON
  const parsed: string[] = []
  JSON.parse = (text: string, ...more: []) => {
    parsed.push(text)
    return parse(text, ...more) as unknown
  }
  try {
    const again = [await build(context, task, []), await taskOverview(context, task), await reviewStatus(context, task)]
    expect(again.map((answer) => ({ ...answer, costs: 0, state: 0 }))).toEqual(
      first.map((answer) => ({ ...answer, costs: 0, state: 0 })),
    )
  } finally {
    JSON.parse = parse
  }
  const read = parsed.filter((text) => /^\{"id":"(seed|cand)/.test(text))
  expect(read).toEqual([])
})

test("a frozen file that was changed by hand is not taken for the version that was built", async () => {
  const { context, rows } = workspaceWith(task, { seeds })
  await holdOut(context, task)
  const { manifest } = await build(context, task, [])
  expect((await build(context, task, [])).state).toBe("unchanged")
  rmSync(join(rows.folder, "versions", manifest.id), { recursive: true })
  expect((await build(context, task, [])).state).toBe("built")
})

function write(file: string, text: string | undefined, isSameTime: boolean): void {
  const before = existsSync(file) ? statSync(file) : undefined
  mkdirSync(dirname(file), { recursive: true })
  if (text === undefined) rmSync(file, { force: true })
  else writeFileSync(file, text)
  if (text !== undefined && isSameTime && before !== undefined) utimesSync(file, before.atime, before.mtime)
}
