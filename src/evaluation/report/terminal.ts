import type { Comparison } from "../scores/comparisons.ts"
import type { ContenderScores } from "../scores/contenders.ts"
import type { Verdict } from "../verdict/verdict.ts"
import { figure, milliseconds } from "../verdict/words.ts"

export { renderLossPlot } from "./loss-plot.ts"

/** What the terminal shows of an evaluation; a report's data is one. */
export interface TerminalData {
  readonly contenders: readonly ContenderScores[]
  readonly comparisons: readonly Comparison[]
  /** The metric that decides. */
  readonly metric: string
  readonly incumbent: string
  readonly verdict: Pick<Verdict, "verdict" | "reason" | "rule">
  readonly notes: readonly string[]
}

export interface TerminalOptions {
  /** Columns; below 50 counts as 50. */
  readonly width: number
  readonly colour: boolean
}

/**
 * The contenders with a bar for each interval, then the verdict with its reason, the notes and the rule, in lines that
 * fit the width. Says the same with and without colour. No contenders give a plain sentence in the table's place.
 */
export function renderContenders(data: TerminalData, { width, colour }: TerminalOptions): string {
  const columns = Math.max(50, width)
  const paint = colour ? (text: string, code: string) => `\u001b[${code}m${text}\u001b[0m` : (text: string) => text
  const [word, code] = headings[data.verdict.verdict]
  return [
    ...contenderLines(data, columns, paint),
    "",
    paint(word === "Reject" ? `Reject: keep ${data.incumbent}` : word, code),
    ...wrap(data.verdict.reason, columns),
    ...data.notes.flatMap((note) => wrap(note, columns, "- ")),
    "",
    ...wrap(`The rule: ${data.verdict.rule}`, columns).map((line) => paint(line, "2")),
  ].join("\n")
}

const headings = {
  promote: ["Promote the tuned model", "1;32"],
  reject: ["Reject", "1;31"],
  undecided: ["Undecided", "1;33"],
} as const

type Paint = (text: string, code: string) => string

function contenderLines({ contenders, metric, incumbent }: TerminalData, width: number, paint: Paint): string[] {
  const scored = contenders.flatMap((contender) => {
    const score = contender.metrics[metric]
    return score ? [{ ...contender, score }] : []
  })
  if (scored.length === 0) return ["No contender was scored."]
  const label = (name: string) => (name === incumbent ? `${name} *` : name)
  const names = Math.min(20, Math.max(9, ...scored.map(({ name }) => label(name).length)))
  const fixed = names + 2 + 5 + 2 + 13 + 2 + 9 + 2
  const bar = Math.max(0, Math.min(40, width - fixed))
  const low = Math.min(...scored.map(({ score }) => score.low))
  const high = Math.max(...scored.map(({ score }) => score.high))
  const heading = `${"contender".padEnd(names)}  ${"value".padEnd(5)}  ${"interval".padEnd(13)}  ${"time".padStart(9)}`
  return [
    clip(metric, width),
    paint(heading, "2"),
    ...scored.map(({ name, score, latencyMs }) => {
      const time = latencyMs ? milliseconds(latencyMs.p50) : "–"
      const interval = `${figure(score.low)}–${figure(score.high)}`
      const text = `${clip(label(name), names).padEnd(names)}  ${figure(score.value).padEnd(5)}  ${interval.padEnd(13)}  ${time.padStart(9)}`
      const line = bar < 10 ? text : `${text}  ${intervalBar(score, { low, high }, bar)}`
      return name === "tuned" ? paint(line.trimEnd(), "1") : line.trimEnd()
    }),
    paint(clip(`* the one to beat; time is the median of an answer; n = ${scored[0]?.score.n ?? 0}`, width), "2"),
  ]
}

/** The interval as a line with a dot at the value, on the scale that all contenders share. */
function intervalBar(
  score: { value: number; low: number; high: number },
  scale: { low: number; high: number },
  width: number,
): string {
  if (![score.value, score.low, score.high].every(Number.isFinite)) return ""
  const at = (value: number) =>
    scale.high > scale.low ? Math.round(((value - scale.low) / (scale.high - scale.low)) * (width - 1)) : 0
  const cells = Array.from({ length: width }, (_, cell): string =>
    cell >= at(score.low) && cell <= at(score.high) ? "─" : " ",
  )
  cells[Math.min(width - 1, Math.max(0, at(score.value)))] = "●"
  return cells.join("")
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/**
 * The text in lines of at most `width` characters, broken at spaces but not between a number and its per cent sign; a
 * longer word is broken anywhere. Later lines are indented as far as the bullet.
 */
function wrap(text: string, width: number, bullet = ""): string[] {
  const lines: string[] = []
  let line = bullet
  let isEmpty = true
  for (const word of text.split(/\s+(?!%)/).flatMap((each) => pieces(each, width - bullet.length))) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = " ".repeat(bullet.length)
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line]
}

function pieces(word: string, width: number): string[] {
  return word.length <= width ? [word] : (word.match(new RegExp(`.{1,${width}}`, "gsu")) ?? [])
}
