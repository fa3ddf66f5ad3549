import { z } from "zod"
import { finding, severityOption, type Filter } from "../core/contracts/filter.ts"

const options = z.strictObject({
  severity: severityOption("drop"),
  repeats: z.int().min(3).default(5).describe("A stretch of text this many times in a row is a loop"),
})

// A shorter run may be meant: ha ha ha, no no no no.
const shortestRun = 40
const longestUnit = 120
const fewestLines = 6

/**
 * Texts in which a model ran in a circle: the same words again and again, or mostly the same lines. The share of
 * repeated lines is that of Gopher (Rae et al. 2021, table A1) made milder: half of at least six, because short texts
 * repeat a line by right.
 */
const filter: Filter<z.output<typeof options>> = {
  summary: "loops: the same words or lines again and again",
  codes: {
    loop: "a stretch of text repeated in a row",
    "repeated-lines": "more than half of six lines or more are repeats",
  },
  options,
  find(text, _where, { repeats }) {
    const loop = loopIn(text, repeats)
    if (loop !== undefined) return [finding("loop", loop)]
    if (!hasLines(text, fewestLines)) return []
    const lines = text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => /\p{L}/u.test(line))
    const distinct = new Set(lines).size
    return lines.length >= fewestLines && distinct < lines.length / 2
      ? [{ code: "repeated-lines", detail: `${distinct} different lines of ${lines.length}` }]
      : []
  },
}
export default filter

function hasLines(text: string, count: number): boolean {
  let end = -1
  for (let lines = 1; lines < count; lines += 1) {
    end = text.indexOf("\n", end + 1)
    if (end < 0) return false
  }
  return true
}

/**
 * The first stretch that is repeated, with a letter in it. A run of period p is a run of characters that equal the one
 * p before them. So many of them in a row cover one of the places that lie so far apart: only there a run is looked
 * for, so that a text takes one pass in all and not one a period.
 */
function loopIn(text: string, repeats: number): string | undefined {
  const most = Math.min(longestUnit, Math.floor(text.length / repeats))
  for (let period = 1; period <= most; period += 1) {
    const isEqual = (index: number) => text.charCodeAt(index) === text.charCodeAt(index - period)
    const needed = Math.max(shortestRun, period * repeats) - period
    let lowest = period
    for (let place = period + needed - 1; place < text.length; place += needed) {
      if (!isEqual(place)) continue
      let first = place
      while (first > lowest && isEqual(first - 1)) first -= 1
      const end = first + needed
      let next = place + 1
      while (next < end && next < text.length && isEqual(next)) next += 1
      if (next < end) continue
      const unit = text.slice(end - period, end)
      if (/\p{L}/u.test(unit)) return unit
      // A ruler or a row of zeros: what follows may still be a loop of words.
      lowest = end
    }
  }
  return undefined
}
