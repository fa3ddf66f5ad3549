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

/** People who write differently, for whoever names no others. */
const usualPersonas = [
  "a retired teacher who writes in full sentences",
  "a student in a hurry who writes in lower case on a phone",
  "a shift worker who writes late at night",
  "somebody who has written about the same thing twice before and is losing patience",
  "somebody whose first language is another one",
  "a lawyer who cites every detail",
  "a parent who is interrupted all the time",
  "a small business owner who writes on behalf of the business",
  "an engineer who reports facts and numbers and nothing else",
  "somebody who does not know the right words for what they mean",
  "a cheerful person who tells a story before they come to the point",
  "a person who uses voice input, without punctuation",
  "somebody who writes for a relative who cannot",
  "a first-time user who is unsure what to expect",
  "a regular who knows the jargon and abbreviates",
  "a sceptic who doubts what they were told",
] as const

const options = z.strictObject({
  count: countOption(50),
  perRequest: perRequestOption(3),
  shots: shotsOption(4),
  shotTokens: shotTokensOption,
  personas: z
    .array(z.string().trim().min(1))
    .min(1)
    .default([...usualPersonas])
    .describe("Who writes the inputs, each in a few words; they take turns"),
})
type Options = z.output<typeof options>

/**
 * Asks for inputs as another person would write them, in the manner of Persona Hub (Ge et al., 2024, arXiv 2406.20094).
 */
const strategy: ModelStrategy<Options> = {
  summary: "New examples as different people would write them",
  asksModel: true,
  semantics: itemSemantics,
  learnt: itemsLearnt,
  uses: ["seeds"],
  options,
  *plan(material, { perRequest, shots, shotTokens, personas }) {
    const { task, seeds } = material
    for (const turn of remaining(material, perRequest)) {
      const persona = personas[turn % personas.length] ?? ""
      // With as many labels as personas each would always meet the same one.
      const label = labelInTurn(task, turn + Math.floor(turn / personas.length))
      const key = `persona ${turn} ${persona}`
      yield examplesPrompt(task, {
        key,
        wanted: perRequest,
        shots: chooseShots(seeds, { key, count: shots, tokens: shotTokens, prefer: hasLabel(label) }),
        text:
          `${labelWish(task, label)}Write each input as this person would: ${persona}. Do not mention who ` +
          "they are. Make them different from the examples and from each other.",
        ...labelCell(label),
      })
    }
  },
  parse: parseExamples,
}
export default strategy
