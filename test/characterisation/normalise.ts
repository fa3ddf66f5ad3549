/** What a text says otherwise on another machine, at another time or in another folder. */
export interface Surroundings {
  /** Folders and what stands for each, for example `/tmp/x1` and `<workspace>`. */
  readonly folders: Readonly<Record<string, string>>
}

/** Figures of time and memory in `--json` output, by their keys. */
const measuredKeys =
  /"(seconds|microsecondsPerRow|textsPerSecond|peakMemoryBytes|milliseconds|latencyMs)":( ?)[\d.e+-]+/g

const rules: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>"],
  [/\b\d{8}T\d{6}Z\b/g, "<time>"],
  // Decisions are kept a file a day.
  [/(decisions\/)\d{4}-\d\d-\d\d-/g, "$1<day>-"],
  [measuredKeys, '"$1":$2<figure>'],
  [/^[\d.,]+ s, [\d.,]+ texts a second, [\d.,]+ MiB at most$/gm, "<figure> s, <figure> texts a second, <figure> MiB"],
  [/\b(\d+ rows judged) in [\d.]+ s \([\d.]+ ms a row\)/g, "$1 in <figure> s"],
  [/(after \d+ steps) in \d+ s/g, "$1 in <figure> s"],
  [/[\d.]+ GB free/g, "<figure> GB free"],
  // The version of Node is the machine's.
  [/(^ok +node: |"name": "node",\s+"status": "ok",\s+"detail": ")\d+\.\d+\.\d+/gm, "$1<version>"],
]

/** The text without clocks, durations, folders and figures of the machine: equal behaviour gives equal text. */
export function normalise(text: string, { folders }: Surroundings): string {
  const longestFirst = Object.entries(folders).sort(([a], [b]) => b.length - a.length)
  const placed = longestFirst.reduce((current, [folder, name]) => current.replaceAll(folder, name), text)
  return rules.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), placed)
}
