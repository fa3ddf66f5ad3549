/**
 * Whether the name is what the pattern says, in which each * stands for any text; case does not matter. The time that
 * it takes does not explode with the number of stars, as that of a regular expression would.
 */
export function fitsWildcard(pattern: string, name: string): boolean {
  const [first = "", ...others] = pattern.toLowerCase().split("*")
  const text = name.toLowerCase()
  const last = others.pop()
  if (last === undefined) return text === first
  let at = first.length
  const end = text.length - last.length
  if (!text.startsWith(first) || !text.endsWith(last) || at > end) return false
  // The first place of each part is the best one: it leaves the most for those that follow.
  for (const part of others) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
