// Confident learning on banking77 with a tenth of the labels flipped, for three draws of the flips. See README.md.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { findLabelErrors, type LabelSuspect } from "../src/curation/learned/label-errors.ts"
import { trainLinearModel } from "../src/curation/learned/linear-model.ts"
import { seeded } from "../test/seeded.ts"

const folder = process.argv[2] ?? join(import.meta.dirname, "..", "..", "shared", "data", "banking77")
const share = 0.1
const seeds = [1, 2, 3]

if (!existsSync(join(folder, "train.csv")))
  throw new Error(`${folder} has no train.csv; name the folder of banking77 (train.csv, test.csv)`)
const train = load("train.csv")
const labels = [...new Set(train.map(({ label }) => label))].sort()

process.stdout.write(
  `banking77: ${train.length} rows, ${labels.length} labels, ${100 * share} % of the labels flipped\n`,
)
for (const seed of seeds) {
  const random = seeded(seed)
  const flipped = new Set<string>()
  const rows = train.map(({ text, label }, index) => {
    const id = `row-${index}`
    if (random() >= share) return { id, text, label, isTrain: true }
    flipped.add(id)
    const others = labels.filter((other) => other !== label)
    return { id, text, label: others[Math.floor(random() * others.length)] as string, isTrain: true }
  })
  const started = performance.now()
  const before = cpuSeconds()
  const { suspects } = findLabelErrors(rows)
  const seconds = (performance.now() - started) / 1000
  const hits = (found: readonly LabelSuspect[]) => found.filter(({ id }) => flipped.has(id))
  const right = hits(suspects).filter(({ id, suggested }) => train[Number(id.slice(4))]?.label === suggested).length
  process.stdout.write(
    `draw ${seed}: ${suspects.length} suspects; precision at 100 ` +
      `${share2(hits(suspects.slice(0, 100)).length, 100)}, at 500 ` +
      `${share2(hits(suspects.slice(0, 500)).length, 500)}, of all ` +
      `${share2(hits(suspects).length, suspects.length)}; recall ` +
      `${share2(hits(suspects).length, flipped.size)}; suggestion right in ` +
      `${share2(right, hits(suspects).length)}; ${seconds.toFixed(1)} s ` +
      `(${(cpuSeconds() - before).toFixed(1)} s of processor time), ` +
      `${((1000 * seconds) / rows.length).toFixed(2)} ms a row\n`,
  )
}
const test = load("test.csv")
const started = performance.now()
const model = trainLinearModel(train)
const trained = performance.now()
const right = test.filter(({ text, label }) => model.predict(text).label === label).length
process.stdout.write(
  `the linear model itself: trained on ${train.length} rows in ${((trained - started) / 1000).toFixed(1)} ` +
    `s, ${share2(right, test.length)} of ${test.length} test rows right, ` +
    `${((performance.now() - trained) / test.length).toFixed(2)} ms a prediction\n`,
)

function load(file: string): { text: string; label: string }[] {
  const rows = parse(readFileSync(join(folder, file)), { columns: true }) as { text: string; category: string }[]
  return rows.map(({ text, category }) => ({ text, label: category }))
}

function share2(part: number, whole: number): string {
  return (part / whole).toFixed(3)
}

/** What this process has computed so far; on a busy machine less than what has passed. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
