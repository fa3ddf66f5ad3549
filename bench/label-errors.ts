// Confident learning on banking77 with a tenth of the labels flipped, for three draws of the flips, and cleanlab's on
// the same features. See README.md.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { parse } from "csv-parse/sync"
import { clusters } from "../src/curation/holdout/near-duplicates.ts"
import { findLabelErrors, type LabelledRow } from "../src/curation/learned/label-errors.ts"
import { trainLinearModel } from "../src/curation/learned/linear-model.ts"
import { textFeatures } from "../src/curation/text/text-features.ts"
import { seeded } from "../test/seeded.ts"

const { values: flags, positionals } = parseArgs({ options: { peer: { type: "string" } }, allowPositionals: true })
const folder = positionals[0] ?? join(import.meta.dirname, "..", "..", "shared", "data", "banking77")
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
  const hits = <Row extends { readonly id: string }>(found: readonly Row[]) => found.filter(({ id }) => flipped.has(id))
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
  const cuts = [500, flipped.size, suspects.length]
  const most = findLabelErrors(rows, { count: flipped.size }).suspects
  printCuts("tuneloop", (cut) => hits((cut > suspects.length ? most : suspects).slice(0, cut)).length)
  if (flags.peer !== undefined) {
    const { order, issues, version, seconds } = askPeer(flags.peer, rows)
    const ranked = order.map((index) => rows[index] as LabelledRow)
    printCuts(`cleanlab ${version}`, (cut) => hits(ranked.slice(0, cut)).length)
    const found = hits(issues.map((index) => rows[index] as LabelledRow)).length
    process.stdout.write(
      `  its ${issues.length} issues: ${share2(found, issues.length)} / ${share2(found, flipped.size)}; ` +
        `${seconds.toFixed(1)} s of processor time\n`,
    )
  }
  function printCuts(name: string, hitsAt: (cut: number) => number): void {
    const figures = cuts.map((cut) => `${share2(hitsAt(cut), cut)} / ${share2(hitsAt(cut), flipped.size)} at ${cut}`)
    process.stdout.write(`  ${name}: precision / recall ${figures.join(", ")}\n`)
  }
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

/** cleanlab on the same features, with folds that keep near-duplicates together. */
function askPeer(python: string, rows: readonly LabelledRow[]): PeerAnswer {
  const features = textFeatures(rows.map(({ text }) => text))
  const vectors = rows.map(({ text }) => features.vectorOf(text))
  const starts = [0]
  for (const vector of vectors) starts.push((starts.at(-1) as number) + vector.features.length)
  const numberOf = new Map(rows.map(({ id }, index) => [id, index]))
  const groups = new Int32Array(rows.length)
  for (const [group, members] of clusters(rows).entries())
    for (const id of members) groups[numberOf.get(id) as number] = group
  const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, "label-errors-peer.py")], {
    input: JSON.stringify({
      features: vectors.flatMap((vector) => [...vector.features]),
      values: vectors.flatMap((vector) => [...vector.values]),
      starts,
      size: features.size,
      labels: rows.map(({ label }) => labels.indexOf(label)),
      groups: [...groups],
    }),
    maxBuffer: 2 ** 30,
    encoding: "utf8",
  })
  if (status !== 0) throw new Error(`${python} ended with ${status}:\n${stderr}`)
  return JSON.parse(stdout) as PeerAnswer
}

interface PeerAnswer {
  readonly version: string
  readonly seconds: number
  /** Numbers of rows, the most suspect first: those that it calls issues, and all. */
  readonly issues: readonly number[]
  readonly order: readonly number[]
}

function share2(part: number, whole: number): string {
  return (part / whole).toFixed(3)
}

/** What this process has computed so far; on a busy machine less than what has passed. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
