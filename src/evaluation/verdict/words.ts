import type { Interval } from "../statistics/bootstrap.ts"

/** A share as a whole percentage: `81 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** A chosen share, such as a confidence, as it was chosen: `95 %`, `99.5 %`. */
export function exactPercent(share: number): string {
  return `${Number((share * 100).toFixed(4))} %`
}

/** A difference of shares in percentage points without its sign, to one decimal: `7.5 points`, `1 point`. */
export function points(difference: number): string {
  const rounded = Math.round(Math.abs(difference) * 1000) / 10
  return `${rounded} ${rounded === 1 ? "point" : "points"}`
}

/** A difference in words: `7.5 points better`, `3 points worse`, `no better and no worse`. */
export function betterOrWorse(difference: number): string {
  if (isZero(difference)) return "no better and no worse"
  return `${points(difference)} ${difference > 0 ? "better" : "worse"}`
}

/**
 * Where a difference lies, in words: `between 2 and 9 points better`, `anywhere between 4 points worse and 9 points
 * better`.
 */
export function range({ low, high }: Interval): string {
  const end = (difference: number) => (isZero(difference) ? "no difference" : betterOrWorse(difference))
  if (isZero(low) && isZero(high)) return "at no difference"
  if (isZero(low) || isZero(high) || low < 0 !== high < 0) return `anywhere between ${end(low)} and ${end(high)}`
  const [near, far] = low > 0 ? [low, high] : [high, low]
  const from = points(near).split(" ")[0]
  return points(near) === points(far) ? `at ${betterOrWorse(far)}` : `between ${from} and ${betterOrWorse(far)}`
}

/** A count and its noun, with thousands apart: `1 test example`, `1,800 test examples`. */
export function count(number: number, noun: string): string {
  return `${wholeNumber(number)} ${noun}${number === 1 ? "" : "s"}`
}

/** A whole number with thousands apart: `1,800`. */
export function wholeNumber(number: number): string {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ",")
}

/** A chance in words: `80 times in 100`. */
export function timesInHundred(chance: number): string {
  const times = Math.round(chance * 100)
  return chance < 0.005 ? "less than once in 100 times" : `${times === 1 ? "once" : `${times} times`} in 100`
}

/** A p-value as statisticians write it: `p = 0.039`, `p < 0.0001`. */
export function pValueText(pValue: number): string {
  return pValue < 0.0001 ? "p < 0.0001" : `p = ${pValue < 0.001 ? pValue.toFixed(4) : pValue.toFixed(3)}`
}

/** How often chance alone does what was seen: `about once in 26 such tests`. */
export function chance(pValue: number): string {
  if (pValue < 0.001) return "less than once in 1,000 such tests"
  return pValue > 0.4
    ? `in about ${Math.round(pValue * 10)} of 10 such tests`
    : `about once in ${Math.round(1 / pValue)} such tests`
}

/** A metric's value with three decimals; a dash for what could not be computed. */
export function figure(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : "–"
}

/** A time in milliseconds, in seconds from ten of them on, with the decimals that matter. */
export function milliseconds(time: number): string {
  if (time >= 10_000) return `${(time / 1000).toFixed(1)} s`
  return `${time.toFixed(time >= 10 ? 0 : time >= 1 ? 1 : 2)} ms`
}

/** A difference with its sign and three decimals. */
export function signed(difference: number): string {
  if (!Number.isFinite(difference)) return "–"
  const text = Math.abs(difference).toFixed(3)
  return text === "0.000" ? text : `${difference > 0 ? "+" : "−"}${text}`
}

function isZero(difference: number): boolean {
  return Math.abs(difference) < 0.0005
}
