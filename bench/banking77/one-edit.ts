// The queries of banking77 and a copy of each with one random edit: how many copies `tuneloop dedup` finds, and how
// many rows it drops for one with another label. node_modules/.bin/node bench/banking77/one-edit.ts [folder]
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { seeded } from "../../test/seeded.ts"
import { runMeasured } from "../measured-process.ts"
import { linesOf } from "../near-duplicate-oracle.ts"
import { writeLines } from "../near-duplicate-corpus.ts"

const folder = process.argv[2] ?? join(import.meta.dirname, "..", "..", "..", "shared", "data", "banking77")
if (!existsSync(join(folder, "train.csv")))
  throw new Error(`${folder} has no train.csv; name the folder of banking77 (train.csv, test.csv)`)

interface Row {
  readonly text: string
  readonly label: string
}

type Edit = (words: readonly string[], at: number, random: () => number) => readonly string[]

const queries = ["train.csv", "test.csv"].flatMap((name) =>
  (parse(readFileSync(join(folder, name), "utf8"), { columns: true }) as { text: string; category: string }[]).map(
    ({ text, category }): Row => ({ text: text.trim(), label: category }),
  ),
)
const used = queries.flatMap(({ text }) => text.split(/\s+/))
const edits: Readonly<Record<string, Edit>> = {
  typo: (words, at, random) => words.with(at, misspelt(words[at] as string, random)),
  dropped: (words, at) => words.toSpliced(at, 1),
  inserted: (words, at, random) => words.toSpliced(at, 0, pick(used, random)),
  replaced: (words, at, random) => words.with(at, pick(used, random)),
}

print(`${queries.length} queries of banking77, load average ${(loadavg()[0] ?? 0).toFixed(1)}`)
const home = mkdtempSync(join(tmpdir(), "tuneloop-bench-"))
try {
  for (const seed of [1, 2, 3]) await measure(seed)
} finally {
  rmSync(home, { recursive: true, force: true })
}

async function measure(seed: number): Promise<void> {
  const random = seeded(seed)
  const names = Object.keys(edits)
  const kinds = queries.map(() => pick(names, random))
  const copies = queries.map(({ text, label }, index): Row => {
    const words = text.split(/\s+/)
    const edit = edits[kinds[index] as string] as Edit
    return { text: edit(words, Math.floor(random() * words.length), random).join(" "), label }
  })
  const rows = [...queries, ...copies]
  const [file, report] = [join(home, "rows.jsonl"), join(home, `report-${seed}.jsonl`)]
  writeLines(file, rows)
  const words = ["--quiet", "--json", "dedup", file, "--report", report]
  const main = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts")
  const { code, stderr, cpuSeconds } = await runMeasured(process.execPath, [main, ...words])
  if (code !== 0) throw new Error(stderr)
  const told = [...linesOf(report)].map((line) => JSON.parse(line) as Told)
  const dropped = new Set(told.filter(({ kept }) => !kept).map(({ line }) => line))
  const across = told.filter(
    ({ line, kept, witnessLine }) => !kept && rows[line - 1]?.label !== rows[witnessLine - 1]?.label,
  )
  const shareOf = (places: readonly number[]) =>
    places.filter((place) => dropped.has(queries.length + place + 1)).length / places.length
  // Of a query that is a duplicate itself the copy is compared with another one.
  const all = [...kinds.keys()].filter((place) => !dropped.has(place + 1))
  print(
    `draw ${seed}: ${shareOf(all).toFixed(3)} of ${all.length} copies of kept queries found (` +
      names.map((name) => `${name} ${shareOf(all.filter((place) => kinds[place] === name)).toFixed(3)}`).join(", ") +
      `), ${across.length} rows dropped across labels, ${told.filter(({ kept }) => kept).length} conflicts told, ` +
      `${cpuSeconds.toFixed(1)} s of processor time`,
  )
  if (across.length > 0 || shareOf(all) < 0.86) process.exitCode = 1
}

interface Told {
  readonly line: number
  readonly kept: boolean
  readonly witnessLine: number
}

function misspelt(word: string, random: () => number): string {
  const at = Math.floor(random() * word.length)
  return word.slice(0, at) + pick([..."abcdefghijklmnopqrstuvwxyz"], random) + word.slice(at + 1)
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)] as Item
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
