import { spawn } from "node:child_process"
import { join } from "node:path"
import { type Outcome, outcomeOf } from "../command-line.ts"

export type { Outcome }

/** The port that models are asked on: their address is in the digests of requests, so it is the same each time. */
export const modelPort = 47_113
export const modelUrl = `http://127.0.0.1:${modelPort}/v1`

/**
 * The command line of a checkout, in the workspace as the current folder. No setting of this machine reaches it, and it
 * cannot start Python unless the environment names one.
 */
export function runTuneloop(
  checkout: string,
  workspace: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [join(checkout, "src", "cli", "main.ts"), ...words], {
    cwd: workspace,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: process.env["HOME"] ?? "",
      ...(process.env["NODE_COMPILE_CACHE"] === undefined
        ? {}
        : { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] }),
      TZ: "UTC",
      LANG: "C.UTF-8",
      NO_COLOR: "1",
      COLUMNS: "100",
      INIT_CWD: workspace,
      TUNELOOP_PYTHON: "/nonexistent/python",
      TUNELOOP_CACHE: "/nonexistent/cache",
      ...environment,
    },
  })
  return outcomeOf(child)
}
