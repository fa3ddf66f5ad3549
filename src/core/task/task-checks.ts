import type { z } from "zod"
import { addressRefusal } from "../addresses.ts"
import { schemaProblems } from "./json-schema.ts"
import { nearest, show, type PathIssue } from "../parse.ts"
import { optionsIn, plugInName } from "../plug-in-name.ts"
import { labelsOf, type TaskKind, type TaskSpecification } from "./task.ts"

/** The part of a plug-in that a check of the specification needs. */
export interface CheckedStrategy {
  readonly options: z.ZodType
  check?(task: TaskSpecification, options: never): readonly PathIssue[]
}

/** What a check needs to know of the plug-ins. */
export interface CheckedPlugins {
  readonly strategies: Readonly<Record<string, CheckedStrategy>>
  readonly filters: Readonly<Record<string, { readonly options: z.ZodType }>>
  readonly metrics: Readonly<Record<string, { readonly options: z.ZodType }>>
  /** The contenders that the tuned model may be compared with. */
  readonly incumbents: readonly {
    readonly name: string
    readonly kinds: readonly TaskKind[]
    readonly hasArgument: boolean
  }[]
  readonly models: readonly string[]
  readonly optionIssues: (schema: z.ZodType, value: unknown) => readonly PathIssue[]
  /** The hosts that examples may go to; absent where that is not looked at now. */
  readonly allowedHosts?: readonly string[] | undefined
}

/**
 * What is wrong with a specification beyond its schema: JSON schemas that do not compile, placeholders that name no
 * field, unknown incumbents, metrics and strategies, strategies' options. Each problem with its path.
 */
export function taskIssues(task: TaskSpecification, plugins: CheckedPlugins): PathIssue[] {
  return [
    ...schemaIssues(task),
    ...toolNameIssues(task),
    ...placeholderIssues(task),
    ...incumbentIssues(task, plugins),
    ...hostIssues(task, plugins.allowedHosts),
    ...(task.verdict.metric === undefined ? [] : metricIssues(task.verdict.metric, plugins)),
    ...(task.expand.model === undefined
      ? []
      : unknownWord(["expand", "model", "provider"], task.expand.model.provider, plugins.models)),
    ...(task.verdict.expectedGain > task.verdict.discordance
      ? [
          {
            path: ["verdict", "expectedGain"],
            message:
              `got ${task.verdict.expectedGain}; at most discordance (${task.verdict.discordance}): a gain ` +
              "is made only where the contenders differ",
          },
        ]
      : []),
    ...(task.verdict.margin >= task.verdict.expectedGain
      ? [
          {
            path: ["verdict", "margin"],
            message:
              `got ${task.verdict.margin}; must be below expectedGain (${task.verdict.expectedGain}): no ` +
              "test set shows a gain that only reaches the margin",
          },
        ]
      : []),
    ...task.review.policies.flatMap(({ strategy, label }, index) => [
      ...(strategy === undefined
        ? []
        : unknownWord(["review", "policies", index, "strategy"], strategy, Object.keys(plugins.strategies))),
      ...(label === undefined ? [] : unknownWord(["review", "policies", index, "label"], label, labelsOf(task))),
    ]),
    ...filterIssues(task.filters, plugins),
    ...strategyIssues(task.expand.strategies, plugins, task),
  ]
}

/**
 * What is wrong with the strategies of a specification, also of one that is invalid elsewhere: then without the checks
 * that need the task.
 */
export function strategyIssues(
  strategies: unknown,
  { strategies: known, optionIssues }: Pick<CheckedPlugins, "strategies" | "optionIssues">,
  task?: TaskSpecification,
): PathIssue[] {
  if (typeof strategies !== "object" || strategies === null) return []
  return Object.entries(strategies).flatMap(([name, options]): PathIssue[] => {
    const path = ["expand", "strategies", name]
    const strategy = Object.hasOwn(known, name) ? known[name] : undefined
    if (!strategy) return unknownWord(path, name, Object.keys(known))
    const within = (issue: PathIssue) => ({ ...issue, path: [...path, ...issue.path] })
    const problems = optionIssues(strategy.options, options).map(within)
    if (problems.length > 0 || task === undefined) return problems
    return (strategy.check?.(task, strategy.options.parse(options) as never) ?? []).map(within)
  })
}

