import type { Reporter } from "../stages/context.ts"
import { safeJson, safeText } from "../core/safe-text.ts"
import { monotonicMs, stderr, stdout } from "./machine.ts"

/** The options that every command takes. */
export interface GlobalOptions {
  readonly workspace?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color?: boolean
  /** Of the commands that may spend money: nobody is asked. */
  readonly yes?: boolean
}

/** Plain progress lines come at most this often where there is no terminal. */
const plainIntervalMs = 10_000

/**
 * What people see while a command works, on stderr: a line that is rewritten on a terminal, plain lines now and then
 * elsewhere, nothing under --quiet.
 */
export class Terminal implements Reporter {
  readonly isTerminal: boolean
  readonly colour: boolean
  /** Whether what goes to stdout may have colours: it may go to a file while stderr is a terminal. */
  readonly outputColour: boolean
  private readonly isQuiet: boolean
  private readonly isJson: boolean
  private line = ""
  private lastPlainAt = -Infinity

  constructor(options: GlobalOptions, environment: Readonly<Record<string, string | undefined>>) {
    this.isTerminal = stderr.isTTY === true && environment["TERM"] !== "dumb"
    const isColourful = options.color !== false && !environment["NO_COLOR"] && environment["TERM"] !== "dumb"
    this.colour = this.isTerminal && isColourful
    this.outputColour = stdout.isTTY === true && isColourful
    this.isQuiet = options.quiet === true
    this.isJson = options.json === true
  }

  get width(): number {
    return Math.min(120, stderr.columns ?? stdout.columns ?? 80)
  }

  /** How wide what goes to stdout may be; undefined where it is no terminal, and a program may read it. */
  get outputWidth(): number | undefined {
    return stdout.isTTY === true ? (stdout.columns ?? 80) : undefined
  }

  paint(text: string, code: string): string {
    return this.colour ? `\u001b[${code}m${text}\u001b[0m` : text
  }

  paintOutput(text: string, code: string): string {
    return this.outputColour ? `\u001b[${code}m${text}\u001b[0m` : text
  }

  note(message: string): void {
    if (this.isQuiet) return
    this.endProgress()
    stderr.write(`${this.safe(message)}\n`)
  }

  warn(message: string): void {
    this.endProgress()
    stderr.write(`${this.paint("warning:", "1;33")} ${this.safe(message)}\n`)
  }

  progress(message: string): void {
    if (this.isQuiet) return
    if (this.isTerminal) {
      this.line = this.safe(message)
        .replace(/\n/g, " ")
        .slice(0, this.width - 1)
      stderr.write(`\r\u001b[2K${this.line}`)
      return
    }
    const now = monotonicMs()
    if (now - this.lastPlainAt < plainIntervalMs) return
    this.lastPlainAt = now
    stderr.write(`${this.safe(message)}\n`)
  }

  /** An error: what failed and the next step; one JSON object under --json. */
  complain(error: { message: string; hint?: string | undefined; code: string }): void {
    this.endProgress()
    if (this.isJson) stderr.write(`${safeJson({ schemaVersion: 1, error })}\n`)
    else
      stderr.write(
        `${this.paint("error:", "1;31")} ${this.safe(error.message)}\n` +
          `${error.hint === undefined ? "" : `  ${this.safe(error.hint)}\n`}`,
      )
  }

  /** Messages may quote data: nothing in it steers the terminal. */
  private safe(message: string): string {
    return safeText(message, { colour: this.colour })
  }

  endProgress(): void {
    if (this.line !== "") stderr.write("\r\u001b[2K")
    this.line = ""
  }
}

/**
 * Rows as columns, left-aligned but for numbers; the header is underlined by the caller's taste. Empty rows give an
 * empty text.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, index) => Math.max(name.length, ...rows.map((row) => (row[index] ?? "").length)))
  const isNumber = header.map(
    (_, index) => rows.length > 0 && rows.every((row) => /^[\d.,%–-]*$/.test(row[index] ?? "")),
  )
  const format = (row: readonly string[]) =>
    row
      .map((cell, index) => (isNumber[index] ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)))
      .join("  ")
      .trimEnd()
  return [header, ...rows].map(format).join("\n")
}

/**
 * Rows as columns where they fit into the width, else each row as lines of its own under its first cells: no cell is
 * ever cut, for people copy ids. Without a width, as where the output is no terminal, always columns.
 */
export function fittedTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { width, headings = 1 }: { readonly width: number | undefined; readonly headings?: number },
): string {
  const columns = table(header, rows)
  if (width === undefined || columns.split("\n").every((line) => line.length <= width)) return columns
  const names = header.slice(headings)
  const longest = Math.max(...names.map((name) => name.length))
  return rows
    .map((row) =>
      [
        row.slice(0, headings).join(" "),
        ...row.slice(headings).flatMap((cell, index) => {
          if (cell === "" || cell === "–") return []
          const label = `  ${(names[index] ?? "").padEnd(longest)}  `
          return wrapped(cell, width - label.length).map((line, at) => (at === 0 ? label : pad(label)) + line)
        }),
      ].join("\n"),
    )
    .join("\n")
}

function pad(label: string): string {
  return " ".repeat(label.length)
}

/** The text in lines of at most so many characters, but for a word that is longer. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
