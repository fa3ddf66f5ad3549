import { readdirSync } from "node:fs"
import { join } from "node:path"
import { optionIssues } from "./option-issues.ts"
import type { BackendModule } from "../core/contracts/backend.ts"
import type { ConfiguredFilter, Filter } from "../core/contracts/filter.ts"
import type { Metric } from "../core/contracts/metric.ts"
import type { ModelModule } from "../core/contracts/model.ts"
import type { Strategy } from "../core/contracts/strategy.ts"
import { strategyIssues, taskIssues } from "../core/task/task-checks.ts"
import type { TaskSpecification } from "../core/task/task.ts"
import { nearest, show } from "../core/parse.ts"
import type { JobSpecification } from "../core/training/job.ts"
import type { Workspace } from "../store/workspace.ts"

export const rooms = ["backends", "filters", "formats", "metrics", "models", "strategies"] as const
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

/** Every metric, for an evaluation. */
export async function loadMetrics(): Promise<{ name: string; metric: Metric }[]> {
  return Promise.all(names("metrics").map(async (name) => ({ name, metric: await load<Metric>("metrics", name) })))
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
export async function readCheckedTask(workspace: Workspace, task: string): Promise<TaskSpecification> {
  const strategies = Object.fromEntries(
    await Promise.all(
      names("strategies").map(async (name) => [name, await load<Strategy>("strategies", name)] as const),
    ),
  )
  const filters = Object.fromEntries(
    await Promise.all(names("filters").map(async (name) => [name, await load<Filter>("filters", name)] as const)),
  )
  const plugins = { strategies, filters, metrics: names("metrics"), models: names("models"), optionIssues }
  return workspace.readTask(task, (raw, value) =>
    value === undefined
      ? strategyIssues((raw as { expand?: { strategies?: unknown } } | null)?.expand?.strategies, plugins)
      : taskIssues(value, plugins),
  )
}

/** The job with everything checked: its schema, and the options that only its backend knows. */
export async function readCheckedJob(workspace: Workspace, job: string): Promise<JobSpecification> {
  const modules = new Map<string, BackendModule>()
  for (const name of names("backends")) modules.set(name, await load<BackendModule>("backends", name))
  return workspace.readJob(job, (_raw, value) => {
    if (value === undefined) return []
    const { name, options } = value.backend
    const module = modules.get(name)
    if (module === undefined) return [{ path: ["backend", "name"], message: unknownBackend(name, [...modules.keys()]) }]
    return optionIssues(module.options, options).map(({ path, message }) => ({
      path: ["backend", "options", ...path],
      message,
    }))
  })
}

function unknownBackend(name: string, existing: readonly string[]): string {
  const meant = nearest(name, existing)
  return `got ${show(name)}; allowed: ${existing.join(", ")}${meant === undefined ? "" : `; did you mean ${show(meant)}?`}`
}

export async function loadModel(provider: string): Promise<ModelModule> {
  return load<ModelModule>("models", provider)
}
