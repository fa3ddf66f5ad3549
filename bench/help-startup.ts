// How long the compiled entry file takes to answer `--help`, beside bare Node on the same machine in the same minute.
// See README.md.
import { spawnSync } from "node:child_process"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const rounds = 20
const targetMs = 120

run([join(root, "src", "cli", "compile.mjs")])
const bare = ["-e", "0"]
const help = [join(root, "dist", "cli", "main.js"), "--help"]
// Once beforehand, so that no figure is that of a cold file cache.
run(bare)
run(help)
const bareMs: number[] = []
const helpMs: number[] = []
for (let round = 0; round < rounds; round++) {
  bareMs.push(run(bare))
  helpMs.push(run(help))
}
process.stdout.write(`node -e 0            median of ${rounds}: ${median(bareMs).toFixed(0)} ms\n`)
process.stdout.write(
  `tuneloop --help      median of ${rounds}: ${median(helpMs).toFixed(0)} ms (target: under ${targetMs} ` +
    `ms where bare node takes 20 to 40)\n`,
)

/** Milliseconds of one start of Node with these words. */
function run(words: readonly string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" })
  const elapsed = performance.now() - start
  if (status !== 0) throw new Error(`node ${words.join(" ")} ended with ${status}: ${stderr}`)
  return elapsed
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2
}
