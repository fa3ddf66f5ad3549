import type { Command } from "commander"
import type { Host } from "./host.ts"

/** A command of the first word: what `--help` lists, and the file that is loaded when it is called. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  load(): Promise<{ register(command: Command, host: Host): void }>
}

/** The commands in the order of the work. Only the one that is called is loaded, so that `--help` is fast. */
export const commands: readonly CommandEntry[] = [
  {
    name: "quickstart",
    summary: "the whole loop on the sample task, in a workspace of its own",
    load: () => import("./commands/quickstart.ts"),
  },
  { name: "init", summary: "make a workspace", load: () => import("./commands/init.ts") },
  { name: "spec", summary: "check a task specification", load: () => import("./commands/spec.ts") },
  { name: "task", summary: "change the labels of a task", load: () => import("./commands/task.ts") },
  { name: "seed", summary: "import gold examples", load: () => import("./commands/seed.ts") },
  { name: "input", summary: "import real inputs without answers", load: () => import("./commands/input.ts") },
  { name: "expand", summary: "grow candidates from the train seeds", load: () => import("./commands/expand.ts") },
  {
    name: "review",
    summary: "let experts decide, on a local page or in a spreadsheet",
    load: () => import("./commands/review.ts"),
  },
  {
    name: "build",
    summary: "clean, deduplicate, check for leaks and freeze a dataset version",
    load: () => import("./commands/build.ts"),
  },
  {
    name: "dataset",
    summary: "list, show, compare, export and describe dataset versions; count tokens; erase rows",
    load: () => import("./commands/dataset.ts"),
  },
  {
    name: "dedup",
    summary: "drop near-duplicates from any JSONL or CSV file",
    load: () => import("./commands/dedup.ts"),
  },
  { name: "job", summary: "check a job", load: () => import("./commands/job.ts") },
  { name: "train", summary: "train a job's model", load: () => import("./commands/train.ts") },
  {
    name: "runs",
    summary: "list, follow, adopt, settle, cancel, fetch and purge runs",
    load: () => import("./commands/runs.ts"),
  },
  {
    name: "evaluate",
    summary: "score a run's model against its contenders and give the verdict",
    load: () => import("./commands/evaluate.ts"),
  },
  { name: "holdout", summary: "replace a worn test set", load: () => import("./commands/holdout.ts") },
  {
    name: "run",
    summary: "do everything for a task, as far as it goes without a person",
    load: () => import("./commands/run.ts"),
  },
  {
    name: "models",
    summary: "which models the workspace depends on, and what those that go answered",
    load: () => import("./commands/models.ts"),
  },
  { name: "status", summary: "where each task stands and what comes next", load: () => import("./commands/status.ts") },
  {
    name: "doctor",
    summary: "check this machine, the credentials and the ledger",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "config",
    summary: "show the settings and where each comes from",
    load: () => import("./commands/config.ts"),
  },
  {
    name: "completion",
    summary: "print a script that completes commands in your shell",
    load: () => import("./commands/completion.ts"),
  },
  { name: "schema", summary: "print the JSON Schema of a file", load: () => import("./commands/schema.ts") },
  {
    name: "ledger",
    summary: "verify the ledger; show what models cost, were asked and answered",
    load: () => import("./commands/ledger.ts"),
  },
]
