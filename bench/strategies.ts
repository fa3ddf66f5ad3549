// Each strategy against plain self-instruct, on the same budget of tokens and the same seeds of the sample task. See
// README.md.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { packageRoot } from "../src/cli/version.ts"
import type { Candidate } from "../src/core/rows/example.ts"
import { likeness, wordsOf } from "../src/core/likeness.ts"
import type { ExpandResult } from "../src/stages/growing/expand.ts"
import { SqliteLedger } from "../src/store/ledger/sqlite-ledger.ts"
import { linesOf, tuneloop } from "../test/command-line.ts"
import { startModelServer } from "../test/slow/model-server.ts"

const { values: given } = parseArgs({
  options: {
    "base-url": { type: "string" },
    model: { type: "string" },
    budget: { type: "string", default: "20000" },
    strategies: {
      type: "string",
      default: "self-instruct,grid,evolve,persona,back-translation,paraphrase,hard-negatives",
    },
  },
})
const budget = Number(given.budget)
const baseline = "self-instruct"
const names = [...new Set([baseline, ...given.strategies.split(",")])]
const attributes =
  "  attributes:\n    tone: [matter-of-fact, worried, angry, friendly]\n    length: [a few words, two or " +
  "three sentences, a long story]\n"

const folder = mkdtempSync(join(tmpdir(), "tuneloop-strategies-"))
const server = given["base-url"] === undefined ? await startModelServer(folder) : undefined
const model = given.model ?? server?.model ?? ""
const baseUrl = given["base-url"] ?? server?.baseUrl ?? ""
try {
  await server?.ready()
  process.stdout.write(
    `${server ? "SmolLM2-135M-Instruct (4 bits, transformers serve)" : model}, about ${budget} tokens a ` +
      `strategy, sample task ticket-triage\n`,
  )
  process.stdout.write(
    "strategy          requests   tokens  parsed   novel  passed  passed/1k tokens  words/example  coverage\n",
  )
  let plain: Measured | undefined
  for (const name of names) {
    const found = await measure(name)
    if (name === baseline) plain = found
    const gain = (key: "perThousand" | "coverage") =>
      plain === undefined || name === baseline
        ? ""
        : ` (${plain[key] === 0 ? "–" : (found[key] / plain[key]).toFixed(2)}×)`
    const cells = [found.requests, found.tokens, found.parsed, found.novel, found.passed].map((value, index) =>
      String(value).padStart([8, 9, 8, 8, 8][index] ?? 8),
    )
    process.stdout.write(
      `${name.padEnd(17)}${cells.join("")}  ` +
        `${`${found.perThousand.toFixed(2)}${gain("perThousand")}`.padStart(16)}  ` +
        `${found.newWords.toFixed(1).padStart(13)}  ${`${found.coverage.toFixed(3)}${gain("coverage")}`}\n`,
    )
  }
} finally {
  server?.stop()
  rmSync(folder, { recursive: true, force: true })
}

interface Measured {
  readonly requests: number
  readonly tokens: number
  readonly parsed: number
  readonly novel: number
  readonly passed: number
  /** Candidates that passed every check, for a thousand tokens. */
  readonly perThousand: number
  /** Words that no seed has, for each candidate that passed. */
  readonly newWords: number
  /**
   * Over the validation rows, which no strategy sees: how like the most alike candidate that passed is, in words; the
   * mean.
   */
  readonly coverage: number
}

async function measure(name: string): Promise<Measured> {
  const workspace = join(folder, name)
  mkdirSync(join(workspace, "specs"), { recursive: true })
  const specification = readFileSync(join(packageRoot, "specs", "ticket-triage.yaml"), "utf8")
  const server = `{ model: ${JSON.stringify(model)}, baseUrl: "${baseUrl}", maxTokens: 300 }`
  const settings = `expand:\n${attributes}  model: ${server}\n`
  writeFileSync(join(workspace, "specs", "ticket-triage.yaml"), specification.replace("expand:\n", settings))
  await run(workspace, [
    "seed",
    "import",
    "ticket-triage",
    join(packageRoot, "datasets", "ticket-triage", "seeds.jsonl"),
  ])
  const words = ["expand", "ticket-triage", "--strategy", name]
  const [trial] = (await run<{ strategies: ExpandResult[] }>(workspace, [...words, "--count", "60", "--dry-run"]))
    .strategies
  const perCandidate =
    ((trial?.plan?.inputTokens ?? 0) + (trial?.plan?.outputTokens ?? 0)) / (trial?.plan?.candidates ?? 1)
  const count = Math.max(1, Math.floor(budget / perCandidate))
  const [result] = (await run<{ strategies: ExpandResult[] }>(workspace, [...words, "--count", String(count)]))
    .strategies as [ExpandResult]
  const tokens = await tokensOf(workspace)
  const data = join(workspace, "datasets", "ticket-triage")
  const passed = linesOf<Candidate>(join(data, "candidates", `${result.batch}.jsonl`)).filter(({ checks }) =>
    checks.every(({ ok }) => ok),
  )
  const seeds = linesOf<{ id: string; input: { body: string } }>(join(data, "seeds.jsonl"))
  const split = new Map(
    linesOf<{ id: string; split: string }>(join(data, "splits.jsonl")).map((row) => [row.id, row.split]),
  )
  const known = wordsOf(seeds.flatMap(({ id, input }) => (split.get(id) === "train" ? [input.body] : [])).join("\n"))
  const grown = passed.map(({ input }) => wordsOf(String(input["body"])))
  const validation = seeds.flatMap(({ id, input }) => (split.get(id) === "validation" ? [wordsOf(input.body)] : []))
  const nearest = validation.map((row) => grown.reduce((best, text) => Math.max(best, likeness(row, text)), 0))
  const sum = (key: "parsed" | "novel" | "passed") => result.cells.reduce((total, cell) => total + cell[key], 0)
  return {
    requests: result.requests,
    tokens,
    parsed: sum("parsed"),
    novel: sum("novel"),
    passed: passed.length,
    perThousand: tokens === 0 ? 0 : (1000 * passed.length) / tokens,
    newWords:
      passed.length === 0
        ? 0
        : new Set(grown.flatMap((text) => [...text].filter((word) => !known.has(word)))).size / passed.length,
    coverage: nearest.reduce((total, value) => total + value, 0) / Math.max(1, nearest.length),
  }
}

/** What the answers took, repairs included, by the server's own count. */
async function tokensOf(workspace: string): Promise<number> {
  const ledger = SqliteLedger.open(join(workspace, ".tuneloop", "ledger.db"), () => new Date())
  const { inputTokens, outputTokens } = await ledger.requests.totals("ticket-triage")
  await ledger.close()
  return inputTokens + outputTokens
}

async function run<Printed>(workspace: string, words: readonly string[]): Promise<Printed> {
  const { code, stdout, stderr } = await tuneloop(workspace, [...words, "--json"]).outcome
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Printed
}