/** The addresses that the specification names and the workspace lets no example go to. */
function hostIssues(task: TaskSpecification, allowedHosts: readonly string[] | undefined): PathIssue[] {
  if (allowedHosts === undefined) return []
  const named = [
    { path: ["expand", "model", "baseUrl"], baseUrl: task.expand.model?.baseUrl },
    { path: ["build", "semantic", "baseUrl"], baseUrl: task.build.semantic?.baseUrl },
  ]
  return named.flatMap(({ path, baseUrl }) => {
    const refusal = baseUrl === undefined ? undefined : addressRefusal(baseUrl, allowedHosts)
    return refusal === undefined ? [] : [{ path, message: `${refusal.message}. ${refusal.hint}` }]
  })
}

/** The contender to beat: one that the task's kind has. */
function incumbentIssues(task: TaskSpecification, { incumbents }: CheckedPlugins): PathIssue[] {
  const { name, argument } = plugInName(task.verdict.incumbent)
  const allowed = incumbents.filter(({ kinds }) => kinds.includes(task.kind))
  if (argument !== undefined && allowed.some((known) => known.name === name && known.hasArgument)) return []
  return unknownWord(
    ["verdict", "incumbent"],
    task.verdict.incumbent,
    allowed.map((known) => known.name),
  )
}

/** The metric that decides, which may be named with options. */
function metricIssues(written: string, { metrics, optionIssues }: CheckedPlugins): PathIssue[] {
  const path = ["verdict", "metric"]
  const { name, argument } = plugInName(written)
  const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined
  if (!metric) return unknownWord(path, name, Object.keys(metrics))
  const { options, problems } = optionsIn(argument)
  return [
    ...problems.map((message) => ({ path, message })),
    ...optionIssues(metric.options, options).map((issue) => ({
      path,
      message: `${name}${issue.path.length === 0 ? "" : `, ${issue.path.join(".")}`}: ${issue.message}`,
    })),
  ]
}

function filterIssues(
  filters: Readonly<Record<string, unknown>>,
  { filters: known, optionIssues }: CheckedPlugins,
): PathIssue[] {
  return Object.entries(filters).flatMap(([name, options]): PathIssue[] => {
    const path = ["filters", name]
    const filter = Object.hasOwn(known, name) ? known[name] : undefined
    if (!filter) return unknownWord(path, name, Object.keys(known))
    return optionIssues(filter.options, options).map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
  })
}

function schemaIssues(task: TaskSpecification): PathIssue[] {
  const schemas: { path: PropertyKey[]; schema: Record<string, unknown> }[] =
    task.kind === "json"
      ? [{ path: ["output", "schema"], schema: task.output.schema }]
      : task.kind === "chat"
        ? task.output.tools.map((tool, index) => ({
            path: ["output", "tools", index, "parameters"],
            schema: tool.parameters,
          }))
        : []
  return schemas.flatMap(({ path, schema }) =>
    schemaProblems(schema).map((issue) => ({ ...issue, path: [...path, ...issue.path] })),
  )
}

/** The names of tools as OpenAI, Azure, Anthropic and Together take them. */
const toolName = /^[A-Za-z0-9_-]{1,64}$/

function toolNameIssues(task: TaskSpecification): PathIssue[] {
  if (task.kind !== "chat") return []
  const names = task.output.tools.map(({ name }) => name)
  return names.flatMap((name, index): PathIssue[] => {
    const path = ["output", "tools", index, "name"]
    if (!toolName.test(name))
      return [{ path, message: `got ${show(name)}; allowed: letters, digits, _ and -, at most 64 (as providers want)` }]
    return names.indexOf(name) < index ? [{ path, message: `a tool is called ${show(name)} already` }] : []
  })
}

function placeholderIssues(task: TaskSpecification): PathIssue[] {
  if (task.kind === "chat") return []
  const system = [
    "guideline",
    ...(task.kind === "label" || task.kind === "multilabel" ? ["labels", "definitions"] : []),
  ]
  return [
    ...placeholders(task.prompt.system).flatMap((name) => unknownWord(["prompt", "system"], name, system)),
    ...placeholders(task.prompt.user).flatMap((name) => unknownWord(["prompt", "user"], name, Object.keys(task.input))),
  ]
}

function placeholders(template: string | undefined): string[] {
  return [...(template ?? "").matchAll(/\{([A-Za-z][A-Za-z0-9_]*)\}/g)].map((match) => match[1] ?? "")
}

function unknownWord(path: readonly PropertyKey[], word: string, allowed: readonly string[]): PathIssue[] {
  if (allowed.includes(word)) return []
  const meant = nearest(word, allowed)
  return [
    {
      path,
      message: `got ${show(word)}; allowed: ${allowed.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
    },
  ]
}
