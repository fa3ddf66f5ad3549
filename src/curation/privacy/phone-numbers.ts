import { patternOf, spansOf, type Span } from "./spans.ts"

/**
 * Where phone numbers stand, with their extensions: international with `+` or `00`, national with a leading 0 in
 * groups, in the groups of some countries, or after a word for a phone in any groups and none. Bare runs of digits are
 * not taken for phone numbers otherwise, nor dates, prices or addresses of machines.
 */
export function findPhoneNumbers(text: string): Span[] {
  const found = [...international(text), ...northAmerican(text), ...national(text), ...grouped(text), ...named(text)]
  return found.map((span) => ({ start: span.start, end: span.end + extensionAt(text, span.end) }))
}

function international(text: string): Span[] {
  const withPlus =
    /(?<![\w+])(?:\(\+[1-9]\d{0,2}\)|\+[1-9])(?:[ .\-/]{0,3}(?:\(0\)|\(\d{1,4}\)|\d)){6,14}(?!\d|[.,]\d|\s?%)/g
  return [
    ...spansOf(text, withPlus, (found) => isBetween(found, 8, 15)),
    ...spansOf(text, withZeros, (found) => isBetween(found, 10, 17) && areGroupsOfAPhone(found)),
  ]
}

/** The North American Numbering Plan: area and exchange begin with 2–9. */
function northAmerican(text: string): Span[] {
  return spansOf(text, threeGroups)
}

function national(text: string): Span[] {
  return spansOf(
    text,
    /(?<![\w.,+\-/])(?<!\d[ \-/])\(?0[1-9]\d{0,4}\)?(?:(?:[ -]|[ ]?[/–] ?)\d{2,8}){1,4}(?![\w\-/]|[.,:]\d)/g,
    (found) => isBetween(found, 9, 12) && !/^\d{2}[ \-/]\d{2}[ \-/]\d{4}/.test(found) && areGroupsOfAPhone(found),
  )
}

/** Articles and readings are in groups of four throughout, or have an odd rest at the end. */
function areGroupsOfAPhone(found: string): boolean {
  const sizes = (found.match(/\d+/g) ?? []).map(({ length }) => length)
  const [last, before] = [sizes.at(-1) as number, sizes.at(-2) as number]
  return !(sizes.length > 2 && (sizes.every((size) => size === 4) || (last === 2 && before > 3)))
}

/** Groups by which a number is known without a leading zero. */
function grouped(text: string): Span[] {
  return [
    // France, with dots; a date has three pairs, a version rarely five.
    /(?<![\w.,+\-/])0[1-9](?:\.\d{2}){4}(?![\w\-/]|\.\d)/g,
    // Brazil; China's mobile numbers.
    /(?<![\w.,+\-/])\(?[1-9]\d\) ?9?\d{4}-\d{4}(?![\w\-/]|[.,:]\d)/g,
    /(?<![\w.,+\-/])1[3-9]\d([ -])\d{4}\1\d{4}(?![\w\-/]|[.,:]\d)/g,
  ].flatMap((pattern) => spansOf(text, pattern))
}

const words =
  "phone|telephone|tel|telefon|telefono|teléfono|téléphone|telefoon|mobile|mobil|móvil|celular|cell|handy|fax|" +
  "whatsapp|" +
  "call|ring|dial|text|sms|contact|reach|rufen|anrufen|ruf|appeler|appelez|llame|llamar|bel|chiama|rückruf|hotline|" +
  "rufnummer"
const between =
  "number|nummer|numéro|numero|no|nr|n°|is|was|ist|me|us|him|her|them|mich|uns|on|at|under|unter|via|back|now|to|" +
  "the|my|our|this|au|al|a|please|bitte|phone|mobile|mob|cell|tel|telephone|line|work|home|office|by|or|und|and|for"
const afterWord = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:(?:${words})s?|my number)(?:[\\s.:#=()–-]{1,4}(?:${between})(?![\\p{L}\\p{N}])){0,5}[\\s.:#=–-]{0,4}` +
    "(?<number>[(+]?\\d(?:[ .\\-/()]{0,2}\\d){6,14})(?![\\p{L}\\p{N}\\-/]|[.,:]\\d|\\s?[%€$£])",
  "giu",
)

/** Any number of 7 to 15 digits that a word for a phone leads to. */
function named(text: string): Span[] {
  return [...text.matchAll(afterWord)].flatMap((match) => {
    const found = match.groups?.["number"] ?? ""
    const end = match.index + match[0].length
    return isDate(found) || (digitsIn(found) === 7 && !/^\d{3}[ .-]\d{4}$/.test(found))
      ? []
      : [{ start: end - found.length, end }]
  })
}

/** A date, a time behind one, or a span of years. */
function isDate(found: string): boolean {
  return (
    /^\d{4}[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])(?!\d)/.test(found) ||
    /^(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|[12]\d|3[01])[-/. ](?:19|20)\d{2}(?!\d)/.test(found) ||
    /^(?:19|20)\d{2} ?[-/] ?(?:19|20)\d{2}$/.test(found)
  )
}

const extension = patternOf(
  "iu",
  String.raw`^[\s,;]{0,3}(?:(?:ext|extn|extension|durchwahl|dw|poste|anexo|interno|toestel)\.?[\s:]{0,2}|[x#]`,
  String.raw` ?)\d{1,6}(?![\p{L}\p{N}])`,
)

/** How long the extension is that follows there. */
function extensionAt(text: string, at: number): number {
  return extension.exec(text.slice(at, at + 32))?.[0].length ?? 0
}

function isBetween(found: string, least: number, most: number): boolean {
  const digits = digitsIn(found)
  return digits >= least && digits <= most
}

function digitsIn(found: string): number {
  return found.replace(/\D/g, "").length
}

// A bare run that begins with zeros is mostly an article or an order.
const withZeros = patternOf(
  "g",
  String.raw`(?<![\w.,+\-/])(?<!\d[ \-/])00(?:[17]|[2-9]\d{1,2})(?:[ .\-/]{1,3}(?:\(0\)[ .\-/]?)?\(?\d{1,8}\)`,
  String.raw`?){1,6}(?![\w\-/]|[.,:]\d|\s?%)`,
)

const threeGroups = patternOf(
  "g",
  String.raw`(?<![\w.+\-/])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}(?=([ .-])\d{3}\1)[ .-])[2-9]\d{2}[ .-]\d`,
  String.raw`{4}(?!(?!x\d)[\w-]|[.,]\d)`,
)
