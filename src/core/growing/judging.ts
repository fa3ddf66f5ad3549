import { z } from "zod"
import type { Input, Output } from "../rows/example.ts"
import { objectsIn, withKeysInLowerCase } from "./json-in-answer.ts"
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
const scoreSchema = z.union([
  z.number(),
  z
    .string()
    .regex(/^\s*\d+(\.\d+)?\s*$/)
    .transform(Number),
])
const judgementSchema = z.object({
  reason: z.string().catch(""),
  score: scoreSchema.pipe(z.number().min(1).max(highest)),
})

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

/** The judgement in an answer; undefined when there is none, or more than one. */
export function readJudgement(text: string): Judgement | undefined {
  const found = objectsIn(text, () => false).values.flatMap((value) => {
    const { data } = judgementSchema.safeParse(withKeysInLowerCase(value))
    return data === undefined ? [] : [data]
  })
  const [judgement] = found
  return judgement === undefined || found.some(({ score }) => score !== judgement.score)
    ? undefined
    : { score: (judgement.score - 1) / (highest - 1), reason: judgement.reason.trim() }
}
