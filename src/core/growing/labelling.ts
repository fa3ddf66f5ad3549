import type { Input, Output, RealInput, Seed } from "../rows/example.ts"
import { formatOutput, parseOutput } from "../task/output.ts"
import { decoratedOutput } from "./decorated-output.ts"
import { chooseShots, numberOf } from "./shots.ts"
import type { PlannedPrompt } from "../contracts/strategy.ts"
import { taskRules } from "../task/task-text.ts"
import type { TaskSpecification } from "../task/task.ts"

/**
 * How an input is labelled. Another `pass` shows other seeds in another order, with another seed of its own, so that
 * the agreement of two passes says how sure a label is.
 */
export interface LabellingOptions {
  readonly pass: number
  readonly shots: number
  readonly shotTokens: number
}

/** The prompt that asks for the output of an input, with answered train seeds before it. */
export function labellingPrompt(
  task: TaskSpecification,
  input: Pick<RealInput, "id" | "input">,
  seeds: readonly Seed[],
  { pass, shots, shotTokens }: LabellingOptions,
): PlannedPrompt {
  const key = `label ${pass} ${input.id}`
  const shown = chooseShots(seeds, { key, count: shots, tokens: shotTokens })
  const system = [
    `You do this task: ${task.description.trim()}`,
    ...taskRules(task),
    `Answer with the output only${task.kind === "json" || task.kind === "chat" ? ", as JSON" : ""}.`,
  ]
  return {
    messages: [
      { role: "system", content: system.join("\n\n") },
      ...shown.flatMap((seed) => [
        { role: "user" as const, content: inputForModel(task, seed.input) },
        { role: "assistant" as const, content: answerForModel(task, seed.output) },
      ]),
      { role: "user", content: inputForModel(task, input.input) },
    ],
    parents: shown.map(({ id }) => id),
    seed: numberOf(key),
    wanted: 1,
    given: { input: input.input },
    ...(task.kind === "json" ? { schema: task.output.schema } : {}),
  }
}

/** The output that the answer stands for, also with words around it; undefined when it stands for none, or for two. */
export function readLabel(task: TaskSpecification, text: string): Output | undefined {
  return parseOutput(task, text) ?? decoratedOutput(task, text)
}

/** The text of an only field, otherwise the input as JSON. */
function inputForModel(task: TaskSpecification, input: Input): string {
  const [only, ...more] = task.kind === "chat" ? [] : Object.keys(task.input)
  const value = only === undefined || more.length > 0 ? undefined : input[only]
  return typeof value === "string" ? value : JSON.stringify(input)
}

function answerForModel(task: TaskSpecification, output: Output): string {
  return task.kind === "chat" ? JSON.stringify(output) : formatOutput(task, output)
}
