import { z } from "zod"
import { chooseShots, inOrderOf } from "../core/growing/shots.ts"
import { type Cell, cellName, type ModelStrategy, type StrategyMaterial } from "../core/contracts/strategy.ts"
import { labelsOf, type TaskSpecification } from "../core/task/task.ts"
import { itemSemantics, itemsLearnt, parseExamples } from "./_items.ts"
import {
  countOption,
  examplesPrompt,
  hasLabel,
  labelWish,
  perRequestOption,
  remaining,
  shotsOption,
  shotTokensOption,
} from "./_prompt.ts"

const mostCells = 10_000

const options = z.strictObject({
  count: countOption(100),
  perRequest: perRequestOption(3),
  shots: shotsOption(4),
  shotTokens: shotTokensOption,
  attributes: z.array(z.string()).optional().describe("Which of expand.attributes span the grid; default: all"),
})
type Options = z.output<typeof options>

/**
 * Covers every combination of a label and a value of each attribute, the emptiest first, in the manner of AttrPrompt
 * (Yu et al., 2023, arXiv 2306.15895). Each round looks at what the rounds before filled.
 */
const strategy: ModelStrategy<Options> = {
  summary:
    "New examples for every combination of the attributes that the specification declares, the emptiest cells first",
  asksModel: true,
  semantics: itemSemantics,
  learnt: itemsLearnt,
  uses: ["seeds", "attributes"],
  options,
  *plan(material, given) {
    const { task, seeds } = material
    const numbers = remaining(material, given.perRequest)
    const cells = emptiestFirst(gridCells(task, given), material.covered, numbers.length, given.perRequest)
    for (const [index, cell] of cells.entries()) {
      const { label, ...attributes } = cell
      const key = `grid ${numbers[index]} ${cellName(cell)}`
      const wishes = Object.entries(attributes).map(([name, value]) => `- ${name}: ${value}`)
      yield examplesPrompt(task, {
        key,
        wanted: given.perRequest,
        shots: chooseShots(seeds, { key, count: given.shots, tokens: given.shotTokens, prefer: hasLabel(label) }),
        text:
          `${labelWish(task, label)}Each input has all of these attributes:\n${wishes.join("\n")}\nMake ` +
          "them different from the examples and from each other.",
        cell,
      })
    }
  },
  parse: parseExamples,
  cells: ({ task }, given) => gridCells(task, given),
  check(task, given) {
    const declared = task.expand.attributes
    const names = given.attributes ?? Object.keys(declared)
    const allowed = Object.keys(declared).join(", ") || "none, expand.attributes is empty"
    const unknown = names.filter((name) => !Object.hasOwn(declared, name))
    if (unknown.length > 0)
      return unknown.map((name) => ({ path: ["attributes"], message: `got "${name}"; allowed: ${allowed}` }))
    if (names.length === 0)
      return [
        {
          path: [],
          message:
            `a grid needs expand.attributes; \`tuneloop expand ${task.task} --propose-attributes\` asks the ` +
            "model for some",
        },
      ]
    const cells = axesOf(task, given).reduce((product, [, values]) => product * values.length, 1)
    if (cells <= mostCells) return []
    return [
      {
        path: ["attributes"],
        message: `the grid would have ${cells} cells; at most ${mostCells} allowed: name fewer attributes`,
      },
    ]
  },
}
export default strategy

/** Every cell, in an order in which neighbours differ, so that a short plan is spread over the grid. */
function gridCells(task: TaskSpecification, given: Options): Cell[] {
  const cells = axesOf(task, given).reduce<Cell[]>(
    (all, [name, values]) => all.flatMap((cell) => values.map((value) => ({ ...cell, [name]: value }))),
    [{}],
  )
  return inOrderOf(
    "grid",
    cells.map((cell) => ({ id: cellName(cell), cell })),
  ).map(({ cell }) => cell)
}

function axesOf(task: TaskSpecification, given: Options): [string, readonly string[]][] {
  const names = given.attributes ?? Object.keys(task.expand.attributes)
  const labels = labelsOf(task)
  return [
    ...(labels.length === 0 ? [] : [["label", labels] as [string, readonly string[]]]),
    ...names.map((name): [string, readonly string[]] => [name, task.expand.attributes[name] ?? []]),
  ]
}

/** The next cells to ask for, each time one that has the fewest candidates, counting those that are asked for. */
function emptiestFirst(
  cells: readonly Cell[],
  covered: StrategyMaterial["covered"],
  wanted: number,
  perRequest: number,
): Cell[] {
  const filled = cells.map((cell) => ({ cell, level: covered.get(cellName(cell)) ?? 0 }))
  const chosen: Cell[] = []
  while (chosen.length < wanted && filled.length > 0) {
    const lowest = filled.reduce((least, { level }) => Math.min(least, level), Infinity)
    for (const entry of filled) {
      if (entry.level > lowest || chosen.length >= wanted) continue
      chosen.push(entry.cell)
      entry.level += perRequest
    }
  }
  return chosen
}
