// What it takes to say how a task stands when nothing changed, and after a decision: node_modules/.bin/node
// bench/standing.ts --candidates 100000,1000000 --decided 1. Each call is a process of its own.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { contentId } from "../src/core/canonical.ts"
import { revisionOf } from "../src/core/rows/row-identity.ts"
import { type Outcome, run } from "./measured.ts"
import { writeLines } from "./near-duplicate-corpus.ts"

const labels = ["delivery", "return", "payment", "fault"]
const perFile = 100_000

const specification =
  "task: made\nkind: label\ndescription: Made-up rows.\ninput:\n  subject: {}\n  body: {}\n" +
  `output:\n  labels:\n${labels.map((label) => `    ${label}: made up\n`).join("")}`

const { values } = parseArgs({
  options: {
    candidates: { type: "string", default: "100000,1000000" },
    decided: { type: "string", default: "1" },
    folder: { type: "string", default: tmpdir() },
  },
})
print(`${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.version}`)
for (const candidates of values.candidates.split(",").map(Number)) {
  const folder = mkdtempSync(join(values.folder, "tuneloop-bench-"))
  try {
    const decided = Math.floor(candidates * Number(values.decided))
    makeWorkspace(folder, candidates, decided)
    print(`\n${candidates} candidates, ${decided} decided, load average ${loadavg()[0]?.toFixed(1)}`)
    const log = join(folder, "datasets", "made", "decisions", "2026-11-30-ben.jsonl")
    const decide = (number: number) => appendFileSync(log, `${JSON.stringify(decision(number))}\n`)
    for (const words of [["status"], ["review", "status", "made"]]) {
      const name = words.join(" ")
      print(`  ${`${name}, the first`.padEnd(40)}${told(await run(folder, ...words))}`)
      // What the first one wrote itself is read again once.
      await run(folder, ...words)
      print(`  ${`${name}, unchanged`.padEnd(40)}${told(await run(folder, ...words))}`)
      decide(words.length)
      print(`  ${`${name}, after a decision`.padEnd(40)}${told(await run(folder, ...words))}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function told({ seconds, cpuSeconds, peakMiB }: Outcome): string {
  return `${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time), peak ${peakMiB.toFixed(0)} MiB`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** So many candidates, and a decision on each of the first `decided` of them, in sessions. */
function makeWorkspace(folder: string, candidates: number, decided: number): void {
  const task = join(folder, "datasets", "made")
  for (const name of ["specs", "datasets/made/candidates", "datasets/made/decisions", ".tuneloop"])
    mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, "tuneloop.yaml"), "")
  writeFileSync(join(folder, "specs", "made.yaml"), specification)
  writeLines(
    join(task, "seeds.jsonl"),
    Array.from({ length: 200 }, (_, number) => seed(number)),
  )
  for (let start = 0; start < candidates; start += perFile) {
    const numbers = range(start, Math.min(candidates, start + perFile))
    writeLines(join(task, "candidates", `evolve-${start}.jsonl`), map(numbers, candidate))
  }
  for (let start = 0; start < decided; start += perFile) {
    const numbers = range(start, Math.min(decided, start + perFile))
    writeLines(join(task, "decisions", `2026-11-24-amara-${start}.jsonl`), map(numbers, decision))
  }
}

/** A decision on the candidate of that number, as a line of a log. */
function decision(number: number): object {
  const { id, input, output } = candidate(number)
  const verdict = number % 10 === 0 ? "reject" : number % 10 === 1 ? "edit" : "accept"
  return {
    item: id,
    verdict,
    ...(verdict === "edit" ? { output: "fault" } : {}),
    ...(verdict === "reject" ? { reason: "wrong label" } : {}),
    reviewer: "amara",
    guideline: "none",
    revision: revisionOf(input, output),
    at: "2026-11-24T12:00:00.000Z",
    source: { file: "review.xlsx", row: number },
  }
}

function candidate(number: number) {
  const body =
    `I ordered item ${number * 7919} ${number % 9} days ago; it has not come. ` +
    "Please look at it; I wait since then. ".repeat(1 + (number % 6))
  const [input, output] = [{ subject: `Order ${number}: where is it?`, body }, labels[number % 4] as string]
  const checks = [{ name: "novelty", ok: number % 20 !== 7, value: 0.41 }]
  return { id: contentId("cand", { number }), parents: [], strategy: "evolve", input, output, checks, confidence: 0.87 }
}

function seed(number: number) {
  const input = { subject: `Question ${number * 31}`, body: words(number) }
  const output = labels[number % 4]
  return { id: contentId("seed", { input, output }), input, output }
}

function words(number: number): string {
  return Array.from({ length: 12 }, (_, at) => `word${(number * 7919 + at * 104_729) % 5000}`).join(" ")
}

function* range(from: number, until: number): Generator<number> {
  for (let number = from; number < until; number += 1) yield number
}

function* map<From, To>(all: Iterable<From>, change: (one: From) => To): Generator<To> {
  for (const one of all) yield change(one)
}
