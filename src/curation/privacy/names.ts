import { spansOf, type Span } from "./spans.ts"

/**
 * Where one of the listed names stands as a word, written as in the list: names have no shape, and a list in small
 * letters would take every "will" and "may" for one. No names give none.
 */
export function findNames(text: string, names: readonly string[]): Span[] {
  if (names.length === 0) return []
  return spansOf(text, patternOf(names))
}

// A compiled pattern is a pure function of the list's object: the cache only saves time.
const patterns = new WeakMap<readonly string[], RegExp>()

function patternOf(names: readonly string[]): RegExp {
  let pattern = patterns.get(names)
  if (!pattern) {
    // Of names that begin alike the longest counts: Anna Maria before Anna.
    const words = names
      .toSorted((a, b) => b.length - a.length)
      .map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    pattern = new RegExp(`(?<![\\p{L}\\p{M}\\p{N}_])(?:${words.join("|")})(?![\\p{L}\\p{M}\\p{N}_])`, "gu")
    patterns.set(names, pattern)
  }
  return pattern
}
