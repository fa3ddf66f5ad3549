// How long 100,000 candidates take to a spreadsheet and back, and how much memory: `node_modules/.bin/node
// bench/review-spreadsheets.ts [candidates]`. Each step is a process of its own, so that its peak is its own. Every
// fourth row is decided on.
import { spawnSync } from "node:child_process"
import { rmSync, statSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import type { StageContext } from "../src/stages/context.ts"
import { taskExamples } from "../src/stages/standing/task-examples.ts"
import { exportReview } from "../src/stages/reviewing/review-export.ts"
import { importReview } from "../src/stages/reviewing/review-import.ts"
import { taskSchema } from "../src/core/task/task.ts"
import { TaskRows } from "../src/store/rows/task-rows.ts"
import { Workspace } from "../src/store/workspace.ts"
import { fillIn, ReviewWorkspace, type Cells } from "../test/stages/reviewing/review-workspace.ts"

const specification = {
  task: "reviewed",
  description: "Sort a message.",
  kind: "label",
  input: { subject: {}, body: {} },
  output: { labels: { delivery: "a", return: "b", payment: "c", fault: "d" } },
}

const [step, ...words] = process.argv.slice(2)
if (step === "read" || step === "export" || step === "import") await measured(step, words)
else await all(Number(step ?? 100_000))

async function measured(
  what: "read" | "export" | "import",
  [folder = "", file = ""]: readonly string[],
): Promise<void> {
  const task = taskSchema.parse(specification)
  const workspace = Workspace.open(folder)
  const context = { workspace, now: () => new Date() } as StageContext
  const start = performance.now()
  if (what === "read") taskExamples(task, new TaskRows(workspace, task.task))
  else if (what === "export")
    await exportReview(context, task, { out: file, limit: undefined, reviewer: "amara", only: undefined })
  else {
    const { added, undecided, differingCells } = await importReview(context, task, file, {
      reviewer: undefined,
      dryRun: false,
    })
    if (added === 0 || undecided === 0 || differingCells > 0)
      throw new Error(`added ${added}, undecided ${undecided}, differing ${differingCells}`)
  }
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage()
  process.stdout.write(
    `${seconds.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of processor time), peak ` +
      `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
  )
}

async function all(candidates: number): Promise<void> {
  const labels = ["delivery", "return", "payment", "fault"]
  const made = (index: number) => ({
    input: {
      subject: `Order ${index}: =where is it?`,
      body:
        `I ordered item ${index * 7919} ${index % 9} days ago; it has not come. ` +
        `${"Please look at it; I wait since then. ".repeat(1 + (index % 12))}\nRegards, ${index}`,
    },
    output: labels[index % 4],
  })
  const review = new ReviewWorkspace(
    specification,
    Array.from({ length: candidates }, (_, index) => made(index)),
  )
  const run = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [import.meta.filename, ...args], {
      encoding: "utf8",
    })
    if (status !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  process.stdout.write(
    `${candidates} candidates, ${cpus().length} cores (${cpus()[0]?.model}), Node ${process.versions.node}\n`,
  )
  process.stdout.write(`reading them alone: ${run("read", review.folder)}\n`)
  for (const format of ["csv", "xlsx"]) {
    const file = join(review.folder, `review.${format}`)
    process.stdout.write(
      `${format} export: ${run("export", review.folder, file)}, ${(statSync(file).size / 1e6).toFixed(1)} MB\n`,
    )
    await fillIn(
      file,
      (_, index): Cells =>
        index % 4 > 0 ? {} : index % 8 === 0 ? { decision: "accept" } : { decision: "edit", corrected_output: "fault" },
    )
    process.stdout.write(`${format} import: ${run("import", review.folder, file)}\n`)
    rmSync(join(review.folder, "datasets", "reviewed", "decisions"), { recursive: true })
  }
  rmSync(review.folder, { recursive: true })
}
