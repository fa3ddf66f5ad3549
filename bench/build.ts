// What a data set of made-up rows takes: its import and hold-out, the core of its build beside JSON.parse of the file
// that it reads, each check, and peak memory. node_modules/.bin/node bench/build.ts --rows 10000,100000,1000000 --kind
// label
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { BuildCosts } from "../src/stages/building/build-costs.ts"
import { makeWorkspace, type SetKind } from "./build-corpus.ts"
import { type Outcome, parseSeconds, run } from "./measured.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000,100000,1000000" },
    kind: { type: "string", default: "label" },
    "test-share": { type: "string", default: "0" },
    folder: { type: "string", default: tmpdir() },
  },
})
print(`${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.version}`)
for (const rows of values.rows.split(",").map(Number)) {
  const folder = mkdtempSync(join(values.folder, "tuneloop-bench-"))
  try {
    const file = makeWorkspace(folder, values.kind as SetKind, rows, Number(values["test-share"]))
    const imported = await run(folder, "seed", "import", "made", file)
    // What the build reads. Right before it and right after: other work on the machine comes and goes.
    const seeds = join(folder, "datasets", "made", "seeds.jsonl")
    const load = loadavg()[0]?.toFixed(1)
    const before = parseSeconds(seeds)
    const built = await run(folder, "build", "made")
    const after = parseSeconds(seeds)
    const parse = (before.seconds + after.seconds) / 2
    const costs = built.printed["costs"] as BuildCosts
    print(
      `\n${rows} rows of ${values.kind}, ${(statSync(file).size / rows).toFixed(0)} bytes each, load average ${load}`,
    )
    print(`  seed import with hold-out            ${told(imported, rows)}`)
    print(
      `  JSON.parse of the seeds, one thread  ${before.seconds.toFixed(2)} s before the build and ` +
        `${after.seconds.toFixed(2)} s after it, ${perRow(parse, costs.core.rows)}`,
    )
    print(
      `  build                                ${told(built, rows)}; kept ${String(built.printed["kept"])} ` +
        `of ${String(built.printed["read"])}`,
    )
    print(
      `    core                               ${costs.core.seconds} s, ${costs.core.microsecondsPerRow} ` +
        `µs a row: ${(costs.core.seconds / parse).toFixed(1)} times JSON.parse`,
    )
    for (const [name, cost] of Object.entries(costs.checks))
      print(`    ${name.padEnd(35)}${cost.seconds} s, ${cost.microsecondsPerRow} µs a row`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function told({ seconds, cpuSeconds, peakMiB }: Outcome, rows: number): string {
  return (
    `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time), ${perRow(seconds, rows)}, peak ` +
    `${peakMiB.toFixed(0)} MiB`
  )
}

function perRow(seconds: number, rows: number): string {
  return `${((seconds * 1e6) / rows).toFixed(1)} µs a row`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
