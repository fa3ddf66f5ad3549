// Runs a command for a bench, with its processor time and the most memory that it and its children had at one time.
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"

export interface MeasuredProcess {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Of the process and its children. */
  readonly cpuSeconds: number
  /**
   * The most of all processes together, looked at ten times a second, where a page that several share counts once; 0
   * where there is no /proc.
   */
  readonly peakBytes: number
}

/** Runs it under the shell's `time`, which knows the processor time of a child. */
export function runMeasured(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<MeasuredProcess> {
  const child = spawn("bash", ["-c", 'TIMEFORMAT="%U %S"; time "$@"', "bash", command, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C", ...environment },
  })
  let [stdout, stderr, peakBytes] = ["", "", 0]
  child.stdout.on("data", (part: Buffer) => {
    stdout += part.toString()
  })
  child.stderr.on("data", (part: Buffer) => {
    stderr += part.toString()
  })
  const looks = setInterval(() => {
    peakBytes = Math.max(peakBytes, bytesOf(child.pid ?? 0))
  }, 100)
  return new Promise((resolve) =>
    child.on("close", (code) => {
      clearInterval(looks)
      const lines = stderr.trimEnd().split("\n")
      const cpuSeconds = (lines.pop() ?? "").split(" ").reduce((sum, part) => sum + Number(part), 0)
      resolve({ code, stdout, stderr: lines.join("\n"), cpuSeconds, peakBytes })
    }),
  )
}

/** Of the process and all its descendants. */
function bytesOf(process: number): number {
  const own = Number(/^Pss:\s+(\d+) kB$/m.exec(contentOf(`/proc/${process}/smaps_rollup`))?.[1] ?? 0) * 1024
  const children = contentOf(`/proc/${process}/task/${process}/children`).split(" ").filter(Boolean)
  return children.reduce((sum, child) => sum + bytesOf(Number(child)), own)
}

/** Empty for what is not there, or not there any more. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}
