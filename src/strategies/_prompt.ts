import { z } from "zod"
import type { Output, Seed } from "../core/rows/example.ts"
import { numberOf, shotText } from "../core/growing/shots.ts"
import type { Cell, PlannedPrompt, StrategyMaterial } from "../core/contracts/strategy.ts"
import { labelsOf, type TaskSpecification } from "../core/task/task.ts"
import { taskRules } from "../core/task/task-text.ts"
import { estimatedTokens } from "../core/asking/tokens.ts"
import { itemSchema } from "./_items.ts"

/** The options that strategies with a model share. */
export const countOption = (usual: number) =>
  z.int().positive().max(10_000_000).default(usual).describe("How many candidates to ask for")
export const perRequestOption = (usual: number) =>
  z.int().min(1).max(20).default(usual).describe("How many examples one request asks for")
export const shotsOption = (usual: number) =>
  z.int().min(0).max(50).default(usual).describe("How many seeds a request shows at most")
export const shotTokensOption = z
  .int()
  .positive()
  .default(1500)
  .describe("How many tokens the shown seeds may take together, by estimate; a seed that does not fit is passed over")

/** What a strategy says of one request; the rest is the same for all. */
export interface Wish {
  /** Names the request among those of its strategy, whatever their order: its seed and its shots follow from it. */
  readonly key: string
  readonly wanted: number
  /** What is asked for, in a sentence or more. */
  readonly text: string
  readonly shots: readonly Seed[]
  /** What stands above the shots. */
  readonly heading?: string
  readonly cell?: Cell
  /** The output that every example has: only inputs are asked for. */
  readonly output?: Output
}

/** The prompt that asks for new examples. */
export function examplesPrompt(task: TaskSpecification, wish: Wish): PlannedPrompt {
  const form = wish.output === undefined ? "pair" : "input"
  const item = form === "pair" ? '{"input": …, "output": …}' : '{"input": …}'
  const system = [
    `You write examples for this task: ${task.description.trim()}`,
    ...taskRules(task),
    ...avoidance(task),
    "Write as the people do who send such inputs, not as an assistant. Invent names, numbers and places; " +
      "use none of real people.",
    `Answer with JSON only: {"examples": [${item}${wish.wanted > 1 ? ", …" : ""}]} with ` +
      `${wish.wanted === 1 ? "one example" : `${wish.wanted} examples`}.`,
  ]
  const shown =
    wish.shots.length === 0 ? "" : `${wish.heading ?? "Examples:"}\n${wish.shots.map(shotText).join("\n")}\n\n`
  return {
    messages: [
      { role: "system", content: system.join("\n\n") },
      { role: "user", content: `${shown}${wish.text}` },
    ],
    parents: wish.shots.map(({ id }) => id),
    seed: numberOf(wish.key),
    wanted: wish.wanted,
    schema: itemSchema(task, form),
    ...(wish.cell === undefined ? {} : { cell: wish.cell }),
    ...(wish.output === undefined ? {} : { given: { output: wish.output } }),
  }
}

/**
 * What reviewers turned down before; nothing where the specification names nothing, so that prompts stay what they
 * were.
 */
function avoidance({ expand }: TaskSpecification): string[] {
  return expand.avoid.length === 0
    ? []
    : [
        "Earlier examples were turned down for these reasons. Write none of that " +
          `kind:\n${expand.avoid.map((reason) => `- ${reason}`).join("\n")}`,
      ]
}

/** The seeds that fit into the budget, where each stands in a prompt by itself. */
export function fitting(seeds: readonly Seed[], tokens: number): Seed[] {
  return seeds.filter((seed) => estimatedTokens(shotText(seed)) <= tokens)
}

/** Where a plan stands: the numbers of the requests that are still to be asked. */
export function remaining({ count, asked }: Pick<StrategyMaterial, "count" | "asked">, perRequest: number): number[] {
  const all = Math.ceil(count / perRequest)
  return Array.from({ length: Math.max(0, all - asked) }, (_, index) => asked + index)
}

/** The label that request takes its turn with; undefined for a task without labels. */
export function labelInTurn(task: TaskSpecification, turn: number): string | undefined {
  const labels = labelsOf(task)
  return labels[turn % Math.max(1, labels.length)]
}

/** `All with the output "delivery".` */
export function labelWish(task: TaskSpecification, label: string | undefined): string {
  if (label === undefined) return ""
  return task.kind === "multilabel"
    ? `All with ${JSON.stringify(label)} among the labels. `
    : `All with the output ${JSON.stringify(label)}. `
}

/** Whether a seed has the label; nothing to ask where a task has none. */
export function hasLabel(label: string | undefined): ((seed: Seed) => boolean) | undefined {
  if (label === undefined) return undefined
  return ({ output }) => output === label || (Array.isArray(output) && output.includes(label))
}

export function labelCell(label: string | undefined): { cell?: Cell } {
  return label === undefined ? {} : { cell: { label } }
}
