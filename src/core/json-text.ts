/** The value of a JSON text; undefined for a text that is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What is wrong with a text of one line that is no JSON: the parser names a line that is always the first. */
export function jsonProblem({ message }: Error): string {
  const plain = message.replace(/(?: in JSON)? at position \d+ \(line 1 column (\d+)\)/, " at column $1")
  return `not valid JSON: ${plain.length > 160 ? `${plain.slice(0, 159)}…` : plain}`
}
