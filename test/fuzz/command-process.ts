// A process that runs one command line after another within itself, as its parent sends them, and answers with how each
// ended. Starting a process for each would take most of the time of a fuzz.
import { main } from "../../src/cli/program.ts"

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

process.on("message", (words: readonly string[]) => {
  void run(words).then((ended) => process.send?.(ended))
})

async function run(words: readonly string[]): Promise<Ended> {
  const written = { stdout: "", stderr: "" }
  for (const name of ["stdout", "stderr"] as const)
    process[name].write = (text: string | Uint8Array) => {
      written[name] += String(text)
      return true
    }
  process.exitCode = undefined
  let code = 70
  try {
    await main(words)
    code = Number(process.exitCode ?? 0)
  } catch (error) {
    written.stderr += (error as Error).stack ?? String(error)
  }
  for (const event of ["SIGINT", "SIGTERM"]) process.removeAllListeners(event)
  for (const name of ["stdout", "stderr"] as const) process[name].removeAllListeners("error")
  return { code, ...written }
}
