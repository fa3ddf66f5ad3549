/** Of a gap between two decisions: a shorter one is a sheet imported at once, a longer one a pause. */
const [shortest, longest] = [1, 600]
/** With fewer gaps the assumption of the specification holds. */
const enough = 10

/**
 * The median of the seconds between one reviewer's decisions in a row, of the times of each reviewer in milliseconds;
 * undefined with fewer than 10 such gaps of 1 to 600 seconds, as when they came in a spreadsheet, whose rows have one
 * time. Only decisions on items are given, not what follows from them.
 */
export function medianGap(times: readonly (readonly number[])[]): number | undefined {
  const gaps: number[] = []
  for (const own of times) {
    const sorted = Float64Array.from(own).sort()
    for (let index = 1; index < sorted.length; index += 1) {
      const gap = ((sorted[index] as number) - (sorted[index - 1] as number)) / 1000
      if (gap >= shortest && gap <= longest) gaps.push(gap)
    }
  }
  const real = gaps.sort((a, b) => a - b)
  if (real.length < enough) return undefined
  const middle = Math.floor(real.length / 2)
  return real.length % 2 === 1 ? real[middle] : ((real[middle - 1] as number) + (real[middle] as number)) / 2
}
