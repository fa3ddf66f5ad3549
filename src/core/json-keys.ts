/**
 * A key that stands twice in an object of the JSON text, of which parsing keeps the last value alone; undefined where
 * none does. Expects the value that the text was parsed to.
 */
export function repeatedKey(text: string, value: unknown): string | undefined {
  // Counting is much faster than reading, and right but for quotes within texts.
  let found = 0
  for (const _ of text.matchAll(keyLike)) found += 1
  return found === keysIn(value) ? undefined : firstRepeated(text)
}

const keyLike = /"\s*:/g
const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/g

function keysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + keysIn(item), 0)
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + keysIn(item), 0)
}

function firstRepeated(text: string): string | undefined {
  /** The keys of each object that is open; undefined for a list. */
  const open: (Set<string> | undefined)[] = []
  for (const { 0: part, index } of text.matchAll(token)) {
    if (part === "{") open.push(new Set())
    else if (part === "[") open.push(undefined)
    else if (part === "}" || part === "]") open.pop()
    else if (/^\s*:/.test(text.slice(index + part.length, index + part.length + 40))) {
      const key = JSON.parse(part) as string
      const keys = open.at(-1)
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}
