import { estimatedTokens } from "./tokens.ts"

/**
 * How many tokens an answer may have where it shall be like these: three times the longest, by estimate, as a power of
 * two, and no less than `least`.
 */
export function answerRoom(texts: Iterable<string>, least: number): number {
  let longest = 0
  for (const text of texts) longest = Math.max(longest, estimatedTokens(text))
  return 2 ** Math.ceil(Math.log2(Math.max(least, 3 * longest)))
}
