import { z } from "zod"
import type { Seed } from "../core/rows/example.ts"
import { likeness, wordsOf } from "../core/likeness.ts"
import { inputText } from "../core/task/output.ts"
import { chooseShots, inOrderOf } from "../core/growing/shots.ts"
import type { ModelStrategy, PlannedPrompt, StrategyMaterial } from "../core/contracts/strategy.ts"
import { labelsOf, type TaskSpecification } from "../core/task/task.ts"
import { itemSemantics, itemsLearnt, parseExamples } from "./_items.ts"
import {
  countOption,
  examplesPrompt,
  hasLabel,
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
  rivals: z
    .int()
    .min(1)
    .max(10)
    .default(3)
    .describe(
      "With how many labels each label is contrasted: those whose seeds have most words in common with its own",
    ),
})
type Options = z.output<typeof options>

/**
 * Boundary cases: for tasks with labels, inputs that look like another label than the right one; for others, inputs
 * that are easily answered wrongly.
 */
const strategy: ModelStrategy<Options> = {
  summary: "Boundary cases: inputs that look like another label than the right one, or are easily answered wrongly",
  asksModel: true,
  semantics: itemSemantics,
  learnt: itemsLearnt,
  uses: ["seeds"],
  options,
  *plan(material, given) {
    if (labelsOf(material.task).length === 0) yield* boundaries(material, given)
    else yield* contrasts(material, given)
  },
  parse: parseExamples,
}
export default strategy

/** Each label against each of its rivals in turn. */
function* contrasts(material: StrategyMaterial, given: Options): Generator<PlannedPrompt> {
  const { task, seeds } = material
  const labels = labelsOf(task)
  const rivals = rivalsOf(task, seeds, given.rivals)
  for (const turn of remaining(material, given.perRequest)) {
    const label = labels[turn % labels.length] ?? ""
    const among = rivals.get(label) ?? []
    const lap = Math.floor(turn / labels.length)
    const rival = among[lap % among.length] ?? ""
    const key = `hard-negatives ${label} ${rival} ${Math.floor(lap / among.length)}`
    const isOf = { label: hasLabel(label), rival: hasLabel(rival) }
    const either = seeds.filter((seed) => isOf.label?.(seed) === true || isOf.rival?.(seed) === true)
    const [right, seeming] = [JSON.stringify(label), JSON.stringify(rival)]
    const wish =
      task.kind === "multilabel"
        ? `All with ${right} among the labels and ${seeming} not among them, though each looks at first as ` +
          `if ${seeming} were right.`
        : `All with the output ${right}. Each looks at first as if ${seeming} were right, in its words or ` +
          `its subject; by the guideline it is ${right} beyond doubt.`
    yield examplesPrompt(task, {
      key,
      wanted: given.perRequest,
      shots: chooseShots(either, { key, count: given.shots, tokens: given.shotTokens, prefer: isOf.label }),
      text: `${wish} Make them different from the examples and from each other.`,
      cell: { label, against: rival },
    })
  }
}

const edges = {
  obvious: "Each is easily answered wrongly: the answer that comes to mind first breaks the guideline.",
  missing:
    "In each, something that one would expect is missing, or said twice and differently; the output deals " +
    "with it as the guideline says.",
  distraction: "Each says a good deal that does not matter for the output, and one thing that does.",
  edge: "Each is at the edge of what the task is about, and still has one right output.",
} as const
const toolEdge =
  "In each, a tool seems to be called for but is not, or another one than the obvious, or its arguments " +
  "have to be worked out from several turns."

function* boundaries(material: StrategyMaterial, given: Options): Generator<PlannedPrompt> {
  const { task, seeds } = material
  const all = Object.entries({
    ...edges,
    ...(task.kind === "chat" && task.output.tools.length > 0 ? { tools: toolEdge } : {}),
  })
  for (const turn of remaining(material, given.perRequest)) {
    const [boundary, wish] = all[turn % all.length] ?? ["obvious", edges.obvious]
    const key = `hard-negatives ${boundary} ${Math.floor(turn / all.length)}`
    yield examplesPrompt(task, {
      key,
      wanted: given.perRequest,
      shots: chooseShots(seeds, { key, count: given.shots, tokens: given.shotTokens }),
      text: `${wish} Make them different from the examples and from each other.`,
      cell: { boundary },
    })
  }
}

/** So many seeds of a label tell what words it has. */
const measured = 50

/** For each label the others, most alike first; labels without seeds follow in the order of the specification. */
function rivalsOf(task: TaskSpecification, seeds: readonly Seed[], most: number): Map<string, string[]> {
  const labels = labelsOf(task)
  const words = new Map(
    labels.map((label) => {
      const own = inOrderOf("rivals", seeds.filter(hasLabel(label) ?? (() => false))).slice(0, measured)
      return [label, wordsOf(own.map(({ input }) => inputText(task, input)).join("\n"))]
    }),
  )
  const none: ReadonlySet<string> = new Set()
  return new Map(
    labels.map((label) => {
      const others = labels.filter((other) => other !== label)
      const scored = others.map((other) => ({
        other,
        score: likeness(words.get(label) ?? none, words.get(other) ?? none),
      }))
      return [
        label,
        scored
          .sort((a, b) => b.score - a.score)
          .slice(0, most)
          .map(({ other }) => other),
      ]
    }),
  )
}
