import { foldForComparison } from "./normalise.ts"

/** How many code points one block of the table holds. */
export const foldBlock = 256

// Entries that are no folded code point; assembly/units.ts knows the same.
const separator = 1
const removed = 2
const byContext = 3
const firstPoint = 16
// Of a folded code point that is a sign, and stands by itself.
const signBit = 0x80000000

/**
 * What `foldForComparison` makes of each code point of a block, where that does not depend on its neighbours: a code
 * point plus 16, with a bit for a sign, a separator or nothing; elsewhere the text has to be folded as a whole.
 */
export function foldEntries(block: number): Uint32Array {
  let entries = known.get(block)
  if (entries === undefined) {
    entries = Uint32Array.from({ length: foldBlock }, (_, index) => entryOf(block * foldBlock + index))
    known.set(block, entries)
  }
  return entries
}

// At most half a mebibyte.
const known = new Map<number, Uint32Array>()

/**
 * What of ASCII is no part of a word, separators and signs, by the two halves of their codes: 16 sets of high halves by
 * the low half, then a bit for each high half.
 */
export function asciiSeparators(): Uint8Array {
  const entries = foldEntries(0)
  const table = new Uint8Array(32)
  for (let code = 0; code < 128; code += 1)
    if (entries[code] === separator || (entries[code] as number) >= signBit)
      table[code & 15] = (table[code & 15] as number) | (1 << (code >> 4))
  for (let half = 0; half < 8; half += 1) table[16 + half] = 1 << half
  return table
}

function entryOf(point: number): number {
  const character = String.fromCodePoint(point)
  if (!character.isWellFormed() || mayCompose.test(character)) return byContext
  const [inside, first, last] = [`a${character}a`, `${character}a`, `a${character}`].map(foldForComparison) as [
    string,
    string,
    string,
  ]
  if (inside === "a a" && first === "a" && last === "a") return separator
  if (inside === "aa" && first === "a" && last === "a") return removed
  const folded = first.slice(0, -1).trimEnd()
  const gap = first.at(-2) === " " ? " " : ""
  const isAlone =
    [...folded].length === 1 &&
    !mayCompose.test(folded) &&
    inside === `a${gap}${folded}${gap}a` &&
    first === `${folded}${gap}a` &&
    last === `a${gap}${folded}`
  return isAlone ? (folded.codePointAt(0) as number) + firstPoint + (gap === "" ? 0 : signBit) : byContext
}

// What may melt together with the character before it in a normal form: marks but variation selectors, and the later
// parts of Hangul syllables.
const mayCompose = /[[\p{M}--[\uFE00-\uFE0F]][\u1100-\u11FF\uA960-\uA97F\uD7B0-\uD7FF]]/v
