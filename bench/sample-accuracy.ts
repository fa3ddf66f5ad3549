// The sample task with three training seeds, each in a workspace of its own, through the command line. See README.md.
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { summarise, type SeedResult } from "./sample-results.ts"

const root = join(import.meta.dirname, "..")
const task = "ticket-triage"
const seeds = [1, 2, 3]

const results: SeedResult[] = []
for (const seed of seeds) {
  process.stderr.write(`seed ${seed} (${results.length + 1} of ${seeds.length})\n`)
  const workspace = mkdtempSync(join(tmpdir(), "tuneloop-bench-"))
  try {
    results.push(runSeed(seed, workspace))
  } finally {
    rmSync(workspace, { recursive: true, force: true })
  }
}
process.stdout.write(`${summarise(results)}\n`)

/** The steps of the quickstart, with another `seed:` in the copied job. */
function runSeed(seed: number, workspace: string): SeedResult {
  for (const folder of ["specs", "jobs"]) mkdirSync(join(workspace, folder))
  copyFileSync(join(root, "specs", `${task}.yaml`), join(workspace, "specs", `${task}.yaml`))
  const job = readFileSync(join(root, "jobs", `${task}.yaml`), "utf8")
  if (!/^seed: \d+$/m.test(job)) throw new Error(`jobs/${task}.yaml has no line "seed: N"`)
  writeFileSync(join(workspace, "jobs", `${task}.yaml`), job.replace(/^seed: \d+$/m, `seed: ${seed}`))
  const sample = (file: string) => join(root, "datasets", task, file)
  tuneloop(workspace, ["seed", "import", task, sample("seeds.jsonl")])
  tuneloop(workspace, ["input", "import", task, sample("inputs.jsonl")])
  tuneloop(workspace, ["expand", task])
  tuneloop(workspace, ["review", "import", task, sample("recorded-review.csv")])
  tuneloop(workspace, ["build", task])
  const { run } = tuneloop(workspace, ["train", task, "--wait"]) as { run: string }
  const start = performance.now()
  const evaluation = tuneloop(workspace, ["evaluate", run])
  const contenderSeconds = (performance.now() - start) / 1000
  const listed = tuneloop(workspace, ["runs", "ls"])
  return { seed, evaluation, listed, run, contenderSeconds }
}

/** The command's JSON object; its progress goes to this terminal. */
function tuneloop(workspace: string, words: readonly string[]): Record<string, unknown> {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, "src", "cli", "main.ts"), ...words, "--workspace", workspace, "--json"],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    },
  )
  if (status !== 0) throw new Error(`tuneloop ${words.join(" ")} ended with ${status}`)
  return JSON.parse(stdout) as Record<string, unknown>
}
