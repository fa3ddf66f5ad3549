import { z } from "zod"
import type { Input, Output } from "../rows/example.ts"
import { parseJson } from "../json-text.ts"
import { numberOf, shotText } from "./shots.ts"
import type { PlannedPrompt } from "../contracts/strategy.ts"
import { taskRules } from "../task/task-text.ts"
import type { TaskSpecification } from "../task/task.ts"

/** How good a candidate is by the rubric, 0 to 1, and why. */
export interface Judgement {
  readonly score: number
  readonly reason: string
}

const highest = 5
const judgementSchema = z.object({ reason: z.string().catch(""), score: z.coerce.number().min(1).max(highest) })

/**
 * The prompt that asks how good a candidate is. The reason comes before the score, so that the score follows from it.
 */
export function judgingPrompt(
  task: TaskSpecification,
  candidate: { readonly id: string; readonly input: Input; readonly output: Output },
  rubric: string,
): PlannedPrompt {
  const system = [
    `You judge examples for this task: ${task.description.trim()}`,
    ...taskRules(task),
    `Rubric:\n${rubric.trim()}`,
    `Answer with JSON only: {"reason": one sentence, "score": a whole number from 1 (unusable) to ` +
      `${highest} (right in every respect)}.`,
  ]
  return {
    messages: [
      { role: "system", content: system.join("\n\n") },
      { role: "user", content: `The example:\n${shotText(candidate)}` },
    ],
    parents: [],
    seed: numberOf(`judge ${candidate.id}`),
    wanted: 1,
    schema: {
      type: "object",
      additionalProperties: false,
      required: ["reason", "score"],
      properties: { reason: { type: "string" }, score: { type: "integer", minimum: 1, maximum: highest } },
    },
  }
}

/** The judgement in an answer; undefined when there is none. */
export function readJudgement(text: string): Judgement | undefined {
  const value = parseJson(/\{[\s\S]*\}/.exec(text)?.[0] ?? "")
  const result = judgementSchema.safeParse(value)
  return result.success
    ? { score: (result.data.score - 1) / (highest - 1), reason: result.data.reason.trim() }
    : undefined
}
