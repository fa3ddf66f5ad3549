import type { Seed } from "../../core/rows/example.ts"
import { shotText } from "../../core/growing/shots.ts"
import { type Cell, cellName, type PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { estimatedTokens } from "../../core/asking/tokens.ts"
import { formatOutput } from "../../core/task/output.ts"
import { secondPassOf } from "./second-opinions.ts"

/**
 * A line of a plan: the requests for one cell, or those of a check. Tokens are estimates: 4 bytes a token, and answers
 * as long as the seeds.
 */
export interface PlanLine {
  readonly step: "grow" | "second-pass" | "judge"
  readonly cell: Cell
  readonly requests: number
  /** How many candidates it asks for, or is about. */
  readonly candidates: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** What these tokens cost, in US dollars; null where no price is known. */
  readonly costUsd: number | null
}

/** What the tokens cost at the task's model or at another one; null where no price is known. */
export type CostOf = (
  tokens: { readonly inputTokens: number; readonly outputTokens: number },
  model?: string,
) => number | null

export interface GrowthPlan {
  readonly lines: readonly PlanLine[]
  readonly requests: number
  readonly candidates: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costUsd: number | null
  /** At most so many answers are asked for once more, because they cannot be read. */
  readonly repairsAtMost: number
  /** Three prompts in full. */
  readonly samples: readonly PlannedPrompt[]
}

/**
 * What the prompts will take. Of the checks that ask a model it counts as many requests as there are candidates: they
 * are at most so many.
 */
export function planOf(
  task: TaskSpecification,
  prompts: readonly PlannedPrompt[],
  seeds: readonly Seed[],
  needsSecondPass: boolean,
  costOf: CostOf,
): GrowthPlan {
  const sizes = sizesOf(task, seeds)
  const maxTokens = task.expand.model?.maxTokens ?? 1024
  const lines = new Map<string, { -readonly [Key in keyof PlanLine]: PlanLine[Key] }>()
  for (const prompt of prompts) {
    const cell = prompt.cell ?? {}
    const line = lines.get(cellName(cell)) ?? {
      step: "grow",
      cell,
      requests: 0,
      candidates: 0,
      inputTokens: 0,
      outputTokens: 0,
      costUsd: 0,
    }
    lines.set(cellName(cell), line)
    const each =
      prompt.given?.input === undefined
        ? prompt.given?.output === undefined
          ? sizes.pair
          : sizes.pair - sizes.output
        : sizes.output
    line.requests += 1
    line.candidates += prompt.wanted
    line.inputTokens += promptTokens(prompt)
    line.outputTokens += Math.min(maxTokens, Math.max(1, Math.ceil(each * prompt.wanted)))
  }
  const grow = [...lines.values()].map((line) => ({ ...line, costUsd: costOf(line) }))
  const candidates = grow.reduce((sum, line) => sum + line.candidates, 0)
  const all: PlanLine[] = [...grow, ...checkLines(task, candidates, sizes, needsSecondPass, costOf)]
  const sum = (key: "requests" | "inputTokens" | "outputTokens") => all.reduce((total, line) => total + line[key], 0)
  return {
    lines: all,
    requests: sum("requests"),
    candidates,
    inputTokens: sum("inputTokens"),
    outputTokens: sum("outputTokens"),
    costUsd: all.reduce<number | null>(
      (total, line) => (total === null || line.costUsd === null ? null : total + line.costUsd),
      0,
    ),
    repairsAtMost: prompts.length,
    samples: [...new Set([0, Math.floor(prompts.length / 2), prompts.length - 1])].flatMap((at) => prompts[at] ?? []),
  }
}

interface Sizes {
  readonly pair: number
  readonly output: number
}

function checkLines(
  task: TaskSpecification,
  candidates: number,
  sizes: Sizes,
  needsSecondPass: boolean,
  costOf: CostOf,
): PlanLine[] {
  const rules = estimatedTokens(task.description + task.guideline + JSON.stringify(task.output))
  const secondPass = secondPassOf(task, needsSecondPass)
  const { judge } = task.expand.checks
  const line = (step: PlanLine["step"], model: string | undefined, input: number, output: number): PlanLine => {
    const tokens = { inputTokens: Math.ceil(candidates * input), outputTokens: Math.ceil(candidates * output) }
    return { step, cell: {}, requests: candidates, candidates, ...tokens, costUsd: costOf(tokens, model) }
  }
  const shown = secondPass === undefined ? 0 : Math.min(secondPass.shotTokens, secondPass.shots * sizes.pair)
  return [
    ...(secondPass === undefined
      ? []
      : [line("second-pass", secondPass.model, rules + shown + sizes.pair, Math.max(1, sizes.output))]),
    ...(judge === undefined
      ? []
      : [line("judge", judge.model, rules + estimatedTokens(judge.rubric) + sizes.pair + 60, 60)]),
  ]
}

function promptTokens({ messages }: PlannedPrompt): number {
  return messages.reduce((sum, { content }) => sum + estimatedTokens(content) + 4, 0)
}

/** The mean size of a seed and of its output; guesses where there are none. */
function sizesOf(task: TaskSpecification, seeds: readonly Seed[]): Sizes {
  if (seeds.length === 0) return { pair: 100, output: 30 }
  const mean = (measure: (seed: Seed) => number) => seeds.reduce((sum, seed) => sum + measure(seed), 0) / seeds.length
  return {
    pair: mean((seed) => estimatedTokens(shotText(seed))),
    output: mean((seed) => estimatedTokens(formatOutput(task, seed.output))),
  }
}
