import type { Reporter } from "../stages/context.ts"
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

  paint(text: string, code: string): string {
    return this.colour ? `\u001b[${code}m${text}\u001b[0m` : text
  }

  paintOutput(text: string, code: string): string {
    return this.outputColour ? `\u001b[${code}m${text}\u001b[0m` : text
  }

  note(message: string): void {
    if (this.isQuiet) return
    this.endProgress()
    stderr.write(`${message}\n`)
  }

  warn(message: string): void {
    this.endProgress()
    stderr.write(`${this.paint("warning:", "1;33")} ${message}\n`)
  }

  progress(message: string): void {
    if (this.isQuiet) return
    if (this.isTerminal) {
      this.line = message.slice(0, this.width - 1)
      stderr.write(`\r\u001b[2K${this.line}`)
      return
    }
    const now = monotonicMs()
    if (now - this.lastPlainAt < plainIntervalMs) return
    this.lastPlainAt = now
    stderr.write(`${message}\n`)
  }

  /** An error: what failed and the next step; one JSON object under --json. */
  complain(error: { message: string; hint?: string | undefined; code: string }): void {
    this.endProgress()
    if (this.isJson) stderr.write(`${JSON.stringify({ schemaVersion: 1, error })}\n`)
    else
      stderr.write(
        `${this.paint("error:", "1;31")} ${error.message}\n${error.hint === undefined ? "" : `  ${error.hint}\n`}`,
      )
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
