// Whatever goes through values calls itself for each level.
export const mostNested = 1000

export const tooDeep = `lists and objects within each other more than ${mostNested} deep`

/**
 * What keeps the value of a document from being plain data, with the path of each: a value that holds itself, one that
 * is nested too deep to be gone through, a number that is none.
 */
export function notPlain(value: unknown, path: Path = [], around = new Set<unknown>()): Odd[] {
  if (typeof value === "number" && !Number.isFinite(value))
    return [{ path, message: `got ${value}; a number must be finite` }]
  if (typeof value !== "object" || value === null) return []
  if (around.has(value)) return [{ path: path.slice(0, -1), message: "holds itself, by an alias (*)" }]
  if (around.size >= mostNested) return [{ path: path.slice(0, 1), message: tooDeep }]
  if (Object.hasOwn(value, "__proto__"))
    return [{ path: [...path, "__proto__"], message: "cannot be the name of anything here; choose another" }]
  around.add(value)
  const found = Object.entries(value).flatMap(([key, item]) =>
    notPlain(item, [...path, Array.isArray(value) ? Number(key) : key], around),
  )
  around.delete(value)
  return found
}

/** Whether going through something called itself more often than there is room for. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith("Maximum call stack size exceeded")
}

type Path = readonly PropertyKey[]

interface Odd {
  readonly path: Path
  readonly message: string
}
