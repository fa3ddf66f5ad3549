import { spansOf, type Span } from "./spans.ts"

/**
 * Where payment card numbers stand: 12–19 digits, plain or in groups of four to six, a network's prefix and length, and
 * a valid check digit (Luhn). Article, device and order numbers rarely pass all three; of those that pass the first
 * two, one in ten passes the check digit.
 */
export function findPaymentCards(text: string): Span[] {
  return spansOf(text, /(?<![\w.,+-])\d(?:[ -]?\d){11,18}(?![\w]|[.,-]\d)/g, (found) => {
    const digits = found.replace(/[ -]/g, "")
    return (
      isGrouped(found) &&
      networks.some(({ prefix, lengths }) => prefix.test(digits) && lengths.includes(digits.length)) &&
      hasCheckDigit(digits)
    )
  })
}

function isGrouped(found: string): boolean {
  return /^\d+$/.test(found) || /^\d{4}(?:([ -])\d{4}(?:\1\d{4})+(?:\1\d{1,4})?|([ -])\d{6}\2\d{4,5})$/.test(found)
}

// ISO/IEC 7812 ranges as the networks publish them.
const networks: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  // Of 13 digits, as Visa once gave them out, a number beside a text is more likely a time in milliseconds.
  { prefix: /^4/, lengths: [16, 19] },
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { prefix: /^3[47]/, lengths: [15] },
  { prefix: /^3(?:0[0-5]|[689])/, lengths: [14, 16] },
  { prefix: /^(?:6011|64[4-9]|65)/, lengths: [16, 19] },
  { prefix: /^35(?:2[89]|[3-8])/, lengths: [16] },
  // Maestro, Mir
  { prefix: /^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, lengths: [12, 13, 14, 15, 16, 17, 18, 19] },
  { prefix: /^220[0-4]/, lengths: [16] },
  { prefix: /^62/, lengths: [16, 17, 18, 19] },
]

function hasCheckDigit(digits: string): boolean {
  let sum = 0
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place])
    sum += place % 2 === 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit
  }
  return sum % 10 === 0
}
