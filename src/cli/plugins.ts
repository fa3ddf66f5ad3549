import { readdirSync } from "node:fs"
import { join } from "node:path"
import { optionIssues } from "./option-issues.ts"
import type { BackendModule } from "../core/contracts/backend.ts"
import type { ConfiguredFilter, Filter } from "../core/contracts/filter.ts"
import { byNeeds, isComparable, type ConfiguredContender, type Contender } from "../core/contracts/contender.ts"
import type { ConfiguredMetric, Metric } from "../core/contracts/metric.ts"
import type { ModelModule } from "../core/contracts/model.ts"
import type { Strategy } from "../core/contracts/strategy.ts"
import { ConfigError, UsageError } from "../core/errors.ts"
import { formatPath, nearest, type PathIssue, show } from "../core/parse.ts"
import { optionsIn, plugInName } from "../core/plug-in-name.ts"
import type { JobSpecification } from "../core/training/job.ts"
import { isAbout, looseSchemaIssues, withoutBrokenParts } from "../core/task/broken-task.ts"
import { type CheckedPlugins, strategyIssues, taskIssues } from "../core/task/task-checks.ts"
import type { TaskSpecification } from "../core/task/task.ts"
import { closedServices } from "../store/closed-services.ts"
import type { Workspace } from "../store/workspace.ts"

export const rooms = ["backends", "contenders", "filters", "formats", "metrics", "models", "strategies"] as const
export type Room = (typeof rooms)[number]

const ending = import.meta.filename.endsWith(".ts") ? ".ts" : ".js"

/** The plug-ins of a room: the names of its files, without those that begin with `_`. */
export function names(room: Room): string[] {
  return readdirSync(join(import.meta.dirname, "..", room))
    .filter((file) => file.endsWith(ending) && !file.endsWith(".d.ts") && !file.startsWith("_"))
    .map((file) => file.slice(0, -ending.length))
    .sort()
}

/** The default export of the plug-in's file, loaded when asked for. */
export async function load<Module>(room: Room, name: string): Promise<Module> {
  return ((await import(/* @vite-ignore */ `../${room}/${name}${ending}`)) as { default: Module }).default
}

/**
 * The metrics of an evaluation: every one that needs no options, and the one that decides with the options that it is
 * named with.
 */
export async function loadMetrics(task: TaskSpecification): Promise<ConfiguredMetric[]> {
  const deciding = task.verdict.metric ?? ""
  const wanted = [...names("metrics"), ...(deciding.includes(":") ? [deciding] : [])]
  const loaded = await Promise.all(
    wanted.map(async (written): Promise<ConfiguredMetric[]> => {
      const { name, argument } = plugInName(written)
      const metric = await load<Metric>("metrics", name)
      const options = metric.options.safeParse(optionsIn(argument).options)
      return options.success ? [{ name: written, metric, options: options.data }] : []
    }),
  )
  return loaded.flat()
}

/** The quality filters that the task has on, with their options. */
export async function loadFilters(task: TaskSpecification): Promise<ConfiguredFilter[]> {
  const all = await Promise.all(
    names("filters").map(async (name) => ({ name, filter: await load<Filter>("filters", name) })),
  )
  return all.flatMap(({ name, filter }) => {
    const options = filter.options.parse(task.filters[name] ?? {}) as { readonly severity: "off" | "flag" | "drop" }
    return options.severity === "off" ? [] : [{ name, filter, options: { ...options, severity: options.severity } }]
  })
}

/** The task's specification with everything checked: its schema, and what only the plug-ins know. */
export async function readCheckedTask(
  workspace: Workspace,
  task: string,
  allowedHosts?: readonly string[],
): Promise<TaskSpecification> {
  const plugins = {
    allowedHosts,
    strategies: await loadAll<Strategy>("strategies"),
    filters: await loadAll<Filter>("filters"),
    metrics: await loadAll<Metric>("metrics"),
    incumbents: comparable(await loadAll<Contender>("contenders")),
    models: names("models"),
    optionIssues,
  }
  return workspace.readTask(task, (raw, value) =>
    value === undefined ? issuesOfBroken(raw, plugins) : taskIssues(value, plugins),
  )
}

/** What the checks beyond the schema find in a specification that its schema refuses. */
function issuesOfBroken(raw: unknown, plugins: CheckedPlugins): readonly PathIssue[] {
  const rest = withoutBrokenParts(raw)
  if (rest !== undefined) return taskIssues(rest.task, plugins).filter((issue) => !isAbout(issue, rest.paths))
  const strategies = (raw as { expand?: { strategies?: unknown } } | null)?.expand?.strategies
  return [...looseSchemaIssues(raw), ...strategyIssues(strategies, plugins)]
}

/** Several specifications, of which those that are invalid are told together. */
export async function readCheckedTasks(
  workspace: Workspace,
  tasks: readonly string[],
): Promise<{ readonly checked: readonly TaskSpecification[]; readonly refused: ConfigError | undefined }> {
  const checked: TaskSpecification[] = []
  const refused: ConfigError[] = []
  for (const task of tasks) {
    try {
      checked.push(await readCheckedTask(workspace, task, workspace.settings.allowedHosts))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      refused.push(error)
    }
  }
  return { checked, refused: joined(refused, tasks.length) }
}

