import { z } from "zod"
import { labellingPrompt, readLabel } from "../core/growing/labelling.ts"
import type { ModelStrategy } from "../core/contracts/strategy.ts"
import { labelsOf } from "../core/task/task.ts"
import { shotsOption, shotTokensOption } from "./_prompt.ts"

const options = z.strictObject({
  count: z.int().positive().max(10_000_000).default(200).describe("How many real inputs to label"),
  shots: shotsOption(8),
  shotTokens: shotTokensOption,
})
type Options = z.output<typeof options>

/**
 * Gives real inputs of train that nobody answered a proposed output, one request each. A second pass over all that
 * could be read, with other seeds in another order, gives each its confidence: how far the two agree.
 */
const strategy: ModelStrategy<Options> = {
  summary: "Proposed outputs for real inputs, in two passes whose agreement is the confidence",
  asksModel: true,
  semantics: 1,
  learnt: 1,
  secondPass: true,
  uses: ["seeds", "inputs"],
  options,
  *plan({ task, seeds, inputs, count, asked }, { shots, shotTokens }) {
    // Ids are digests: their order is as good as chance.
    for (const input of inputs.slice(asked, count)) {
      const prompt = labellingPrompt(task, input, seeds, { pass: 1, shots, shotTokens })
      // The family of a labelled input is the input's own: the seeds beside it only show the form.
      yield { ...prompt, parents: [input.id] }
    }
  },
  parse(text, prompt, { task }) {
    const output = readLabel(task, text)
    const [id] = prompt.parents
    if (output === undefined || id === undefined)
      return { drafts: [], problems: ["the answer is no output of the task"] }
    const label =
      labelsOf(task).length === 0 ? undefined : String(Array.isArray(output) ? (output[0] ?? "none") : output)
    const cell = label === undefined ? {} : { cell: { label } }
    return {
      drafts: [{ input: prompt.given?.input ?? {}, output, parents: prompt.parents, answers: id, ...cell }],
      problems: [],
    }
  },
  cells: ({ task }) => labelsOf(task).map((label) => ({ label })),
}
export default strategy
