import { z } from "zod"
import type { Failure } from "../core/rows/failure.ts"
import { chooseShots } from "../core/growing/shots.ts"
import type { ModelStrategy } from "../core/contracts/strategy.ts"
import { itemSemantics, itemsLearnt, parseExamples } from "./_items.ts"
import {
  countOption,
  examplesPrompt,
  labelCell,
  labelWish,
  perRequestOption,
  remaining,
  shotsOption,
  shotTokensOption,
} from "./_prompt.ts"

const options = z.strictObject({
  count: countOption(50),
  perRequest: perRequestOption(3),
  shots: shotsOption(6),
  shotTokens: shotTokensOption,
})
type Options = z.output<typeof options>

/**
 * Asks for examples of what the tuned model got wrong on validation, the frequent errors more often. It is told the
 * kind of error and shown the train seeds that are most like it; no held-out row is shown, and none of test is looked
 * at.
 */
const strategy: ModelStrategy<Options> = {
  summary: "Examples of what the tuned model gets wrong on validation; with --from-evaluation",
  asksModel: true,
  semantics: itemSemantics,
  learnt: itemsLearnt,
  uses: ["seeds", "failures"],
  options,
  *plan(material, { perRequest, shots, shotTokens }) {
    const { task, seeds, failures } = material
    const first = remaining({ ...material, asked: 0 }, perRequest).length
    for (const { failure, lap } of inTurn(failures, first).slice(material.asked)) {
      const key = `counter-examples ${failure.description} ${lap}`
      const near = seeds.filter(({ id }) => failure.near.includes(id))
      yield examplesPrompt(task, {
        key,
        wanted: perRequest,
        shots: chooseShots(near, { key, count: shots, tokens: shotTokens }),
        text:
          `A model that was trained for this task ${failure.description}. Write examples that would teach ` +
          `it better, of the kind that it gets wrong. ${labelWish(task, failure.label)}Make them different ` +
          "from the examples and from each other.",
        ...labelCell(failure.label),
      })
    }
  },
  parse: parseExamples,
}
export default strategy

/** The failures as often as they have rows, spread evenly (D'Hondt): a longer list begins as a shorter one does. */
function inTurn(failures: readonly Failure[], count: number): { failure: Failure; lap: number }[] {
  const laps = failures.map(() => 0)
  return Array.from({ length: failures.length === 0 ? 0 : count }, () => {
    const scores = failures.map(({ rows }, index) => rows / ((laps[index] ?? 0) + 1))
    const next = scores.indexOf(Math.max(...scores))
    const lap = laps[next] ?? 0
    laps[next] = lap + 1
    return { failure: failures[next] as Failure, lap }
  })
}
