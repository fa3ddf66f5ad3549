import { spansOf, type Span } from "./spans.ts"

/**
 * Where phone numbers stand: international with `+` and 8–15 digits, North American in three groups, or national with a
 * leading 0 in groups. Bare runs of digits are not taken for phone numbers, nor dates.
 */
export function findPhoneNumbers(text: string): Span[] {
  return [...international(text), ...northAmerican(text), ...national(text)]
}

function international(text: string): Span[] {
  return spansOf(text, /(?<![\w+])\+[1-9](?:[ .\-/]?(?:\(0\)|\(\d{1,4}\)|\d)){7,14}(?!\d|[.,]\d|\s?%)/g, (found) => {
    const digits = count(found)
    return digits >= 8 && digits <= 15
  })
}

/** The North American Numbering Plan: area and exchange begin with 2–9. */
function northAmerican(text: string): Span[] {
  return spansOf(
    text,
    /(?<![\w.+\-/])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}(?=([ .-])\d{3}\1)[ .-])[2-9]\d{2}[ .-]\d{4}(?![\w-]|[.,]\d)/g,
  )
}

function national(text: string): Span[] {
  return spansOf(
    text,
    /(?<![\w.,+\-/])(?<!\d[ \-/])\(?0[1-9]\d{0,4}\)?(?:[ \-/]\d{2,8}){1,4}(?![\w\-/]|[.,:]\d)/g,
    (found) => {
      const digits = count(found)
      return digits >= 9 && digits <= 12 && !/^\d{2}[ \-/]\d{2}[ \-/]\d{4}/.test(found)
    },
  )
}

function count(found: string): number {
  return found.replace(/\D/g, "").length
}
