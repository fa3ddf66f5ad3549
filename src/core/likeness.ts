import { canonicalText } from "./canonical.ts"

/**
 * The distinct words of a text, in lower case; cheap and rough, for choosing what to show beside what, never for
 * deciding what is a duplicate.
 */
export function wordsOf(text: string): ReadonlySet<string> {
  return new Set(
    canonicalText(text)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [],
  )
}

/** The share of words that two texts have in common, of all that either has; 0 where both are empty. */
export function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0
  for (const word of a) if (b.has(word)) shared += 1
  const all = a.size + b.size - shared
  return all === 0 ? 0 : shared / all
}
