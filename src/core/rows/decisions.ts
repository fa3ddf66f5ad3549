import type { Decision, DecisionLine } from "./example.ts"

/**
 * The decisions that stand: a line `withdraw` takes back the last decision of its reviewer on that revision of the
 * item, so that the one before it counts again. The lines are in the order of time; without anything to take back, a
 * withdrawal says nothing.
 */
export function standingDecisions(lines: readonly DecisionLine[]): Decision[] {
  if (lines.every(isDecision)) return [...lines]
  const given = new Map<string, number[]>()
  const withdrawn = new Set<number>()
  for (const [index, line] of lines.entries()) {
    const key = JSON.stringify([line.reviewer, line.item, line.revision])
    const before = given.get(key) ?? []
    if (isDecision(line)) given.set(key, [...before, index])
    else if (before.length > 0) withdrawn.add(before.pop() as number)
  }
  return lines.filter((line, index): line is Decision => isDecision(line) && !withdrawn.has(index))
}

/** The lines by time, then by content: an order that does not depend on files. */
export function inOrder(lines: readonly DecisionLine[]): DecisionLine[] {
  const texts = new Map<DecisionLine, string>()
  const textOf = (line: DecisionLine) => {
    const text = texts.get(line) ?? JSON.stringify(line)
    texts.set(line, text)
    return text
  }
  // Those of an imported sheet have one time: each of them is written as a text once.
  return lines.toSorted((a, b) => compare(a.at, b.at) || compare(textOf(a), textOf(b)))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function isDecision(line: DecisionLine): line is Decision {
  return line.verdict !== "withdraw"
}
