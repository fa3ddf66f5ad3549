// `npm run live -- <backend> --model M [--options JSON] [--budget-usd X] --yes`: the smallest real job at a service, with
// a key from the environment and a ceiling, and what was observed beside what the facts say. Costs money; untried until
// someone has run it.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { stringify } from "yaml"
import { packageRoot } from "../src/cli/version.ts"

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    options: { type: "string", default: "{}" },
    host: { type: "string" },
    "budget-usd": { type: "string", default: "1" },
    yes: { type: "boolean", default: false },
  },
})
const [backend] = positionals
if (backend === undefined || values.model === undefined) {
  process.stderr.write(
    'usage: npm run live -- <backend> --model <base model> --host <host> [--options \'{"profile":"nebius"}\']\n' +
      "       [--budget-usd 1] --yes\nTrains one epoch on 24 made-up rows, at the price of the service.\n",
  )
  process.exit(2)
}
if (!values.yes) {
  process.stderr.write(`this trains at ${backend} for money, below $${values["budget-usd"]}: add --yes\n`)
  process.exit(3)
}

const folder = workspace(backend, values.model)
const checked = run("job", "check", "live")
print("the plan and its estimate", checked["estimate"])
const estimated = usdOf(checked["estimate"])
if (estimated !== undefined && estimated > Number(values["budget-usd"])) {
  process.stderr.write(`the estimate is $${estimated}, above --budget-usd ${values["budget-usd"]}; nothing was sent\n`)
  process.exit(4)
}
const start = performance.now()
const trained = run("train", "live", "--wait", "--yes")
const seconds = (performance.now() - start) / 1000
const shown = run("runs", "show", String(trained["run"]))
const events = shown["events"] as readonly { readonly type: string; readonly at: string; readonly sentAt?: string }[]
print("what was observed", {
  state: trained["state"],
  seconds: Math.round(seconds),
  estimatedUsd: estimated ?? "unknown",
  events: Object.fromEntries(
    Map.groupBy(events, ({ type }) => type)
      .entries()
      .map(([type, of]) => [type, of.length]),
  ),
  costUsd: events.flatMap((event) => ("usd" in event ? [event.usd] : [])),
  statuses: [...new Set(events.flatMap((event) => ("providerStatus" in event ? [event.providerStatus] : [])))],
  metrics: Object.keys((shown["metrics"] as { values: object }[])[0]?.values ?? {}),
  clockSkewSeconds: skewOf(events),
})
process.stdout.write(`the workspace stays: ${folder}\nwrite what differs into facts/, with today's date\n`)

function workspace(name: string, baseModel: string): string {
  const made = mkdtempSync(join(tmpdir(), "tuneloop-live-"))
  for (const room of ["specs", "jobs"]) mkdirSync(join(made, room))
  const options = JSON.parse(values.options) as { readonly baseUrl?: string }
  const host = values.host ?? (options.baseUrl === undefined ? undefined : new URL(options.baseUrl).hostname)
  writeFileSync(
    join(made, "tuneloop.yaml"),
    stringify({ allowedHosts: host === undefined ? ["api.openai.com"] : [host] }),
  )
  writeFileSync(
    join(made, "specs", "live.yaml"),
    stringify({
      ...{ task: "live", kind: "label", description: "Whether a number is odd." },
      input: { text: { description: "A number in words" } },
      output: { labels: { odd: "an odd number", even: "an even number" } },
      prompt: { system: "Answer odd or even.", user: "{text}" },
    }),
  )
  const job = { job: "live", task: "live", baseModel, backend: { name, options }, hyperparameters: { epochs: 1 } }
  writeFileSync(join(made, "jobs", "live.yaml"), stringify(job))
  const rows = Array.from({ length: 36 }, (_, number) =>
    JSON.stringify({
      input: { text: [number, number * 7, number * 31, number * 97].map((part) => `n${part}`).join(" ") },
      output: number % 2 === 0 ? "even" : "odd",
      split: number < 24 ? "train" : number < 30 ? "validation" : "test",
    }),
  )
  writeFileSync(join(made, "rows.jsonl"), `${rows.join("\n")}\n`)
  command(made, "seed", "import", "live", join(made, "rows.jsonl"))
  command(made, "build", "live")
  return made
}

function run(...words: string[]): Record<string, unknown> {
  return command(folder, ...words)
}

function command(where: string, ...words: string[]): Record<string, unknown> {
  const main = join(packageRoot, "src", "cli", "main.ts")
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, "--workspace", where, "--json", "--quiet", ...words],
    { encoding: "utf8", maxBuffer: 1e9 },
  )
  if (status === 0) return JSON.parse(stdout) as Record<string, unknown>
  process.stderr.write(`tuneloop ${words.join(" ")} ended with ${status}\n${stderr}${stdout}\n`)
  process.exit(status ?? 1)
}

function usdOf(estimate: unknown): number | undefined {
  const { figures } = estimate as { readonly figures: readonly { readonly unit: string; readonly value: number }[] }
  return figures.find(({ unit }) => unit === "USD")?.value
}

/** How far the service's clock is from ours, by the last event that says its time. */
function skewOf(all: readonly { readonly at: string; readonly sentAt?: string }[]): number | undefined {
  const last = all.findLast(({ sentAt }) => sentAt !== undefined)
  return last?.sentAt === undefined ? undefined : Math.round((Date.parse(last.at) - Date.parse(last.sentAt)) / 1000)
}

function print(title: string, value: unknown): void {
  process.stdout.write(`${title}\n${JSON.stringify(value, null, 2)}\n`)
}
