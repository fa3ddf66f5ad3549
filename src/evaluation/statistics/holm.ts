/**
 * The p-values adjusted for being several (Holm 1979), in the order given: each is at least the raw one and at most 1,
 * and comparing them with a level keeps the chance of any false alarm below it. Empty input gives an empty list.
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const ascending = pValues.map((value, position) => ({ value, position })).sort((a, b) => a.value - b.value)
  const adjusted = pValues.map(() => 1)
  let running = 0
  ascending.forEach(({ value, position }, rank) => {
    running = Math.max(running, Math.min(1, value * (pValues.length - rank)))
    adjusted[position] = running
  })
  return adjusted
}
