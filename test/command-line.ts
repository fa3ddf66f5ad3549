import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect } from "vitest"
import { packageRoot } from "../src/cli/version.ts"

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs the command line as a process of its own, in the workspace. Nothing here may start Python, and no setting of
 * this machine reaches it.
 */
export function tuneloop(
  workspace: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { child: ChildProcess; outcome: Promise<Outcome> } {
  const {
    OPENAI_API_KEY: _key,
    HF_TOKEN: _token,
    OPENAI_BASE_URL: _url,
    TUNELOOP_MODEL: _model,
    ...inherited
  } = process.env
  const child = spawn(
    process.execPath,
    [join(packageRoot, "src", "cli", "main.ts"), "--workspace", workspace, ...words],
    {
      env: { ...inherited, NO_COLOR: "1", TUNELOOP_PYTHON: "/nonexistent/python", INIT_CWD: workspace, ...environment },
    },
  )
  return { child, outcome: outcomeOf(child) }
}

/** The one JSON object that the command prints; it must end well. */
export async function json<Printed = Record<string, unknown>>(
  workspace: string,
  ...words: readonly string[]
): Promise<Printed> {
  const { code, stdout, stderr } = await tuneloop(workspace, [...words, "--json"]).outcome
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Printed
}

/** What a build prints whose witness looked at every train row and at all that is held out, and found no leak. */
export function cleanOf(built: Readonly<Record<string, unknown>>): object {
  const { train, validation, test } = built["rows"] as Record<string, number>
  const { heldOut } = built["witness"] as { heldOut: number }
  expect(heldOut).toBeGreaterThanOrEqual((validation ?? 0) + (test ?? 0))
  expect(heldOut).toBeGreaterThan(0)
  return { leaks: { found: 0 }, witness: { found: [], rows: train, heldOut } }
}

/** What the process wrote, and how it ended. */
export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = ""
  let stderr = ""
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })))
}

/** A workspace with the sample specifications and jobs, and no data. */
export function sampleWorkspace(): string {
  const workspace = mkdtempSync(join(tmpdir(), "tuneloop-test-"))
  for (const folder of ["specs", "jobs"]) {
    mkdirSync(join(workspace, folder))
    for (const file of readdirSync(join(packageRoot, folder)).filter((name) => name.endsWith(".yaml")))
      cpSync(join(packageRoot, folder, file), join(workspace, folder, file))
  }
  return workspace
}

/** Imports the gold examples of the sample task. */
export async function importSeeds(workspace: string): Promise<void> {
  const { code, stderr } = await tuneloop(workspace, [
    "seed",
    "import",
    "ticket-triage",
    sample("ticket-triage", "seeds.jsonl"),
  ]).outcome
  if (code !== 0) throw new Error(stderr)
}

/** The rows of a JSONL file of the sample task. */
// biome-ignore lint/suspicious/noExplicitAny: each test knows the rows it reads.
export function rowsOf<Row = any>(workspace: string, ...file: string[]): Row[] {
  return linesOf(join(workspace, "datasets", "ticket-triage", ...file))
}

/** The rows of a JSONL file. */
export function linesOf<Row>(file: string): Row[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row)
}

export function sample(task: string, file: string): string {
  return join(packageRoot, "datasets", task, file)
}

/** Every file of the folder by its content, the ledger and what is beside data left out. */
export function snapshot(folder: string, isWanted: (path: string) => boolean = () => true): Record<string, string> {
  if (!existsSync(folder)) return {}
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter(isWanted)
  return Object.fromEntries(
    paths
      .sort()
      .map((path) => [path.slice(folder.length + 1), createHash("sha256").update(readFileSync(path)).digest("hex")]),
  )
}
