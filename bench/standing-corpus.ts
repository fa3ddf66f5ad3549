// A workspace for bench/standing.ts: candidates of a label task of about 400 bytes each, in batches, with a share of them decided.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { contentId } from "../src/core/canonical.ts"
import { revisionOf } from "../src/core/rows/row-identity.ts"
import { writeLines } from "./near-duplicate-corpus.ts"

const labels = ["delivery", "return", "payment", "fault"]
const perFile = 100_000

/** So many candidates, and a decision on each of the first `decided` of them, in sessions. */
export function makeWorkspace(folder: string, candidates: number, decided: number): void {
  const task = join(folder, "datasets", "made")
  for (const name of ["specs", "datasets/made/candidates", "datasets/made/decisions", ".tuneloop"])
    mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, "tuneloop.yaml"), "")
  writeFileSync(join(folder, "specs", "made.yaml"), specification)
  writeLines(join(task, "seeds.jsonl"), Array.from({ length: 200 }, (_, number) => seed(number)))
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
export function decision(number: number): object {
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

const specification =
  "task: made\nkind: label\ndescription: Made-up rows.\ninput:\n  subject: {}\n  body: {}\n" +
  `output:\n  labels:\n${labels.map((label) => `    ${label}: made up\n`).join("")}`

function* range(from: number, until: number): Generator<number> {
  for (let number = from; number < until; number += 1) yield number
}

function* map<From, To>(all: Iterable<From>, change: (one: From) => To): Generator<To> {
  for (const one of all) yield change(one)
}
