import type { Span } from "./spans.ts"

/**
 * Where international bank account numbers stand: known country, its length, valid check digits (ISO 13616, mod 97).
 * Groups may be divided by single spaces or hyphens. One in lower case is half digits at least: else it may be a hash.
 */
export function findIban(text: string): Span[] {
  return [...text.matchAll(/(?<![A-Za-z0-9-])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}/g)].flatMap((match) => {
    const length = lengths.get(match[0].slice(0, 2).toUpperCase())
    const end = length === undefined ? undefined : endAfter(match[0], length)
    if (
      end === undefined ||
      /^[A-Za-z0-9]/.test(text.slice(match.index + end)) ||
      !isReal(match[0].slice(0, end).replace(/[ -]/g, ""))
    )
      return []
    return [{ start: match.index, end: match.index + end }]
  })
}

function isReal(iban: string): boolean {
  const isUpper = iban === iban.toUpperCase()
  if (!isUpper && (iban !== iban.toLowerCase() || 2 * iban.replace(/\D/g, "").length < iban.length)) return false
  return hasCheckDigits(iban)
}

/** The end of the first `length` characters that part no groups; undefined when there are fewer. */
function endAfter(found: string, length: number): number | undefined {
  let count = 0
  for (let index = 0; index < found.length; index += 1) {
    if (found[index] !== " " && found[index] !== "-") count += 1
    if (count === length) return index + 1
  }
  return undefined
}

function hasCheckDigits(iban: string): boolean {
  let remainder = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = parseInt(character, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder === 1
}

// The SWIFT IBAN registry, release 99 (2024).
const lengths: ReadonlyMap<string, number> = new Map(
  [
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 " +
      "EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22",
    "GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 " +
      "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20",
    "MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 " +
      "SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26",
    "UA29 VA22 VG24 XK20 YE30",
  ]
    .flatMap((line) => line.split(" "))
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)
