/** Of a gap between two decisions: a shorter one is a sheet imported at once, a longer one a pause. */
const [shortest, longest] = [1, 600]
/** With fewer gaps the assumption of the specification holds. */
const enough = 10

/**
 * The median of the seconds between one reviewer's decisions in a row; undefined with fewer than 10 such gaps of 1 to
 * 600 seconds, as when they came in a spreadsheet, whose rows have one time. Only decisions on items are given, not
 * what follows from them.
 */
export function medianSeconds(
  decisions: readonly { readonly reviewer: string; readonly at: string }[],
): number | undefined {
  const gaps = [...Map.groupBy(decisions, ({ reviewer }) => reviewer).values()].flatMap((own) => {
    const times = own.map(({ at }) => Date.parse(at) / 1000).sort((a, b) => a - b)
    return times.slice(1).map((time, index) => time - (times[index] as number))
  })
  const real = gaps.filter((gap) => gap >= shortest && gap <= longest).sort((a, b) => a - b)
  if (real.length < enough) return undefined
  const middle = Math.floor(real.length / 2)
  return real.length % 2 === 1 ? real[middle] : ((real[middle - 1] as number) + (real[middle] as number)) / 2
}
