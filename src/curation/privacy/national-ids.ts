import { spansOf, type Span } from "./spans.ts"

/**
 * Where national identity numbers stand that have a checksum or a shape of their own: British, Belgian, Dutch, Polish,
 * Spanish, Italian, Turkish, French and Finnish ones. Numbers that are bare digits with one weak check digit count only
 * after their name (BSN, PESEL …), because one order number in ten or twenty would pass.
 */
export function findNationalIds(text: string): Span[] {
  return shapes.flatMap(({ pattern, isReal, name }) =>
    spansOf(
      text,
      pattern,
      (found, start) => isReal(found) && (name === undefined || name.test(text.slice(Math.max(0, start - 40), start))),
    ),
  )
}

const insurance = "(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]_\\d{2}_\\d{2}_\\d{2}_[A-D]"
const shapes: readonly {
  readonly pattern: RegExp
  readonly isReal: (found: string) => boolean
  readonly name?: RegExp
}[] = [
  // United Kingdom, National Insurance, without the prefixes that are never given out (HMRC NIM39110): in its groups,
  // or after its name, because it has no check digit and AB123456C may be an article
  { pattern: new RegExp(`(?<![\\w-])${insurance.replaceAll("_", " ")}(?![\\w-])`, "g"), isReal: () => true },
  {
    pattern: new RegExp(`(?<![\\w-])${insurance.replaceAll("_", "")}(?![\\w-])`, "g"),
    isReal: () => true,
    name: nameBefore("NI|NINO|NINo|national insurance"),
  },
  // Belgium, national register: 97 less the first nine digits mod 97, with a 2 before them for births since 2000
  { pattern: /(?<![\w.-])\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?![\w-]|\.\d)/g, isReal: isBelgian },
  {
    pattern: /(?<![\w.,-])\d{11}(?![\w-]|[.,]\d)/g,
    isReal: isBelgian,
    name: nameBefore("rijksregisternummer|numéro national|registre national|NISS|INSZ"),
  },
  // Netherlands, burgerservicenummer: the eleven test with −1 for the last digit
  {
    pattern: /(?<![\w.,-])\d{9}(?![\w-]|[.,]\d)/g,
    isReal: isDutch,
    name: nameBefore("BSN|burgerservicenummer|sofinummer"),
  },
  // Poland, PESEL: a date of birth and a check digit
  { pattern: /(?<![\w.,-])\d{11}(?![\w-]|[.,]\d)/g, isReal: isPolish, name: nameBefore("PESEL") },
  // India, Aadhaar: in its groups or bare, after its name
  {
    pattern: /(?<![\w.,-])[2-9]\d{3}([ -]?)\d{4}\1\d{4}(?![\w-]|[.,]\d)/g,
    isReal: () => true,
    name: nameBefore("a?adhaa?r"),
  },
  // Türkiye, T.C. kimlik no: two check digits
  {
    pattern: /(?<![\w.,-])[1-9]\d{10}(?![\w-]|[.,]\d)/g,
    isReal: isTurkish,
    name: nameBefore("T\\.?C\\.?(?: ?kimlik)?(?: ?(?:no|numara\\p{L}*))?|kimlik(?: ?(?:no|numara\\p{L}*))?|TCKN"),
  },
  // Spain, DNI and NIE: the letter is the number mod 23
  { pattern: /(?<![\w.,-])(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z](?![\w-])/g, isReal: isSpanish },
  // Italy, codice fiscale: a check character over the other fifteen
  { pattern: /(?<!\w)[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)/g, isReal: isItalian },
  // France, NIR: sex, year and month of birth, department, and a key mod 97
  {
    pattern: /(?<![\w.,-])[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![\w-]|[.,]\d)/g,
    isReal: isFrench,
  },
  // Finland, henkilötunnus: a date, a sign for the century and a check character mod 31
  {
    pattern: /(?<![\w-])(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?![\w-])/g,
    isReal: isFinnish,
  },
]

function nameBefore(words: string): RegExp {
  return new RegExp(
    `(?<!\\p{L})(?:${words})(?: ?(?:is|is:|nr\\.?|number|nummer|numer|no\\.?|to|:|-|=|#)){0,2}[ :]*$`,
    "iu",
  )
}

function isBelgian(found: string): boolean {
  const digits = found.replace(/\D/g, "")
  if (!isMonthDay(digits.slice(2, 6))) return false
  const [number, check] = [Number(digits.slice(0, 9)), Number(digits.slice(9))]
  return 97 - (number % 97) === check || 97 - ((2_000_000_000 + number) % 97) === check
}

function isDutch(found: string): boolean {
  return weighted(found, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && !/^(\d)\1+$/.test(found)
}

function isPolish(found: string): boolean {
  // The century is in the month: 01 to 12 for the 1900s, 21 to 32 for the 2000s, 81 to 92 for the 1800s.
  const month = Number(found.slice(2, 4)) % 20
  return (
    isMonthDay(`${String(month).padStart(2, "0")}${found.slice(4, 6)}`) &&
    weighted(found, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
  )
}

function isTurkish(found: string): boolean {
  const digits = [...found].map(Number)
  const sum = (places: readonly number[]) => places.reduce((total, place) => total + (digits[place] as number), 0)
  const tenth = (sum([0, 2, 4, 6, 8]) * 7 - sum([1, 3, 5, 7])) % 10
  return (tenth + 10) % 10 === digits[9] && sum([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) % 10 === digits[10]
}

function isSpanish(found: string): boolean {
  const number = Number(found.replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter))).replace(/-?[A-Z]$/, ""))
  return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] === found.at(-1)
}

// Values of characters at odd places (the first is odd); at even ones digits and letters count by their place in the
// alphabet.
const italianOdd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

function isItalian(found: string): boolean {
  const place = (character: string) => (/\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65)
  const sum = [...found.slice(0, 15)].reduce(
    (total, character, index) =>
      total + (index % 2 === 0 ? (italianOdd[place(character)] as number) : place(character)),
    0,
  )
  return String.fromCharCode(65 + (sum % 26)) === found[15]
}

function isFrench(found: string): boolean {
  // Corsica's departments count as 19 and 18.
  const digits = found.replaceAll(" ", "").replace("2A", "19").replace("2B", "18")
  return digits.length === 15 && Number(97n - (BigInt(digits.slice(0, 13)) % 97n)) === Number(digits.slice(13))
}

function isFinnish(found: string): boolean {
  return "0123456789ABCDEFHJKLMNPRSTUVWXY"[Number(found.slice(0, 6) + found.slice(7, 10)) % 31] === found[10]
}

function isMonthDay(found: string): boolean {
  const [month, day] = [Number(found.slice(0, 2)), Number(found.slice(2, 4))]
  return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, place) => sum + weight * Number(digits[place]), 0)
}
