import { join } from "node:path"
import { load, loadFilters } from "../../../src/cli/plugins.ts"
import { digestText } from "../../../src/core/canonical.ts"
import type { Assignment, Split } from "../../../src/core/rows/example.ts"
import type { ModelRequest } from "../../../src/core/contracts/model.ts"
import type { ModelStrategy, Strategy } from "../../../src/core/contracts/strategy.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { expand, type ExpandOptions, type ExpandResult } from "../../../src/stages/growing/expand.ts"
import { snapshot } from "../../command-line.ts"
import { pairOf, tasks } from "../../strategies/tasks.ts"
import type { ScriptedModel, workspaceWith } from "../in-process.ts"

export const task = tasks.label
export const filters = await loadFilters(
  taskSchema.parse({ ...task, filters: { language: { severity: "off" }, "word-count": { severity: "off" } } }),
)

/** Three new examples of the label that the prompt wishes for, others for other prompts. */
export function examples(request: ModelRequest, of: TaskSpecification = task): string {
  const said = request.messages.map(({ content }) => content).join("\n")
  const number = Number.parseInt(digestText(`${request.seed} ${said}`).slice(7, 12), 16)
  const label = /All with the output "(\w+)"/.exec(said)?.[1]
  const pairs = [0, 1, 2].map((index) => pairOf(of, number + index, newText(number + index)))
  return JSON.stringify({ examples: pairs.map((pair) => (label === undefined ? pair : { ...pair, output: label })) })
}

export function newText(number: number): string {
  return (digestText(String(number)).slice(7).match(/.{5}/g) ?? []).slice(0, 8).join(" ")
}

export const isLabelling = ({ messages }: ModelRequest) => messages[0]?.content.startsWith("You do this task") === true

export async function grow(
  at: ReturnType<typeof workspaceWith>,
  model: ScriptedModel,
  name: string,
  {
    of = task,
    options = {},
    count = 12,
    strategy,
    ...more
  }: {
    of?: TaskSpecification
    options?: object
    count?: number
    strategy?: ModelStrategy<never>
  } & Partial<ExpandOptions> = {},
): Promise<ExpandResult> {
  const module = strategy ?? (await load<Strategy>("strategies", name))
  const step = {
    name,
    strategy: module as Strategy,
    options: module.options.parse(options) as Record<string, unknown>,
    count,
  }
  const [result] = await expand(at.context, of, [step], {
    model: () => model,
    environmentModel: "m",
    filters,
    dryRun: false,
    ...more,
  })
  return result as ExpandResult
}

export const splitAll = (rows: readonly { id: string }[], split: (index: number) => Split): Assignment[] =>
  rows.map(({ id }, index) => ({ id, split: split(index), stratum: "all" }))
export const train = (rows: readonly { id: string }[]) => splitAll(rows, () => "train")
export const candidatesOf = (at: ReturnType<typeof workspaceWith>) => snapshot(join(at.rows.folder, "candidates"))
