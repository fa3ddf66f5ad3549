import { findIban } from "./iban.ts"
import { findIpAddresses, hasTwoColons } from "./ip-addresses.ts"
import { findNames } from "./names.ts"
import { findNationalIds } from "./national-ids.ts"
import { findPaymentCards } from "./payment-cards.ts"
import { findPhoneNumbers } from "./phone-numbers.ts"
import { findSecrets, mayHaveSecret } from "./secrets.ts"
import { patternOf, spansOf, type Span } from "./spans.ts"

/** Kinds of personal data and secrets that are looked for. */
export const personalDataKinds = [
  "secret",
  "email",
  "iban",
  "card",
  "ssn",
  "national-id",
  "ip-address",
  "phone",
  "name",
] as const
export type PersonalDataKind = (typeof personalDataKinds)[number]

/** What was found, from `start` up to but without `end`, in UTF-16 code units. */
export interface PersonalDataFinding extends Span {
  readonly kind: PersonalDataKind
}

/**
 * The personal data and secrets in the text that can be told by their shape, and the listed names, sorted by start, not
 * overlapping. Made to raise no false alarm on ordinary numbers, dates, prices and versions, at the price of misses;
 * addresses have no shape and are not found.
 */
export function findPersonalData(text: string, names: readonly string[] = []): PersonalDataFinding[] {
  const found: PersonalDataFinding[] = []
  const add = (kind: PersonalDataKind, spans: readonly Span[]) => {
    for (const { start, end } of spans)
      if (found.every((other) => end <= other.start || other.end <= start)) found.push({ kind, start, end })
  }
  const withNumber = hasNumber(text)
  for (const { kind, find, mayHave } of finders) if (mayHave(text, withNumber)) add(kind, find(text))
  add("name", findNames(text, names))
  return found.sort((a, b) => a.start - b.start)
}

interface Finder {
  readonly kind: PersonalDataKind
  readonly find: (text: string) => Span[]
  /** False only where nothing can be found, at a glance: most texts have nothing, and the patterns are slow. */
  readonly mayHave: (text: string, withNumber: boolean) => boolean
}

/**
 * Five digits with no more than three characters between two: no number that is looked for has fewer, or lies further
 * apart.
 */
const hasNumber = (text: string) => /\d(?:\D{0,3}\d){4}/.test(text)

// The order of the kinds decides which one an overlap is.
const finders: readonly Finder[] = [
  { kind: "secret", find: findSecrets, mayHave: mayHaveSecret },
  { kind: "email", find: findEmails, mayHave: (text) => /[@＠]|at ?[)\]}]/i.test(text) },
  { kind: "iban", find: findIban, mayHave: (text) => /[A-Za-z]{2}\d{2}/.test(text) },
  { kind: "card", find: findPaymentCards, mayHave: (_, withNumber) => withNumber },
  { kind: "ssn", find: findSocialSecurityNumbers, mayHave: (_, withNumber) => withNumber },
  { kind: "national-id", find: findNationalIds, mayHave: (_, withNumber) => withNumber },
  { kind: "ip-address", find: findIpAddresses, mayHave: (text, withNumber) => withNumber || hasTwoColons(text) },
  { kind: "phone", find: findPhoneNumbers, mayHave: (_, withNumber) => withNumber },
]

const fileEndings = new Set([
  "png",
  "jpg",
  "jpeg",
  "gif",
  "svg",
  "webp",
  "css",
  "js",
  "ts",
  "json",
  "html",
  "htm",
  "xml",
  "yaml",
  "yml",
  "md",
  "txt",
  "pdf",
  "zip",
])

function findEmails(text: string): Span[] {
  return [...plainEmails(text), ...spansOf(text, spelled)]
}

/** A path or a port behind the rest of a machine's name. */
const placeBehind = /^(?:\.[\p{L}\p{N}-]{1,63}){0,4}:(?:[/~\d]|[\w.-]{1,60}\/|[\w.-]{1,60}\.git(?!\w))/u

/** Not git@host:path, image@2x.png or package@1.2.3-rc. */
function plainEmails(text: string): Span[] {
  return spansOf(text, plain, (found, start) => {
    const domain = found.slice(found.search(/[@＠]/) + 1)
    const isPlace = placeBehind.test(text.slice(start + found.length, start + found.length + 300))
    return (
      !isPlace &&
      !/^\d+\.\d/.test(domain) &&
      !domain.startsWith("-") &&
      !fileEndings.has(domain.slice(domain.lastIndexOf(".") + 1).toLowerCase())
    )
  })
}

/**
 * United States social security numbers: areas 000, 666 and 9xx, group 00 and serial 0000 are never given out. With
 * spaces or bare after their name.
 */
function findSocialSecurityNumbers(text: string): Span[] {
  const isNamed = (_: string, start: number) =>
    /(?<!\p{L})(?:ssn|social security)(?: (?:number|num|no\.?|#))?(?:[ :=#-]|is|was){0,5}$/iu.test(
      text.slice(Math.max(0, start - 40), start),
    )
  return [
    ...spansOf(text, /(?<![\w.+-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-]|\.\d)/g),
    ...spansOf(text, /(?<![\w.+-])(?!000|666|9)\d{3} ?(?!00)\d{2} ?(?!0000)\d{4}(?![\w-]|\.\d)/g, isNamed),
  ]
}

const plain = patternOf(
  "gu",
  String.raw`(?:(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+][\p{L}\p{N}._%+'-]{0,63}|"[^"\n@]{1,64}")[@＠](?:[\p{L}\p{N}-`,
  String.raw`]{1,63}\.)+(?:xn--[a-z0-9-]{2,59}|\p{L}{2,63})(?![\p{L}\p{N}])`,
)

// As people write it whom robots shall not read.
const spelled = patternOf(
  "giu",
  String.raw`(?<![\p{L}\p{N}._-])[\p{L}\p{N}_-]{1,40}(?:(?:\.| ?[([{]dot[)\]}] ?)[\p{L}\p{N}_-]{1,40}){0,4} ?[([{`,
  String.raw`] ?at ?[)\]}] ?[\p{L}\p{N}-]{1,63}(?:(?:\.| ?[([{] ?dot ?[)\]}] ?)[\p{L}\p{N}-]{1,63}){1,4}`,
)
