import { z } from "zod"
import { finding, severityOption, type Filter } from "../core/filter.ts"

const options = z.strictObject({
  severity: severityOption("drop"),
  repeats: z.int().min(3).default(5).describe("A stretch of text this many times in a row is a loop"),
})

// A shorter run may be meant: ha ha ha, no no no no.
const shortestRun = 40
const longestUnit = 120

/** Texts in which a model ran in a circle: the same words again and again, or mostly the same lines. The share of repeated lines is that of Gopher
 * (Rae et al. 2021, table A1) made milder: half of at least six, because short texts repeat a line by right. */
const filter: Filter<z.output<typeof options>> = {
  summary: "loops: the same words or lines again and again",
  codes: { loop: "a stretch of text repeated in a row", "repeated-lines": "more than half of six lines or more are repeats" },
  options,
  find(text, _where, { repeats }) {
    const loop = loopIn(text, repeats)
    if (loop !== undefined) return [finding("loop", loop)]
    const lines = text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => /\p{L}/u.test(line))
    const distinct = new Set(lines).size
    return lines.length >= 6 && distinct < lines.length / 2
      ? [{ code: "repeated-lines", detail: `${distinct} different lines of ${lines.length}` }]
      : []
  },
}
export default filter

/** The first stretch that is repeated, with a letter in it. A run of period p is a run of characters that equal the one p before them: one pass a
 * period, instead of a pattern that goes back and forth. */
function loopIn(text: string, repeats: number): string | undefined {
  const most = Math.min(longestUnit, Math.floor(text.length / repeats))
  for (let period = 1; period <= most; period += 1) {
    const needed = Math.max(shortestRun, period * repeats) - period
    let equal = 0
    for (let index = period; index < text.length; index += 1) {
      equal = text.charCodeAt(index) === text.charCodeAt(index - period) ? equal + 1 : 0
      if (equal < needed) continue
      const unit = text.slice(index - period + 1, index + 1)
      if (/\p{L}/u.test(unit)) return unit
      // A ruler or a row of zeros: what follows may still be a loop of words.
      equal = 0
    }
  }
  return undefined
}