/** One error of the errors of several files. */
export function joined(refused: readonly ConfigError[], files: number): ConfigError | undefined {
  const [first, ...others] = refused
  if (first === undefined || others.length === 0) return first
  // A file that is no YAML at all has its problem in the message alone.
  const issues = refused.flatMap((error) => (error.issues.length > 0 ? error.issues : [{ message: error.message }]))
  return new ConfigError(
    `${refused.length} of ${files} files are invalid: ${issues.length} problems`,
    issues,
    first.hint,
  )
}

/** The job with everything checked: its schema, and the options that only its backend knows. */
export async function readCheckedJob(workspace: Workspace, job: string): Promise<JobSpecification> {
  const modules = new Map<string, BackendModule>()
  for (const name of names("backends")) modules.set(name, await load<BackendModule>("backends", name))
  const contenders = await loadAll<Contender>("contenders")
  return workspace.readJob(job, (_raw, value) => {
    if (value === undefined) return []
    const unknown = contenderIssues(value.evaluation, contenders)
    if (unknown.length > 0) return unknown
    const { name, options } = value.backend
    const module = modules.get(name)
    const known = [...modules.keys(), ...Object.keys(workspace.settings.backends)]
    if (module === undefined) return [{ path: ["backend", "name"], message: backendProblem(name, known) ?? "" }]
    return optionIssues(module.options, options).map(({ path, message }) => ({
      path: ["backend", "options", ...path],
      message,
    }))
  })
}

/** The contenders that the job names and nobody knows, or that need other settings, each by its place. */
function contenderIssues(
  settings: JobSpecification["evaluation"],
  contenders: Readonly<Record<string, Contender>>,
): PathIssue[] {
  return settings.contenders.flatMap((written, index): PathIssue[] => {
    const { name, argument } = plugInName(written)
    const contender = Object.hasOwn(contenders, name) ? contenders[name] : undefined
    const path = ["evaluation", "contenders", index]
    if (contender === undefined || (contender.argument === undefined) !== (argument === undefined))
      return [{ path, message: unknownContender(written, byNeeds(contenders)).message }]
    const given = { ...settings, ...(argument === undefined ? {} : { argument }) }
    return optionIssues(contender.options, given).map((issue) => ({
      path: ["evaluation", ...issue.path],
      message: issue.message,
    }))
  })
}

/** Why no job can be trained by a backend of this name; undefined where it exists. */
export function backendProblem(name: string, existing: readonly string[]): string | undefined {
  if (existing.includes(name)) return undefined
  const closed = closedServices().find((service) => service.name === name)
  if (closed !== undefined)
    return (
      `${name} has taken no more jobs since ${closed.since} (${closed.what}; ${closed.source}); ` +
      `use ${closed.instead}`
    )
  const meant = nearest(name, existing)
  const suggestion = meant === undefined ? "" : `; did you mean ${show(meant)}?`
  return `there is no backend ${show(name)}; allowed: ${existing.join(", ")}${suggestion}`
}

export async function loadModel(provider: string): Promise<ModelModule> {
  return load<ModelModule>("models", provider)
}

/** The contenders of these names, each with the options that the job gives it. An error about a name lists all. */
export async function loadContenders(
  wanted: readonly string[],
  settings: JobSpecification["evaluation"],
): Promise<ConfiguredContender[]> {
  const contenders = await loadAll<Contender>("contenders")
  return wanted.map((written) => {
    const { name, argument } = plugInName(written)
    const contender = Object.hasOwn(contenders, name) ? contenders[name] : undefined
    if (contender === undefined || (contender.argument === undefined) !== (argument === undefined))
      throw unknownContender(written, byNeeds(contenders))
    const given = { ...settings, ...(argument === undefined ? {} : { argument }) }
    const issues = optionIssues(contender.options, given)
    if (issues.length > 0)
      throw new ConfigError(
        `the job does not say what the contender ${written} needs`,
        issues.map(({ path, message }) => ({ path: formatPath(["evaluation", ...path]), message })),
        "Edit evaluation in the job; `tuneloop schema job` prints what is allowed.",
      )
    return { name: written, contender, options: contender.options.parse(given) }
  })
}

function unknownContender(written: string, known: readonly string[]): UsageError {
  const meant = nearest(written, known)
  const suggestion = meant === undefined ? "" : `; did you mean ${show(meant)}?`
  return new UsageError(
    `there is no contender ${show(written)}; allowed: ${known.join(", ")}${suggestion}`,
    "Give --against other names, or edit evaluation.contenders in the job.",
  )
}

function comparable(contenders: Readonly<Record<string, Contender>>) {
  return byNeeds(contenders).flatMap((name) => {
    const contender = contenders[name]
    return contender === undefined || !isComparable(contender)
      ? []
      : [{ name, kinds: contender.kinds, hasArgument: contender.argument !== undefined }]
  })
}

async function loadAll<Module>(room: Room): Promise<Record<string, Module>> {
  return Object.fromEntries(
    await Promise.all(names(room).map(async (name) => [name, await load<Module>(room, name)] as const)),
  )
}
