import { existsSync } from "node:fs"
import { join } from "node:path"
import type { RunFiles, TrainingPlan } from "../core/backend.ts"
import type { RunEvent } from "../core/run.ts"
import { makeFolder, readText, toJsonLines, writeAtomically } from "./files.ts"
import type { Workspace } from "./workspace.ts"

/** Where the files of a run lie. */
export function runFiles(workspace: Workspace, run: string): RunFiles {
  const folder = workspace.runFolder(run)
  return {
    run,
    folder,
    train: join(folder, "rendered", "train.jsonl"),
    validation: join(folder, "rendered", "validation.jsonl"),
    adapter: join(folder, "adapter"),
    checkpoints: join(folder, "checkpoints"),
  }
}

/** Writes the plan and the exact rows that are sent; the plan last, so that a folder with a plan is whole. */
export function writeRun(files: RunFiles, plan: TrainingPlan, rendered: { train: string; validation: string }): void {
  makeFolder(files.folder)
  writeAtomically(files.train, rendered.train)
  writeAtomically(files.validation, rendered.validation)
  writeAtomically(planFile(files.folder), `${JSON.stringify(plan, null, 2)}\n`)
}

export function readPlan(files: RunFiles): TrainingPlan | undefined {
  return existsSync(planFile(files.folder)) ? (JSON.parse(readText(planFile(files.folder))) as TrainingPlan) : undefined
}

/** The run's events as a readable file beside the ledger, which stays the truth. */
export function writeEvents(files: RunFiles, events: readonly RunEvent[]): void {
  writeAtomically(join(files.folder, "events.jsonl"), toJsonLines(events))
}

function planFile(folder: string): string {
  return join(folder, "plan.json")
}
