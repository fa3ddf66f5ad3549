import { z } from "zod"
import { inOrderOf, numberOf } from "../core/growing/shots.ts"
import type { ModelStrategy } from "../core/contracts/strategy.ts"
import { itemSemantics, itemsLearnt, parseExamples } from "./_items.ts"
import {
  countOption,
  examplesPrompt,
  fitting,
  shotTokensOption,
  labelCell,
  perRequestOption,
  remaining,
} from "./_prompt.ts"

/** How the wording changes; the ways take turns. */
const manners = [
  "in quite other words",
  "much shorter, as somebody in a hurry would write it",
  "more formally",
  "colloquially, as one would say it",
  "with the facts in another order",
  "with typing errors, as on a phone",
] as const

const options = z.strictObject({
  count: countOption(50),
  shotTokens: shotTokensOption,
  perRequest: perRequestOption(2),
})
type Options = z.output<typeof options>

/**
 * Asks for the input of a seed in other words; its output stays. What stays too near to the seed fails the check for
 * novelty.
 */
const strategy: ModelStrategy<Options> = {
  summary: "Seeds in other words, with their outputs",
  asksModel: true,
  semantics: itemSemantics,
  learnt: itemsLearnt,
  uses: ["seeds"],
  options,
  *plan(material, { perRequest, shotTokens }) {
    const { task, seeds } = material
    const turns = inOrderOf("paraphrase", fitting(seeds, shotTokens))
    for (const turn of remaining(material, perRequest)) {
      const seed = turns[turn % turns.length]
      if (seed === undefined) continue
      const lap = Math.floor(turn / turns.length)
      const manner = manners[numberOf(`${seed.id} ${lap}`) % manners.length] ?? manners[0]
      yield examplesPrompt(task, {
        key: `paraphrase ${seed.id} ${lap}`,
        wanted: perRequest,
        shots: [seed],
        heading: "An example:",
        text:
          `Rewrite its input ${manner}. Every fact that the output depends on stays the same, so that the ` +
          "output stays right. Share no run of more than three words with it.",
        output: seed.output,
        ...labelCell(task.kind === "label" ? String(seed.output) : undefined),
      })
    }
  },
  parse: parseExamples,
}
export default strategy
