import { readFileSync } from "node:fs"
import type { Command } from "commander"
import { attributesYaml } from "../../core/growing/attributes.ts"
import { exitCodes, UsageError } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
import type { Strategy } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { Asking } from "../../stages/asking/asking.ts"
import { askingTerms } from "../../stages/growing/asking-terms.ts"
import { expand, type ExpandResult, type ExpandStep } from "../../stages/growing/expand.ts"
import type { StageContext } from "../../stages/context.ts"
import { failuresOf } from "../../stages/growing/failures.ts"
import { proposeAttributes } from "../../stages/growing/propose-attributes.ts"
import { expectedEffort } from "../../stages/reviewing/review-status.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { Host } from "../host.ts"
import { dollars, positive } from "../numbers.ts"
import { setExitCode } from "../machine.ts"
import { describe, describeFunnel, describePlans, describePreview, nothingCame } from "../text/expand.ts"
import { load, loadFilters, loadModel, names, readCheckedTask } from "../plugins.ts"

export function register(command: Command, host: Host): void {
  command
    .argument("<task>", "the task's name")
    .option("--strategy <names>", "strategies, separated by commas (default: all in the specification)")
    .option("--count <n>", "candidates a strategy", positive)
    .option("--budget-usd <x>", "the most that the requests may cost, in US dollars", dollars)
    .option("--batch", "submit the requests as a batch, often at half the price, and leave")
    .option("--wait", "with --batch: stay until the batch is answered")
    .option("--retry-empty", "ask again what was answered without a text (refused, cut off,\nunreadable, empty)")
    .option("--dry-run", "say what would be asked, with sample prompts; ask nothing")
    .option("--preview <n>", "grow n candidates a strategy and show them", positive)
    .option("--from-evaluation <id>", "grow examples of what that evaluation got wrong (an id, or latest)")
    .option("--propose-attributes", "ask the model for attributes of the grid, to paste")
    .addHelpText(
      "after",
      "\nExamples:\n  tuneloop expand ticket-triage --strategy recombine --count 50\n  tuneloop expand " +
        "ticket-triage --strategy label,grid --dry-run\n  tuneloop expand ticket-triage --from-evaluation " +
        "latest",
    )
    .action(async (name: string, options: ExpandFlags & { proposeAttributes?: boolean }) => {
      // A grid that lacks attributes is what the proposal is for.
      if (options.proposeAttributes) return printAttributes(host, host.workspace.readTask(name), options)
      const task = await readCheckedTask(host.workspace, name)
      const context = host.context()
      const results = await expandTask(host, context, task, options)
      const planned = results.flatMap(({ strategy, state, asked, plan }) =>
        state === "planned" ? [{ strategy, count: plan?.candidates ?? asked }] : [],
      )
      const review = planned.length === 0 ? undefined : expectedEffort(context, task, planned)
      const text = [
        results.map(describe).join("\n"),
        describePlans(results, review),
        describeFunnel(results),
        describePreview(task, results),
      ]
      host.print(
        { task: name, strategies: results, ...(review === undefined ? {} : { review }) },
        text.filter((part) => part !== "").join("\n\n") || `nothing to grow: expand.strategies of ${name} is empty`,
      )
      if (warnOfNothing(host, name, results)) setExitCode(exitCodes.failure)
      else tellNext(host, name, results)
    })
}

/** Tells what came to nothing. Returns whether all did that was asked of a model. */
export function warnOfNothing(host: Host, task: string, results: readonly ExpandResult[]): boolean {
  const asked = results.filter(({ requests, state }) => requests > 0 && state !== "planned")
  const warnings = asked.flatMap((result) => nothingCame(task, result) ?? [])
  for (const warning of warnings) host.terminal.warn(warning)
  return warnings.length > 0 && warnings.length === asked.length
}

/** What to do after, and where nothing was to be had what is missing. */
function tellNext(host: Host, task: string, results: readonly ExpandResult[]): void {
  const isGrown = results.some(({ state }) => ["grown", "unchanged"].includes(state))
  if (results.length === 0)
    host.next(
      `add expand.strategies to specs/${task}.yaml (docs/plug-ins.md lists them), or name one: tuneloop expand ` +
        `${task} --strategy paraphrase`,
    )
  else if (isGrown) {
    if (new TaskRows(host.workspace, task).seeds().length === 0)
      host.terminal.note(
        `${task} has no gold examples: this was grown from the specification alone, and nothing can be tested yet ` +
          `(tuneloop seed import ${task} <file>)`,
      )
    host.next(`tuneloop review export ${task} --out review.xlsx`)
  } else if (results.some(({ state }) => state === "planned")) host.next("the same command without --dry-run")
  else if (results.some(({ state }) => state === "previewed")) host.next("the same command without --preview")
  else host.next(`tuneloop status ${task}`)
}

