import { cpus, totalmem } from "node:os"
import { exitCodes } from "../core/errors.ts"

// The only file that touches the process. It loads nothing heavy: `--help` needs it.

export const { env: environment, stdin, stdout, stderr, platform, execPath } = process
export const nodeVersion = process.versions.node

export const now = (): Date => new Date()
/** Milliseconds of a clock that only goes forward. */
export const monotonicMs = (): number => performance.now()
export const currentFolder = (): string => process.cwd()
export const peakMemoryBytes = (): number => process.resourceUsage().maxRSS * 1024

/** The code that the process ends with once nothing is left to do. */
export function setExitCode(code: number): void {
  process.exitCode = code
}

export function exitNow(code: number): never {
  process.exit(code)
}

/** Calls `handler` on Ctrl-C and on a polite request to end. */
export function onInterrupt(handler: () => void): void {
  process.on("SIGINT", handler).on("SIGTERM", handler)
}

/** Resolves after the time, or at once when the signal is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener("abort", done)
  })
}

/**
 * A reader of stdout that closes early (`| head`) is no error, and ends the command; one that cannot take what is
 * written, as a full disk, is. Without stderr the work goes on: what it does is kept.
 */
export function watchStreams(): void {
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? exitCodes.done)
    stderr.write(
      `error: cannot write to standard output: ${error.message}\n` +
        "  Check where the output goes; the command's work itself is done.\n",
    )
    process.exit(exitCodes.failure)
  })
  stderr.on("error", () => undefined)
}

/** The machine in words, for reports. */
export function machineInWords(): string {
  const [first] = cpus()
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} × ${first?.model.trim() ?? "CPU"}, ${gibibytes} GiB memory, ${platform} ${process.arch}`
}
