import { RE2JS } from "re2js"

/** A pattern that is run in a time that grows with the text alone, whatever the pattern is. */
export interface LinearPattern {
  test(text: string): boolean
  /** What tells it from others. */
  toString(): string
}

/**
 * The pattern of a JSON Schema (ECMA-262, with its flag u), by an engine that cannot hang: `^(a+)+$` would keep that of
 * JavaScript for ever. Throws an Error that says what the engine does not have: lookahead, lookbehind, references to
 * groups.
 */
export function linearPattern(source: string): LinearPattern {
  // A pattern that is none is none here either.
  new RegExp(source, "u")
  const compiled = RE2JS.compile(RE2JS.translateRegExp(withTheirClasses(source)))
  return { test: (text) => compiled.test(text), toString: () => source }
}

/** What is wrong with a pattern that people wrote; undefined where nothing is. */
export function patternProblem(source: string): string | undefined {
  try {
    linearPattern(source)
    return undefined
  } catch (error) {
    if (/\(\?<?[=!]/.test(source)) return "has a lookahead or lookbehind, which take an engine that can hang"
    if (/\\[1-9]|\\k</.test(source)) return "refers to a group, which takes an engine that can hang"
    if (/\{\d*,?\d{4,}\}/.test(source)) return "repeats something more than 1000 times; minLength and maxLength can"
    const { message } = error as Error
    return message.replace(/^error parsing regexp: |^Invalid regular expression: /, "")
  }
}

const spaces = "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
const noSpaces =
  "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}" +
  "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

/** The dot and the spaces of JavaScript, which are fewer or more than those of the engine. */
function withTheirClasses(source: string): string {
  let isInClass = false
  return source.replace(/\\.|[.[\]]/gsu, (part) => {
    if (part === "\\s") return isInClass ? spaces : `[${spaces}]`
    if (part === "\\S") return isInClass ? noSpaces : `[^${spaces}]`
    if (part === "." && !isInClass) return "[^\\n\\r\\x{2028}\\x{2029}]"
    if (part === "[") isInClass = true
    if (part === "]") isInClass = false
    return part
  })
}
