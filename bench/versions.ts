// What it takes to export a version of made-up rows, to compare it with another, and to write its card: seconds, peak
// memory, and how often JSON.parse would have read the file in the time. node_modules/.bin/node bench/versions.ts
// --rows 10000,100000 --kind label
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Example } from "../src/core/rows/example.ts"
import { readLines } from "../src/store/files/files.ts"
import { makeWorkspace, type SetKind } from "./build-corpus.ts"
import { type Outcome, parseSeconds, run } from "./measured.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000,100000,1000000" },
    kind: { type: "string", default: "label" },
    folder: { type: "string", default: tmpdir() },
  },
})

print(`${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.version}`)
for (const rows of values.rows.split(",").map(Number)) {
  const folder = mkdtempSync(join(values.folder, "tuneloop-bench-"))
  try {
    const file = makeWorkspace(folder, values.kind as SetKind, rows)
    await run(folder, "seed", "import", "made", file)
    rmSync(file)
    const { version: first } = (await run(folder, "build", "made")).printed
    const train = join(folder, "datasets", "made", "versions", String(first), "train.jsonl")
    const specification = join(folder, "specs", "made.yaml")
    writeFileSync(specification, `${readFileSync(specification, "utf8")}build:\n  maxLength: ${longText(train)}\n`)
    const { version: second, kept } = (await run(folder, "build", "made")).printed
    const parse = parseSeconds(train)
    print(
      `\n${rows} rows of ${values.kind}, train.jsonl of ${(statSync(train).size / 1e6).toFixed(1)} MB, ` +
        `load average ${loadavg()[0]?.toFixed(1)}`,
    )
    print(
      `  ${"JSON.parse of the file, one thread".padEnd(37)}${parse.seconds.toFixed(2)} s ` +
        `(${parse.cpuSeconds.toFixed(2)} s of processor time)`,
    )
    const told = (name: string, { seconds, cpuSeconds, peakMiB }: Outcome) =>
      print(
        `  ${name.padEnd(37)}${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time), ` +
          `${(cpuSeconds / parse.cpuSeconds).toFixed(1)} times JSON.parse, peak ${peakMiB.toFixed(0)} MiB`,
      )
    for (const [format, out] of [
      ["messages", "messages/train.jsonl"],
      ["parquet", "train.parquet"],
      ["mlx-lm", "mlx"],
    ] as const)
      told(
        `export --format ${format}`,
        await run(
          folder,
          "dataset",
          "export",
          "made",
          "--dataset",
          String(first),
          "--format",
          format,
          "--out",
          join(folder, out),
        ),
      )
    told(`diff with one of ${String(kept)} rows`, await run(folder, "dataset", "diff", String(first), String(second)))
    told("diff with itself", await run(folder, "dataset", "diff", String(first), String(first)))
    told("card", await run(folder, "dataset", "card", "made", "--dataset", String(first)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A length that one train row in twenty is beyond. */
function longText(train: string): number {
  const lengths = Array.from(readLines(train), ({ text }) => (JSON.parse(text) as Example).input["text"] as string)
    .map(({ length }) => length)
    .sort((a, b) => a - b)
  return lengths[Math.floor(0.95 * lengths.length)] as number
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
