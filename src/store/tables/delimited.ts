/** The delimiter that is most frequent outside quotes in the first line. */
export function delimiterOf(text: string): string {
  const counts = new Map([",", ";", "\t"].map((delimiter) => [delimiter, 0]))
  let isQuoted = false
  let isCellStart = true
  for (const character of text) {
    if (character === '"' && (isQuoted || isCellStart)) isQuoted = !isQuoted
    else if (!isQuoted && (character === "\n" || character === "\r")) break
    else if (!isQuoted && counts.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1)
    isCellStart = !isQuoted && (counts.has(character) || character === '"')
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? ","
}

/**
 * Whether a quote may have made the record of several. csv-parse, like spreadsheets, takes all lines up to the next
 * quote into the cell that a stray one opens, and says nothing; it gives such a cell as it stands, with its quotes.
 */
export function swallowsLines(cells: readonly string[], raw: string, delimiter: string): boolean {
  const lines = raw.replace(/[\r\n]+$/, "").split(/\r\n|\n|\r/)
  if (lines.length === 1) return false
  const areRows = lines.every((line) => line.split("\t").length === cells.length)
  if (delimiter === "\t" && cells.length > 1 && areRows) return true
  const isWhole = (cell: string) => raw.includes(`"${cell.replaceAll('"', '""')}"`)
  return cells.some((cell) => cell.startsWith('"') && /[\r\n]/.test(cell) && !isWhole(cell))
}

/** The cell without quotes around it, which csv-parse leaves on where a quote is a letter. */
export function unenclosed(cell: string): string {
  return /^"(?:[^"]|"")*"$/.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell
}
