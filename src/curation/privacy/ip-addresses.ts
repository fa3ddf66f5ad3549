import { spansOf, type Span } from "./spans.ts"

/**
 * Where IPv4 and IPv6 addresses stand that may name a machine. Not: version and section numbers (after such a word or
 * sign, or with single digits only), loopback and empty addresses, times, hardware addresses, C++ names.
 */
export function findIpAddresses(text: string): Span[] {
  return [
    ...spansOf(
      text,
      /(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?![\w-]|\.\d)/g,
      (found, start) => {
        const octets = found.split(".").map(Number)
        return (
          octets.some((octet) => octet > 9) &&
          ![0, 127, 255].includes(octets[0] ?? 0) &&
          !isNumberOfSomething(text.slice(Math.max(0, start - 20), start))
        )
      },
    ),
    ...(hasTwoColons(text)
      ? spansOf(text, /(?<![\w:.])(?:[0-9A-Fa-f]{1,4}|:)(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])/g, isIpv6)
      : []),
  ]
}

/** False only where there is no IPv6 address. */
export function hasTwoColons(text: string): boolean {
  return /:[0-9A-Fa-f]{0,4}:/.test(text)
}

function isNumberOfSomething(before: string): boolean {
  return /(?:\b(?:v|ver|version|release|build|firmware|section|chapter|clause|paragraph)\.?|§|#|(?<!\/)\/)\s*$/i.test(
    before,
  )
}

/**
 * Eight groups, or fewer with one `::` and at least three; with a digit, and with a group longer than those of a
 * hardware address.
 */
function isIpv6(found: string): boolean {
  const groups = found.split(":").filter((group) => group !== "")
  const gaps = found.split("::").length - 1
  if (found.includes(":::") || (gaps === 0 ? groups.length !== 8 : gaps > 1 || groups.length < 3 || groups.length > 7))
    return false
  if (gaps === 0 && (found.startsWith(":") || found.endsWith(":"))) return false
  return groups.some((group) => group.length > 2) && /\d/.test(found)
}