export interface ExpandFlags {
  readonly strategy?: string
  readonly count?: number
  readonly dryRun?: boolean
  readonly preview?: number
  readonly fromEvaluation?: string
  readonly budgetUsd?: number
  readonly batch?: boolean
  readonly wait?: boolean
  readonly retryEmpty?: boolean
}

/** Grows what the specification or the options ask for. */
export async function expandTask(
  host: Host,
  context: StageContext,
  task: TaskSpecification,
  options: ExpandFlags,
): Promise<ExpandResult[]> {
  const given = options.strategy?.split(",").map((name) => name.trim())
  const wanted =
    given ?? (options.fromEvaluation === undefined ? Object.keys(task.expand.strategies) : ["counter-examples"])
  const steps: ExpandStep[] = []
  for (const name of wanted) steps.push(await stepOf(task, name, options.count))
  const isAsked = steps.some(({ strategy }) => strategy.asksModel)
  return expand(context, task, steps, {
    model: await modelOf(host, task, isAsked),
    address: isAsked && options.dryRun === true ? await addressOf(host, task) : undefined,
    environmentModel: host.environment["TUNELOOP_MODEL"],
    filters: await loadFilters(task),
    dryRun: options.dryRun === true,
    asking: new Asking(context, askingTerms(task, options)),
    preview: options.preview,
    failures: options.fromEvaluation === undefined ? [] : failuresOf(context, task, options.fromEvaluation),
  })
}

async function stepOf(task: TaskSpecification, name: string, count: number | undefined): Promise<ExpandStep> {
  if (!names("strategies").includes(name)) {
    const meant = nearest(name, names("strategies"))
    throw new UsageError(
      `there is no strategy ${show(name)}; allowed: ` +
        `${names("strategies").join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
      "Name one of them.",
    )
  }
  const strategy = await load<Strategy>("strategies", name)
  const parsed = strategy.options.safeParse(task.expand.strategies[name] ?? {})
  const issues = parsed.success ? (strategy.check?.(task, parsed.data as never) ?? []) : []
  if (!parsed.success)
    throw new UsageError(
      `${name} needs options that specs/${task.task}.yaml does not give: ` +
        `${parsed.error.issues.map(({ path }) => path.join(".")).join(", ")}`,
      `Add expand.strategies.${name} to the specification.`,
    )
  // What the specification names was checked when it was read; a strategy of the command line was not.
  if (issues.length > 0)
    throw new UsageError(
      `${name} cannot grow: ${issues.map(({ message }) => message).join("; ")}`,
      `Edit specs/${task.task}.yaml.`,
    )
  const options = parsed.data as Readonly<Record<string, unknown>> & { readonly count?: number }
  return { name, strategy, options, count: count ?? options.count ?? 50 }
}

async function modelOf(host: Host, task: TaskSpecification, isAsked: boolean) {
  if (!isAsked) return undefined
  const module = await loadModel(task.expand.model?.provider ?? "openai")
  const readText = (path: string) => readFileSync(path, "utf8")
  return () => module.create(host.environment, { baseUrl: task.expand.model?.baseUrl, fetch: host.fetch, readText })
}

async function addressOf(host: Host, task: TaskSpecification): Promise<string> {
  const module = await loadModel(task.expand.model?.provider ?? "openai")
  return module.address(host.environment, task.expand.model?.baseUrl)
}

async function printAttributes(host: Host, task: TaskSpecification, flags: ExpandFlags): Promise<void> {
  const context = host.context()
  const attributes = await proposeAttributes(context, task, {
    asking: new Asking(context, askingTerms(task, flags)),
    model: await modelOf(host, task, true),
    environmentModel: host.environment["TUNELOOP_MODEL"],
  })
  host.print({ task: task.task, attributes }, attributesYaml(attributes))
  host.terminal.note(
    `Edit them and paste them into specs/${task.task}.yaml, then: tuneloop expand ${task.task} --strategy ` +
      "grid --dry-run",
  )
}
