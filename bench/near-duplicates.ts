// Ours beside datasketch, rensa, text-dedup, datatrove and semhash, on the same chat files in one run. See README.md.
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs"
import { cpus, homedir, loadavg } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Sketcher, sketchPlan } from "../src/curation/sketcher.ts"
import { writeCorpus, type CorpusKind } from "./near-duplicate-corpus.ts"
import { linesOf, oracleOf, type Oracle } from "./near-duplicate-oracle.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000,100000" },
    kinds: { type: "string", default: "long,short" },
    // Peers and the oracle take long: beyond so many rows only ours runs.
    "peer-rows": { type: "string", default: "100000" },
    "peer-minutes": { type: "string", default: "10" },
    "oracle-rows": { type: "string", default: "100000" },
    peers: { type: "string", default: "datasketch,rensa,rensa-rho,text-dedup,datatrove,semhash" },
    folder: { type: "string", default: join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tuneloop", "bench") },
  },
})
const root = join(import.meta.dirname, "..")
// The words of each `pip install` of a peer; by default the package of its name.
const packages: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "rensa-rho": [["rensa"]],
  // Without what only its other methods need (Spark, ONNX); neither it nor datatrove can give xxhash 4 a text.
  "text-dedup": [
    ["--no-deps", "text-dedup==0.4.0"],
    ["numpy", "scipy", "datasets", "xxhash<4", "click", "click-option-group", "tqdm", "rich", "psutil", "regex"],
  ],
  // What its own texts and languages need, and pip does not bring.
  datatrove: [["datatrove", "regex", "xxhash<4", "spacy", "nltk", "tokenizers"]],
}
// What `timeout` of GNU coreutils ends with.
const timedOut = 124

interface Outcome {
  readonly seconds: number
  /** Of the whole process and all its threads: what is left to compare by on a machine that is shared. */
  readonly cpuSeconds: number
  readonly peakBytes: number
  readonly removed: readonly number[]
}

mkdirSync(values.folder, { recursive: true })
// As users have it: compiled.
await run(process.execPath, [join(root, "src", "cli", "compile.mjs")])
print(`${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.version}, load average ${loadText()}`)
for (const kind of values.kinds.split(",") as CorpusKind[])
  for (const rows of values.rows.split(",").map(Number)) {
    const file = join(values.folder, `${kind}-${rows}.jsonl`)
    writeCorpus(file, kind, rows)
    const threshold = kind === "short" ? 0.7 : 0.8
    print(`\n${kind} texts, ${rows} rows, ${kind === "short" ? "character 4-grams" : "word 5-grams"}, threshold ${threshold}`)
    ceiling(file, kind, threshold)
    const oracle = rows <= Number(values["oracle-rows"]) ? oracleOf(file, kind, threshold) : undefined
    print(
      `${"engine".padEnd(22)}${"texts/s".padStart(10)}${"seconds".padStart(10)}${"CPU s".padStart(10)}${"peak MiB".padStart(10)}${"removed".padStart(10)}  precision  recall   load`,
    )
    const ours = best(await runOurs(file), await runOurs(file))
    report("tuneloop dedup", rows, ours, oracle)
    report("tuneloop, 1 thread", rows, await runOurs(file, "1"), oracle)
    if (rows <= Number(values["peer-rows"]))
      for (const peer of values.peers.split(",").filter((name) => name !== "")) {
        const outcome = await runPeer(peer, file, kind, threshold)
        if (typeof outcome === "string") print(`${peer.padEnd(22)}skipped: ${outcome}`)
        else {
          report(peer, rows, outcome, oracle)
          print(
            `${"".padEnd(22)}tuneloop is ${(outcome.seconds / ours.seconds).toFixed(1)} times as fast, with ${(outcome.cpuSeconds / ours.cpuSeconds).toFixed(1)} times less processor time`,
          )
        }
      }
    rmSync(file)
  }

