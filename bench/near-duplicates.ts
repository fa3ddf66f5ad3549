// Ours beside datasketch, rensa, text-dedup, datatrove and semhash, on the same chat files in one run. See README.md.
import { mkdirSync, openSync, readSync, rmSync } from "node:fs"
import { cpus, homedir, loadavg } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Sketcher, sketchPlan } from "../src/curation/near/sketcher.ts"
import { runMeasured } from "./measured-process.ts"
import { writeCorpus, type CorpusKind } from "./near-duplicate-corpus.ts"
import { linesOf, oracleOf, type Oracle } from "./near-duplicate-oracle.ts"
import { peerNames, runPeer, type Outcome } from "./near-duplicate-peers.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000,100000" },
    kinds: { type: "string", default: "long,short" },
    // Peers and the oracle take long: beyond so many rows only ours runs.
    "peer-rows": { type: "string", default: "100000" },
    "peer-minutes": { type: "string", default: "10" },
    "oracle-rows": { type: "string", default: "100000" },
    peers: { type: "string", default: peerNames.join(",") },
    folder: {
      type: "string",
      default: join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tuneloop", "bench"),
    },
  },
})
const root = join(import.meta.dirname, "..")
mkdirSync(values.folder, { recursive: true })
// As users have it: compiled.
await runMeasured(process.execPath, [join(root, "src", "cli", "compile.mjs")])
print(`${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.version}, load average ${loadText()}`)
for (const kind of values.kinds.split(",") as CorpusKind[])
  for (const rows of values.rows.split(",").map(Number)) {
    const file = join(values.folder, `${kind}-${rows}.jsonl`)
    writeCorpus(file, kind, rows)
    const threshold = kind === "short" ? 0.7 : 0.8
    print(
      `\n${kind} texts, ${rows} rows, ${kind === "short" ? "character 4-grams" : "word 5-grams"}, ` +
        `threshold ${threshold}`,
    )
    ceiling(file, kind, threshold)
    const oracle = rows <= Number(values["oracle-rows"]) ? oracleOf(file, kind, threshold) : undefined
    print(
      `${"engine".padEnd(22)}${"texts/s".padStart(10)}${"seconds".padStart(10)}${"CPU s".padStart(10)}${"peak MiB".padStart(10)}${"removed".padStart(10)}  precision  recall  otherwise   load`,
    )
    const ours = best(await runOurs(file), await runOurs(file))
    report("tuneloop dedup", rows, ours, oracle)
    report("tuneloop, 1 thread", rows, await runOurs(file, "1"), oracle)
    if (rows <= Number(values["peer-rows"]))
      for (const peer of values.peers.split(",").filter((name) => name !== "")) {
        const outcome = await runPeer(peer, {
          file,
          kind,
          threshold,
          minutes: Number(values["peer-minutes"]),
          folder: values.folder,
        })
        if (typeof outcome === "string") print(`${peer.padEnd(22)}skipped: ${outcome}`)
        else {
          report(peer, rows, outcome, oracle)
          const [times, cpuTimes] = [outcome.seconds / ours.seconds, outcome.cpuSeconds / ours.cpuSeconds].map(
            (ratio) => ratio.toFixed(1),
          )
          print(`  ${outcome.version}: tuneloop is ${times} times as fast, with ${cpuTimes} times less processor time`)
          if (outcome.note !== null) print(`  ${outcome.note}`)
        }
      }
    rmSync(file)
  }

/** The whole process, from its start to the decisions on disk. */
async function runOurs(file: string, threads?: string): Promise<Outcome> {
  const decisions = join(values.folder, "decisions.jsonl")
  rmSync(decisions, { force: true })
  const words = [
    "--quiet",
    "--json",
    "dedup",
    file,
    "--report",
    decisions,
    ...(threads === undefined ? [] : ["--threads", threads]),
  ]
  const start = performance.now()
  const { code, stdout, stderr, cpuSeconds } = await runMeasured(process.execPath, [
    join(root, "dist", "cli", "main.js"),
    ...words,
  ])
  const seconds = (performance.now() - start) / 1000
  if (code !== 0) throw new Error(stderr)
  const { peakMemoryBytes } = JSON.parse(stdout) as { peakMemoryBytes: number }
  const removed: number[] = []
  for (const text of linesOf(decisions)) {
    const { line, kept } = JSON.parse(text) as { line: number; kept: boolean }
    if (!kept) removed.push(line - 1)
  }
  return { seconds, cpuSeconds, peakBytes: peakMemoryBytes, removed }
}

