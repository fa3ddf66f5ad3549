// How long a command of the checkout takes, in a process of its own, and JSON.parse of a file to compare it with.
import { spawn } from "node:child_process"
import { join } from "node:path"
import { readLines } from "../src/store/files/files.ts"

const main = join(import.meta.dirname, "..", "src", "cli", "main.ts")
const tellUse =
  `process.on("exit",()=>{const ` +
  `{maxRSS,userCPUTime,systemCPUTime}=process.resourceUsage();process.stderr.write("used "+maxRSS+" ` +
  `"+(userCPUTime+systemCPUTime)/1e6+"\\n")})`

export interface Outcome {
  readonly seconds: number
  /** Of all threads: what is left to compare by on a machine that is shared. */
  readonly cpuSeconds: number
  readonly peakMiB: number
  readonly printed: Readonly<Record<string, unknown>>
}

/** The best of three: read in pieces, a line a row; the processor time is the mean. */
export function parseSeconds(file: string): Pick<Outcome, "seconds" | "cpuSeconds"> {
  const once = () => {
    const start = performance.now()
    for (const { text } of readLines(file)) JSON.parse(text)
    return (performance.now() - start) / 1000
  }
  const before = process.cpuUsage()
  const seconds = Math.min(once(), once(), once())
  const { user, system } = process.cpuUsage(before)
  return { seconds, cpuSeconds: (user + system) / 3e6 }
}

/** The command in a process of its own, from its start to its end. */
export async function run(folder: string, ...words: string[]): Promise<Outcome> {
  const start = performance.now()
  const child = spawn(process.execPath, [
    "--import",
    `data:text/javascript,${tellUse}`,
    main,
    "--workspace",
    folder,
    "--quiet",
    "--json",
    ...words,
  ])
  const read = async (stream: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(stream)).toString("utf8")
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)])
  const seconds = (performance.now() - start) / 1000
  const [, peak, cpu] = /used (\d+) ([\d.]+)/.exec(stderr) ?? []
  if (stdout === "" || peak === undefined) throw new Error(stderr)
  return {
    seconds,
    cpuSeconds: Number(cpu),
    peakMiB: Number(peak) / 1024,
    printed: JSON.parse(stdout) as Record<string, unknown>,
  }
}
