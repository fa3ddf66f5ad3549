import { z } from "zod"
import { chooseShots } from "../core/growing/shots.ts"
import type { ModelStrategy } from "../core/contracts/strategy.ts"
import { itemSemantics, itemsLearnt, parseExamples } from "./_items.ts"
import {
  countOption,
  examplesPrompt,
  hasLabel,
  labelCell,
  labelInTurn,
  labelWish,
  perRequestOption,
  remaining,
  shotsOption,
  shotTokensOption,
} from "./_prompt.ts"

const options = z.strictObject({
  count: countOption(50),
  perRequest: perRequestOption(5),
  shots: shotsOption(6),
  shotTokens: shotTokensOption,
})
type Options = z.output<typeof options>

/**
 * Asks for new examples like a few seeds, in the manner of Self-Instruct (Wang et al., 2023, arXiv 2212.10560). Labels
 * take turns.
 */
const strategy: ModelStrategy<Options> = {
  summary: "New examples in the manner of a few seeds",
  asksModel: true,
  semantics: itemSemantics,
  learnt: itemsLearnt,
  uses: ["seeds"],
  options,
  *plan(material, { perRequest, shots, shotTokens }) {
    const { task, seeds } = material
    for (const turn of remaining(material, perRequest)) {
      const key = `self-instruct ${turn}`
      const label = labelInTurn(task, turn)
      yield examplesPrompt(task, {
        key,
        wanted: perRequest,
        shots: chooseShots(seeds, { key, count: shots, tokens: shotTokens, prefer: hasLabel(label) }),
        text: `${labelWish(task, label)}Make them different from these and from each other.`,
        ...labelCell(label),
      })
    }
  },
  parse: parseExamples,
}
export default strategy