/** The whole process, from its start to the decisions on disk. */
async function runOurs(file: string, threads?: string): Promise<Outcome> {
  const decisions = join(values.folder, "decisions.jsonl")
  const words = ["--quiet", "--json", "dedup", file, "--report", decisions, ...(threads === undefined ? [] : ["--threads", threads])]
  const start = performance.now()
  const { code, stdout, stderr, cpuSeconds } = await run(process.execPath, [join(root, "dist", "cli", "main.js"), ...words])
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

/** From the first byte read to the last decision written; starting Python and importing are not counted. */
async function runPeer(peer: string, file: string, kind: CorpusKind, threshold: number): Promise<Outcome | string> {
  const python = peerPython(peer.replace("rensa-rho", "rensa"), packages[peer] ?? [[peer]])
  if (!("path" in python)) return python.problem
  const removedFile = join(values.folder, "removed.json")
  const { code, stdout, stderr, cpuSeconds } = await run("timeout", [
    `${values["peer-minutes"]}m`,
    python.path,
    join(root, "bench", "near-duplicate-peers.py"),
    peer,
    file,
    kind,
    String(threshold),
    removedFile,
  ])
  if (code === timedOut) return `not done after ${values["peer-minutes"]} minutes`
  if (code !== 0) return lastLine(stderr)
  const { seconds, peakBytes } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { seconds: number; peakBytes: number }
  return { seconds, cpuSeconds, peakBytes, removed: JSON.parse(readFileSync(removedFile, "utf8")) as number[] }
}

/** A Python with the packages from PyPI, in an environment of its own that is made once; by uv where there is one. */
function peerPython(name: string, installs: readonly (readonly string[])[]): { readonly path: string } | { readonly problem: string } {
  const home = join(values.folder, "peers", name)
  const path = join(home, "bin", "python")
  const stamp = join(home, "installed")
  if (existsSync(stamp)) return { path }
  const hasUv = spawnSync("uv", ["--version"]).status === 0
  const pip = hasUv ? ["uv", "pip", "install", "--quiet", "--python", path] : [path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
  const steps = [hasUv ? ["uv", "venv", "--quiet", home] : ["python3", "-m", "venv", home], ...installs.map((words) => [...pip, ...words])]
  for (const [command, ...words] of steps) {
    const { status, stderr } = spawnSync(command as string, words, { encoding: "utf8", timeout: 600_000 })
    if (status !== 0) return { problem: `cannot be installed: ${lastLine(stderr ?? "")}` }
  }
  writeFileSync(stamp, "")
  return { path }
}

/** What the machine does at most: each step of the work by itself on one core, on the first texts of the file. */
function ceiling(file: string, kind: CorpusKind, threshold: number): void {
  const lines = linesOf(file).take(20_000).toArray()
  const texts = lines.map((line) => (JSON.parse(line) as { messages: { content: string }[] }).messages[1]?.content ?? "")
  const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0) / lines.length
  const name = kind === "short" ? "char-4" : "word-5"
  const plan = sketchPlan(name, new Int32Array(), threshold)
  const [cutter, sketcher] = [new Sketcher({ shingles: name }), new Sketcher(plan)]
  const memory = new Int32Array(1 << 26)
  const buffer = Buffer.alloc(1 << 22)
  const steps: [string, () => void][] = [
    ["read from the file cache", () => readAll(file, buffer, lines.length * bytes)],
    ["JSON.parse", () => lines.forEach((line) => void JSON.parse(line))],
    ["fold, cut and hash", () => texts.forEach((text) => void cutter.sketch(text))],
    [`the same with ${plan.bands.count * plan.bands.rows} permutations`, () => texts.forEach((text) => void sketcher.sketch(text))],
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
    `ceiling, one core: memory in order ${(memory.byteLength / passSeconds / 1e9).toFixed(1)} GB/s, at random ${((probeSeconds / probes) * 1e9 + sum * 0).toFixed(0)} ns a probe`,
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

function report(engine: string, rows: number, { seconds, cpuSeconds, peakBytes, removed }: Outcome, oracle: Oracle | undefined): void {
  const hits = oracle === undefined ? 0 : removed.filter((row) => oracle.removed.has(row)).length
  const scores = oracle === undefined ? "        –       –" : `     ${(hits / removed.length).toFixed(4)}  ${(hits / oracle.removed.size).toFixed(4)}`
  print(
    `${engine.padEnd(22)}${Math.round(rows / seconds)
      .toString()
      .padStart(10)}${seconds.toFixed(2).padStart(10)}${cpuSeconds.toFixed(2).padStart(10)}${Math.round(peakBytes / 2 ** 20)
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

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 200) ?? ""
}

/** Runs the command under the shell's `time`, which knows the processor time of a child. */
function run(command: string, words: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string; cpuSeconds: number }> {
  const child = spawn("bash", ["-c", 'TIMEFORMAT="%U %S"; time "$@"', "bash", command, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HF_HUB_OFFLINE: "1", LC_ALL: "C" },
  })
  let [stdout, stderr] = ["", ""]
  child.stdout.on("data", (part: Buffer) => {
    stdout += part.toString()
  })
  child.stderr.on("data", (part: Buffer) => {
    stderr += part.toString()
  })
  return new Promise((resolve) =>
    child.on("close", (code) => {
      const lines = stderr.trimEnd().split("\n")
      const cpuSeconds = (lines.pop() ?? "").split(" ").reduce((sum, part) => sum + Number(part), 0)
      resolve({ code, stdout, stderr: lines.join("\n"), cpuSeconds })
    }),
  )
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
