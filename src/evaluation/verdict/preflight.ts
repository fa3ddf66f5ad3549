import type { TaskSpecification } from "../../core/task/task.ts"
import { detectableGain, powerAt, rowsNeeded } from "../statistics/power.ts"
import { count, percent, points, timesInHundred, wholeNumber } from "./words.ts"

/**
 * Said before money is spent: why the test set cannot show the gain that the rule expects, what it can show, and what
 * to do; undefined when it is large enough.
 */
export function tooFewToTell({
  testRows,
  rule,
  designEffect = 1,
}: {
  readonly testRows: number
  readonly rule: TaskSpecification["verdict"]
  /** How many of the rows, which come in groups, say as much as one that stands alone. */
  readonly designEffect?: number | undefined
}): string | undefined {
  const needed = Math.ceil(rowsNeeded(rule) * designEffect)
  if (testRows >= needed) return undefined
  const alone = Math.floor(testRows / designEffect)
  const gain = detectableGain(alone, rule)
  return [
    `${count(testRows, "test example")} ${testRows === 1 ? "is" : "are"} too few to tell`,
    `whether a tuned model is ${points(rule.expectedGain)} better:`,
    `to see such a gain ${timesInHundred(rule.power)} the rule needs ${wholeNumber(needed)};`,
    `with ${wholeNumber(testRows)} it is seen ${timesInHundred(powerAt(alone, rule))}.`,
    ...(designEffect > 1
      ? [`(Rows of one group say less than others: these count as ${wholeNumber(alone)} that stand alone.)`]
      : []),
    gain === undefined
      ? `No gain that is possible when the contenders differ on ${percent(rule.discordance)} of the ` +
        "examples would show."
      : `Only a gain of ${points(gain)} or more would show.`,
    `Add ${count(needed - testRows, "gold example")} to the test set, or expect the verdict "undecided".`,
  ].join(" ")
}
