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
}: {
  readonly testRows: number
  readonly rule: TaskSpecification["verdict"]
}): string | undefined {
  const needed = rowsNeeded(rule)
  if (testRows >= needed) return undefined
  const gain = detectableGain(testRows, rule)
  return [
    `${count(testRows, "test example")} ${testRows === 1 ? "is" : "are"} too few to tell`,
    `whether a tuned model is ${points(rule.expectedGain)} better:`,
    `to see such a gain ${timesInHundred(rule.power)} the rule needs ${wholeNumber(needed)};`,
    `with ${wholeNumber(testRows)} it is seen ${timesInHundred(powerAt(testRows, rule))}.`,
    gain === undefined
      ? `No gain that is possible when the contenders differ on ${percent(rule.discordance)} of the ` +
        "examples would show."
      : `Only a gain of ${points(gain)} or more would show.`,
    `Add ${count(needed - testRows, "gold example")} to the test set, or expect the verdict "undecided".`,
  ].join(" ")
}
