import type { Input, Output } from "../../core/rows/example.ts"
import { findPersonalData, type PersonalDataKind } from "./personal-data.ts"

/** A pair with pseudonyms, and how many different things of each kind were replaced in it. */
export interface Pseudonymised {
  readonly input: Input
  readonly output: Output
  readonly replaced: Readonly<Partial<Record<PersonalDataKind, number>>>
}

/**
 * The pair with everything found replaced by a pseudonym such as [EMAIL_1]: the same thing by the same one throughout
 * the pair, input before output, different things by different ones. Nothing is found in the result, and doing it again
 * changes nothing.
 *
 * Only strings change; keys, numbers and the structure stay. `isFixedOutput` leaves the output as it is, where it is
 * one of the task's labels. Numbers go on after those that a text already has, so that a pseudonym stands for one
 * thing.
 */
export function pseudonymise(
  pair: { readonly input: Input; readonly output: Output },
  { names = [], isFixedOutput = false }: { readonly names?: readonly string[]; readonly isFixedOutput?: boolean } = {},
): Pseudonymised {
  const given = new Map<string, string>()
  let next: Map<string, number> | undefined
  const replaced: Partial<Record<PersonalDataKind, number>> = {}
  const pseudonymOf = (kind: PersonalDataKind, found: string): string => {
    const key = `${kind} ${sameThing(kind, found)}`
    let pseudonym = given.get(key)
    if (pseudonym === undefined) {
      const word = words[kind]
      next ??= usedNumbers(pair)
      const number = (next.get(word) ?? 0) + 1
      next.set(word, number)
      pseudonym = `[${word}_${number}]`
      given.set(key, pseudonym)
      replaced[kind] = (replaced[kind] ?? 0) + 1
    }
    return pseudonym
  }
  const replace = (text: string): string => {
    const findings = findPersonalData(text, names)
    if (findings.length === 0) return text
    let result = ""
    let end = 0
    for (const finding of findings) {
      result += text.slice(end, finding.start) + pseudonymOf(finding.kind, text.slice(finding.start, finding.end))
      end = finding.end
    }
    // What overlapped with something replaced may now stand alone.
    return replace(result + text.slice(end))
  }
  const input = mapStrings(pair.input, replace) as Input
  const output = isFixedOutput ? pair.output : mapStrings(pair.output, replace)
  return { input, output, replaced }
}

/** Whether a pseudonym stands somewhere in the value: then it may read like what somebody else wrote. */
export function holdsPseudonym(value: unknown): boolean {
  if (typeof value === "string") return anyPseudonym.test(value)
  return typeof value === "object" && value !== null && Object.values(value).some(holdsPseudonym)
}

const words: Readonly<Record<PersonalDataKind, string>> = {
  secret: "SECRET",
  email: "EMAIL",
  iban: "IBAN",
  card: "CARD",
  ssn: "SSN",
  "national-id": "NATIONAL_ID",
  "ip-address": "IP",
  phone: "PHONE",
  name: "NAME",
}

const anyPseudonym = new RegExp(`\\[(?:${Object.values(words).join("|")})_\\d{1,6}\\]`)

/** Equal for two ways to write the same thing. */
function sameThing(kind: PersonalDataKind, found: string): string {
  switch (kind) {
    case "email":
      return found.toLowerCase()
    case "card":
    case "ssn":
    case "phone":
      return found.replace(/\D/g, "")
    case "iban":
    case "national-id":
      return found.replace(/[\s.-]/g, "").toUpperCase()
    default:
      return found
  }
}

/** The highest number of each pseudonym that the pair has already. */
function usedNumbers(value: unknown): Map<string, number> {
  const used = new Map<string, number>()
  mapStrings(value, (text) => {
    for (const [, word, number] of text.matchAll(/\[([A-Z_]+)_(\d{1,6})\]/g))
      used.set(word as string, Math.max(used.get(word as string) ?? 0, Number(number)))
    return text
  })
  return used
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value)
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change))
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]))
  return value
}
