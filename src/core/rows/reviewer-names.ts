/**
 * Of the names that are known the one that is the same but for case, spaces or the way its letters are encoded;
 * undefined where there is none, or where the name itself is known. "Jo" and "jo" are one person more often than two.
 */
export function alikeName(name: string, known: Iterable<string>): string | undefined {
  const names = new Set(known)
  if (names.has(name)) return undefined
  const folded = foldName(name)
  return [...names].find((other) => foldName(other) === folded)
}

function foldName(name: string): string {
  return name.normalize("NFKC").replace(/\s+/g, " ").trim().toLowerCase()
}
