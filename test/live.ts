// `npm run live -- <backend> --model M [--options JSON] [--budget-usd X] --yes`: the smallest real job at a service,
// with a key from the environment and a ceiling, and what was observed beside what the facts say. Costs money; untried
// until someone has run it.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { stringify } from "yaml"
import { packageRoot } from "../src/cli/version.ts"
import { type LiveTarget, liveTarget } from "./live-target.ts"

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    options: { type: "string", default: "{}" },
    host: { type: "string", multiple: true, default: [] },
    "budget-usd": { type: "string", default: "1" },
    yes: { type: "boolean", default: false },
  },
})
const [backend] = positionals
const budgetUsd = Number(values["budget-usd"])
if (backend === undefined)
  stop(
    2,
    'usage: npm run live -- <backend> --model <base model> [--options \'{"profile":"nebius"}\']\n' +
      "       [--host <another host>] [--budget-usd 1] --yes\n" +
      "Trains one epoch on 24 made-up rows, at the price of the service.",
  )
const target = await liveTarget(backend, values.options, process.env)
if ("problem" in target) stop(2, `${target.problem}\nnothing was sent`)
if (values.model === undefined) stop(2, `--model is missing: the base model to train at ${backend}\nnothing was sent`)
if (!(budgetUsd > 0)) stop(2, `--budget-usd is ${values["budget-usd"]}; it must be a number above 0\nnothing was sent`)
if (!values.yes)
  stop(
    3,
    `this trains ${values.model} at ${target.hosts.join(", ")} for money, below $${budgetUsd}: add --yes\n` +
      "nothing was sent",
  )

const folder = workspace(backend, values.model, target)
const checked = run("job", "check", "live")
print("the plan and its estimate", checked["estimate"])
const estimated = usdOf(checked["estimate"])
if (estimated !== undefined && estimated > budgetUsd)
  stop(4, `the estimate is $${estimated}, above --budget-usd ${budgetUsd}; nothing was sent`)
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

function stop(code: number, message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}

function workspace(
  name: string,
  baseModel: string,
  { hosts, options }: Extract<LiveTarget, { hosts: unknown }>,
): string {
  const made = mkdtempSync(join(tmpdir(), "tuneloop-live-"))
  for (const room of ["specs", "jobs"]) mkdirSync(join(made, room))
  writeFileSync(join(made, "tuneloop.yaml"), stringify({ allowedHosts: [...hosts, ...values.host] }))
  writeFileSync(
    join(made, "specs", "live.yaml"),
    stringify({
      ...{ task: "live", kind: "label", description: "Whether a number is odd." },
      input: { text: { description: "A number in words" } },
      output: { labels: { odd: "an odd number", even: "an even number" } },
      prompt: { system: "Answer odd or even.", user: "{text}" },
    }),
  )
  const job = {
    ...{ job: "live", task: "live", baseModel, backend: { name, options }, hyperparameters: { epochs: 1 } },
    // Of a service without a price the ceiling is its own estimate's, where it has one.
    ...{ budgetUsd, allowUnknownCost: true },
  }
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
  stop(status ?? 1, [`tuneloop ${words.join(" ")} ended with ${status}`, ...reasonsIn(stderr, stdout)].join("\n"))
}

/** What a command says of its failure, in words. */
function reasonsIn(stderr: string, stdout: string): string[] {
  const said = [stderr, stdout].flatMap((text) => text.split("\n")).flatMap((line) => parsed(line) ?? [])
  const reasons = said.flatMap(({ error, problems = [] }) => [...(error === undefined ? [] : [error]), ...problems])
  return reasons.length === 0
    ? [stderr.trim()]
    : reasons.map(({ message, hint }) => [message, hint].filter((line) => line !== undefined).join("\n  "))
}

interface Said {
  readonly error?: Reason
  readonly problems?: readonly Reason[]
}
interface Reason {
  readonly message: string
  readonly hint?: string
}

function parsed(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
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
