import { z } from "zod"
import { chooseShots, inOrderOf } from "../core/growing/shots.ts"
import type { ModelStrategy } from "../core/contracts/strategy.ts"
import { formatOutput } from "../core/task/output.ts"
import { itemSemantics, itemsLearnt, parseExamples } from "./_items.ts"
import { countOption, examplesPrompt, fitting, labelCell, remaining, shotsOption, shotTokensOption } from "./_prompt.ts"

const options = z.strictObject({
  count: countOption(50),
  shots: shotsOption(3),
  shotTokens: shotTokensOption,
})
type Options = z.output<typeof options>

/**
 * Asks for an input whose output a seed's is, in the manner of instruction back-translation (Li et al., 2024, arXiv
 * 2308.06259): the answer stays as people wrote it. The seed's own input is not shown.
 */
const strategy: ModelStrategy<Options> = {
  summary: "New inputs for the outputs of seeds, which stay as people wrote them",
  asksModel: true,
  semantics: itemSemantics,
  learnt: itemsLearnt,
  uses: ["seeds"],
  options,
  *plan(material, { shots, shotTokens }) {
    const { task, seeds } = material
    const turns = inOrderOf("back-translation", fitting(seeds, shotTokens))
    for (const turn of remaining(material, 1)) {
      const seed = turns[turn % turns.length]
      if (seed === undefined) continue
      const key = `back-translation ${seed.id} ${Math.floor(turn / turns.length)}`
      const others = seeds.filter((other) => other !== seed)
      const prompt = examplesPrompt(task, {
        key,
        wanted: 1,
        shots: chooseShots(others, { key, count: shots, tokens: shotTokens }),
        text:
          "Write a new input, unlike those above, to which exactly this output is " +
          `right:\n${formatOutput(task, seed.output)}`,
        output: seed.output,
        ...labelCell(task.kind === "label" ? String(seed.output) : undefined),
      })
      yield { ...prompt, parents: [seed.id, ...prompt.parents] }
    }
  },
  parse: parseExamples,
}
export default strategy
