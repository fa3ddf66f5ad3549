/** A stretch of a text, from `start` up to but without `end`, in UTF-16 code units. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** The spans of the pattern's matches that pass the check, in order. The pattern has the flag g. */
export function spansOf(
  text: string,
  pattern: RegExp,
  isReal: (found: string, start: number) => boolean = () => true,
): Span[] {
  return [...text.matchAll(pattern)].flatMap((match) =>
    isReal(match[0], match.index) ? [{ start: match.index, end: match.index + match[0].length }] : [],
  )
}

/** A pattern that is too long for a line, of its parts. */
export function patternOf(flags: string, ...parts: readonly string[]): RegExp {
  return new RegExp(parts.join(""), flags)
}