/** What the machine does at most: each step of the work by itself on one core, on the first texts of the file. */
function ceiling(file: string, kind: CorpusKind, threshold: number): void {
  const lines = linesOf(file).take(20_000).toArray()
  const texts = lines.map(
    (line) => (JSON.parse(line) as { messages: { content: string }[] }).messages[1]?.content ?? "",
  )
  const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0) / lines.length
  const name = kind === "short" ? "char-4" : "word-5"
  const plan = sketchPlan({ name, boilerplate: new Int32Array(), numbers: "keep" }, threshold)
  const [cutter, sketcher] = [new Sketcher({ shingles: name }), new Sketcher(plan)]
  const memory = new Int32Array(1 << 26)
  const buffer = Buffer.alloc(1 << 22)
  const steps: [string, () => void][] = [
    ["read from the file cache", () => readAll(file, buffer, lines.length * bytes)],
    ["JSON.parse", () => lines.forEach((line) => void JSON.parse(line))],
    ["fold, cut and hash", () => texts.forEach((text) => void cutter.sketch(text))],
    [
      `the same with ${plan.bands.count * plan.bands.rows} permutations`,
      () => texts.forEach((text) => void sketcher.sketch(text)),
    ],
  ]
  for (const [what, work] of steps) {
    const seconds = Math.min(timed(work), timed(work), timed(work))
    print(`ceiling, one core: ${what.padEnd(30)} ${((seconds * 1e6) / lines.length).toFixed(2).padStart(6)} µs a text`)
  }
  let sum = 0
  const passSeconds = Math.min(
    ...Array.from({ length: 3 }, () =>
      timed(() => {
        for (let at = 0; at < memory.length; at += 1) sum += memory[at] as number
      }),
    ),
  )
  const probes = 2_000_000
  const probeSeconds = timed(() => {
    let at = 1
    for (let probe = 0; probe < probes; probe += 1) {
      at = (Math.imul(at, 1664525) + 1013904223) >>> 0
      sum += memory[at >>> 6] as number
    }
  })
  print(
    `ceiling, one core: memory in order ${(memory.byteLength / passSeconds / 1e9).toFixed(1)} GB/s, at ` +
      `random ${((probeSeconds / probes) * 1e9 + sum * 0).toFixed(0)} ns a probe`,
  )
}

function readAll(file: string, buffer: Buffer, bytes: number): void {
  const descriptor = openSync(file, "r")
  for (let done = 0, read = 1; done < bytes && read > 0; done += read) read = readSync(descriptor, buffer)
}

function timed(work: () => void): number {
  const start = performance.now()
  work()
  return (performance.now() - start) / 1000
}

function report(
  engine: string,
  rows: number,
  { seconds, cpuSeconds, peakBytes, removed }: Outcome,
  oracle: Oracle | undefined,
): void {
  const hits = oracle === undefined ? 0 : removed.filter((row) => oracle.removed.has(row)).length
  // Rows that are removed here or by the oracle alone.
  const otherwise = oracle === undefined ? 0 : removed.length + oracle.removed.size - 2 * hits
  const scores =
    oracle === undefined
      ? "          –       –          –"
      : `     ${(hits / removed.length).toFixed(4)}  ${(hits / oracle.removed.size).toFixed(4)}` +
        String(otherwise).padStart(11)
  print(
    `${engine.padEnd(22)}${Math.round(rows / seconds)
      .toString()
      .padStart(10)}${seconds.toFixed(2).padStart(10)}${cpuSeconds.toFixed(2).padStart(10)}${Math.round(
      peakBytes / 2 ** 20,
    )
      .toString()
      .padStart(10)}${String(removed.length).padStart(10)}${scores}   ${loadText()}`,
  )
}

function best(a: Outcome, b: Outcome): Outcome {
  return a.seconds <= b.seconds ? a : b
}

function loadText(): string {
  return (loadavg()[0] ?? 0).toFixed(1)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
