import { appendFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { buildThreads } from "../../../src/cli/threads.ts"
import { loadFilters } from "../../../src/cli/plugins.ts"
import type { Seed } from "../../../src/core/rows/example.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { build } from "../../../src/stages/building/build.ts"
import { seeded } from "../../seeded.ts"
import { workspaceWith } from "../in-process.ts"

const labels = ["refund", "parcel", "account", "other"]
const labelled = taskSchema.parse({
  task: "made",
  kind: "label",
  description: "Made-up rows.",
  input: { text: { description: "the text" } },
  output: { labels: Object.fromEntries(labels.map((label) => [label, label])) },
})
const written = taskSchema.parse({
  task: "made",
  kind: "text",
  description: "Made-up rows.",
  input: { text: { description: "the text" } },
  output: { maxLength: 4000 },
})

/**
 * More than the 8 MiB from which on a build has threads: long texts of made words, copies of them, and a form of which
 * many differ in a few words.
 */
function manySeeds(kind: "label" | "text", prompt = ""): Seed[] {
  const random = seeded(31)
  const words = (count: number) => Array.from({ length: count }, () => `w${inLetters(random() * 4000)}`)
  const form = words(120)
  const texts: string[] = []
  for (let number = 0; number < 3400; number += 1) {
    const copied = texts[Math.floor(random() * texts.length)]
    if (copied !== undefined && random() < 0.3)
      texts.push(random() < 0.3 ? copied.toUpperCase() : `${copied} ${words(2).join(" ")}`)
    else if (random() < 0.1) texts.push(form.map((word) => (random() < 0.04 ? "other" : word)).join(" "))
    else texts.push(`${words(500).join(" ")}${number % 50 === 0 ? `.\nWrite to ann.${number}@example.org ` : "."}`)
  }
  const digits = (number: number) => number.toString(16).padStart(8, "0")
  return texts.map((text, number) => ({
    id: `seed_${digits(Math.imul(number + 1, 0x9e3779b1) >>> 0)}${digits(number)}`,
    input: { text: prompt + text },
    output: kind === "label" ? (labels[Math.floor(random() * labels.length)] as string) : `about ${text.slice(0, 60)}`,
    ...(number % 3 === 0 ? { source: `file-${number % 2}` } : {}),
  }))
}

/** Words without digits: texts with other numbers are no near-duplicates. */
function inLetters(number: number): string {
  return Math.floor(number)
    .toString(36)
    .replace(/\d/g, (digit) => String.fromCharCode(65 + Number(digit)))
}

function seededWords(count: number): string {
  const random = seeded(5)
  return Array.from({ length: count }, () => `p${inLetters(random() * 900)}`).join(" ")
}

async function built(task: TaskSpecification, seeds: readonly Seed[], threads: number) {
  const { context, rows } = workspaceWith(task, { seeds })
  const starter = { ...buildThreads, count: threads }
  const result = await build(context, task, await loadFilters(task), { threads: starter })
  const folder = join(rows.folder, "versions", result.manifest.id)
  const files = Object.fromEntries(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]))
  const left = readdirSync(rows.folder).filter((name) => name.endsWith(".tmp"))
  return { result, files, left, context, rows, starter }
}

describe("a build of many seeds", () => {
  it.each([
    ["labels", labelled, "label", ""],
    ["labels over one prompt", labelled, "label", `${seededWords(60)}: `],
    ["texts", written, "text", ""],
  ] as const)("of %s is the same with any number of threads, to the last byte", async (_, task, kind, prompt) => {
    const seeds = manySeeds(kind, prompt)
    const alone = await built(task, seeds, 1)
    for (const threads of [2, 3]) {
      const shared = await built(task, seeds, threads)
      expect(shared.files).toEqual(alone.files)
      expect({ ...shared.result, costs: undefined }).toEqual({ ...alone.result, costs: undefined })
      expect(shared.left).toEqual([])
    }
    const { manifest } = alone.result
    expect(manifest.dropped["near-duplicate"]).toBeGreaterThan(100)
    expect(manifest.dropped["exact-duplicate"]).toBeGreaterThan(20)
    expect(manifest.read).toBe(manifest.kept + Object.values(manifest.dropped).reduce((sum, count) => sum + count, 0))
  })

  it("says which line is no seed, and leaves nothing behind", async () => {
    const { context, rows, starter } = await built(labelled, manySeeds("label"), 2)
    const before = readFileSync(rows.seedsFile)
    for (const [line, message] of [
      ['{"id":"seed_0000000000000001","input":', /seeds\.jsonl:3401: not valid JSON/],
      [before.toString("utf8", 0, before.indexOf(10)), /seed_\w+ is already the id of row 1/],
    ] as const) {
      writeFileSync(rows.seedsFile, before)
      appendFileSync(rows.seedsFile, `${line}\n`)
      await expect(build(context, labelled, await loadFilters(labelled), { threads: starter })).rejects.toThrow(message)
      expect(readdirSync(rows.folder).filter((name) => name.endsWith(".tmp"))).toEqual([])
    }
  })
})
