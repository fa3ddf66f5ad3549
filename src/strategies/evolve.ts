import { z } from "zod"
import { inOrderOf } from "../core/growing/shots.ts"
import type { ModelStrategy } from "../core/contracts/strategy.ts"
import { itemSemantics, itemsLearnt, parseExamples } from "./_items.ts"
import {
  countOption,
  examplesPrompt,
  fitting,
  shotTokensOption,
  hasLabel,
  labelInTurn,
  labelWish,
  remaining,
} from "./_prompt.ts"

/** The ways to evolve, with what the model is told. */
const ways = {
  harder:
    "Rewrite its input so that the task is harder for it: less obvious, with more to weigh or to work " +
    "out. It must still have one right output.",
  longer:
    "Rewrite its input so that it is about twice as long: more of the story, details that matter and " +
    "details that do not.",
  constrained: "Rewrite its input with one more condition, exception or wish that has to be taken into account.",
} as const
type Way = keyof typeof ways
const wayNames = Object.keys(ways) as [Way, ...Way[]]

const options = z.strictObject({
  count: countOption(50),
  shotTokens: shotTokensOption,
  ways: z.array(z.enum(wayNames)).min(1).default(wayNames).describe("In which ways seeds are evolved; they take turns"),
})
type Options = z.output<typeof options>

/**
 * Makes one seed at a time harder, longer or more constrained, in the manner of Evol-Instruct (Xu et al., 2023, arXiv
 * 2304.12244). What comes back too much like its seed fails the check for novelty, which is their elimination step.
 */
const strategy: ModelStrategy<Options> = {
  summary: "Seeds made harder, longer or more constrained",
  asksModel: true,
  semantics: itemSemantics,
  learnt: itemsLearnt,
  uses: ["seeds"],
  options,
  *plan(material, given) {
    const { task } = material
    const seeds = fitting(material.seeds, given.shotTokens)
    for (const turn of remaining(material, 1)) {
      const way = given.ways[turn % given.ways.length] ?? "harder"
      const label = labelInTurn(task, Math.floor(turn / given.ways.length))
      const key = `evolve ${way} ${turn}`
      const ordered = inOrderOf(key, seeds)
      const seed = ordered.find(hasLabel(label) ?? (() => true)) ?? ordered[0]
      if (seed === undefined) continue
      yield examplesPrompt(task, {
        key,
        wanted: 1,
        shots: [seed],
        heading: "An example:",
        text: `${ways[way]} Give the new example with its output by the guideline. ${labelWish(task, label)}`.trim(),
        cell: { ...(label === undefined ? {} : { label }), evolved: way },
      })
    }
  },
  parse: parseExamples,
}
export default strategy
