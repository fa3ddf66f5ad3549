import { InvalidArgumentError, type Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
import type { Strategy } from "../../core/strategy.ts"
import type { TaskSpecification } from "../../core/task.ts"
import { Asking } from "../../stages/asking.ts"
import { expand, type ExpandResult, type ExpandStep } from "../../stages/expand.ts"
import type { StageContext } from "../../stages/context.ts"
import { showUsd } from "../../stages/money.ts"
import type { Host } from "../host.ts"
import { load, loadFilters, loadModel, names, readCheckedTask } from "../plugins.ts"

export function register(command: Command, host: Host): void {
  command
    .argument("<task>", "the task's name")
    .option("--strategy <names>", "strategies, separated by commas (default: all in the specification)")
    .option("--count <n>", "candidates a strategy", positive)
    .option("--budget-usd <x>", "the most that the requests may cost, in US dollars", dollars)
    .option("--dry-run", "say what would be asked, and ask nothing")
    .addHelpText("after", "\nExample: tuneloop expand ticket-triage --strategy recombine --count 50")
    .action(async (task: string, options: ExpandFlags) => {
      const specification = await readCheckedTask(host.workspace, task)
      const results = await expandTask(host, host.context(), specification, options)
      host.print({ task, strategies: results }, results.map(describe).join("\n") || `nothing to grow: expand.strategies of ${task} is empty`)
    })
}

export interface ExpandFlags {
  readonly strategy?: string
  readonly count?: number
  readonly dryRun?: boolean
  readonly budgetUsd?: number
}

/** Grows what the specification or the options ask for. */
export async function expandTask(host: Host, context: StageContext, task: TaskSpecification, options: ExpandFlags): Promise<ExpandResult[]> {
  const wanted = options.strategy?.split(",").map((name) => name.trim()) ?? Object.keys(task.expand.strategies)
  const steps: ExpandStep[] = []
  for (const name of wanted) {
    if (!names("strategies").includes(name)) {
      const meant = nearest(name, names("strategies"))
      throw new UsageError(
        `there is no strategy ${show(name)}; allowed: ${names("strategies").join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
        "Name one of them.",
      )
    }
    const strategy = await load<Strategy>("strategies", name)
    const parsed = strategy.options.safeParse(task.expand.strategies[name] ?? {})
    if (!parsed.success)
      throw new UsageError(
        `${name} needs options that specs/${task.task}.yaml does not give: ${parsed.error.issues.map(({ path }) => path.join(".")).join(", ")}`,
        `Add expand.strategies.${name} to the specification.`,
      )
    const given = parsed.data as { count?: number }
    steps.push({ name, strategy, options: given, count: options.count ?? given.count ?? 50 })
  }
  const asksModel = steps.some(({ strategy }) => strategy.asksModel)
  const module = asksModel ? await loadModel(task.expand.model?.provider ?? "openai") : undefined
  const model = module && (() => module.create(host.environment, { baseUrl: task.expand.model?.baseUrl, fetch: host.fetch }))
  return expand(context, task, steps, {
    model,
    environmentModel: host.environment["TUNELOOP_MODEL"],
    filters: await loadFilters(task),
    dryRun: options.dryRun === true,
    asking: new Asking(context, task, options),
  })
}

export function describe(result: ExpandResult): string {
  const asked = result.requests > 0 ? `, ${result.requests} requests (${result.answeredBefore} answered before)${costOf(result)}` : ""
  if (result.state === "planned") return `${result.strategy}: would grow up to ${result.asked} candidates${asked}`
  if (result.state === "unchanged") return `${result.strategy}: unchanged, ${result.passed} candidates in ${result.batch}`
  const failed = Object.entries(result.failedChecks)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ")
  const problems = result.problems.length > 0 ? `; ${result.problems.length} answers or parts could not be read` : ""
  return `${result.strategy}: ${result.grown} grown, ${result.passed} passed every check${failed ? ` (failed: ${failed})` : ""}${asked}${problems}, in ${result.batch}`
}

/** What was paid, and for each candidate that passed its checks. */
function costOf({ state, costUsd, passed }: ExpandResult): string {
  if (state === "planned" || costUsd === 0) return ""
  if (costUsd === null) return " at an unknown price (facts/prices.yaml says how to name it)"
  return ` for ${showUsd(costUsd)}${passed > 0 ? `, ${showUsd(costUsd / passed)} a candidate that passed` : ""}`
}

function dollars(text: string): number {
  const number = Number(text)
  if (text.trim() === "" || !Number.isFinite(number) || number < 0) throw new InvalidArgumentError("must be a number of US dollars from 0")
  return number
}

function positive(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("must be a whole number from 1")
  return number
}
