// The exact search among held-out texts: how long it takes as rows double, a fifth of them held out, and whether it
// finds what brute force finds. node_modules/.bin/node bench/nearest-set.ts --rows 60000,120000 --brute-force 20000
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { NearestSet, type NearSet } from "../src/curation/near/nearest-set.ts"
import { jaccard, shinglerNamed } from "../src/curation/near/shingles.ts"
import { Sketcher } from "../src/curation/near/sketcher.ts"
import { chatRows } from "./near-duplicate-corpus.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "60000,120000,240000,480000,1000000" },
    // So many texts are compared with as many others.
    "brute-force": { type: "string", default: "20000" },
  },
})
const threshold = 0.7
print(
  `${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.version}, load average ` +
    (loadavg()[0] ?? 0).toFixed(1),
)
print("short texts, one fifth of them held out; processor seconds, as other work on the machine comes and goes")
let before: number | undefined
for (const rows of values.rows.split(",").filter(Boolean).map(Number)) {
  const texts = shortTexts(rows)
  const start = cpuSeconds()
  const search = searchAmong(texts.filter((_, row) => row % 5 === 0))
  const made = cpuSeconds() - start
  const found = texts.filter((text, row) => row % 5 !== 0 && search(text) !== undefined).length
  const all = cpuSeconds() - start
  print(
    `${String(rows).padStart(8)} rows: ${made.toFixed(2)} s to add, ${(all - made).toFixed(2)} s to ask, ` +
      `${found} near` +
      (before === undefined ? "" : `; ${(all / before).toFixed(2)} times the run before`),
  )
  before = all
}
const each = Number(values["brute-force"])
if (each > 0) {
  const texts = shortTexts(2 * each)
  const [held, asked] = [texts.slice(0, each), texts.slice(each)]
  const { of } = shinglerNamed("char-4")
  const [sets, search] = [held.map(of), searchAmong(held)]
  const wrong = asked.filter((text) => {
    const [wanted, got] = [bruteForce(sets, of(text)), search(text)]
    return wanted?.place !== got?.place || wanted?.similarity !== got?.similarity
  })
  print(`${each} x ${each}: ${wrong.length} texts for which brute force finds another one`)
  if (wrong.length > 0) process.exitCode = 1
}

function shortTexts(rows: number): string[] {
  return Array.from(chatRows("short", rows), ({ messages }) => messages[1].content)
}

function searchAmong(held: readonly string[]): (text: string) => NearSet | undefined {
  const [sketcher, search] = [new Sketcher({ shingles: "char-4" }), new NearestSet(threshold)]
  for (const text of held) search.add(sketcher.sketch(text))
  // The first question makes the index.
  search.nearest(sketcher.sketch(""))
  return (text) => search.nearest(sketcher.sketch(text))
}

function bruteForce(sets: readonly Uint32Array[], asked: Uint32Array): NearSet | undefined {
  let best: NearSet | undefined
  for (const [place, set] of sets.entries()) {
    const similarity = jaccard(set, asked)
    if (similarity >= threshold && similarity > (best?.similarity ?? 0)) best = { place, similarity }
  }
  return best
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
