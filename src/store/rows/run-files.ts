import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { RunFiles, TrainingPlan } from "../../core/contracts/backend.ts"
import { parseJson } from "../../core/json-text.ts"
import { evaluationHeaderSchema, type EvaluationHeader } from "../../core/training/evaluation-header.ts"
import type { RunEvent } from "../../core/training/run.ts"
import { makeFolder, readText, toJsonLines, writeAtomically } from "../files/files.ts"
import { readJsonFile } from "../files/json-file.ts"
import { stageFile } from "../files/staged-file.ts"
import type { Workspace } from "../workspace.ts"
import { planSchema } from "./plan-schema.ts"

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

/**
 * Writes the plan and the exact rows that are sent, line by line; the plan last, so that a folder with a plan is whole.
 */
export function writeRun(
  files: RunFiles,
  plan: TrainingPlan,
  rendered: { train: Iterable<string>; validation: Iterable<string> },
): void {
  makeFolder(files.folder)
  stageFile(files.train, rendered.train).commit()
  stageFile(files.validation, rendered.validation).commit()
  writeAtomically(planFile(files.folder), `${JSON.stringify(plan, null, 2)}\n`)
}

/** The plan of a run as it was written; undefined where there is none. */
export function readPlan(files: RunFiles): TrainingPlan | undefined {
  const file = planFile(files.folder)
  return existsSync(file) ? readJsonFile(file, planSchema) : undefined
}

/** The run's events as a readable file beside the ledger, which stays the truth. */
export function writeEvents(files: RunFiles, events: readonly RunEvent[]): void {
  writeAtomically(join(files.folder, "events.jsonl"), toJsonLines(events))
}

/** The evaluations of a task that have a result, oldest first. A file that is none is passed over. */
export function evaluationsOf(workspace: Workspace, task: string): EvaluationHeader[] {
  const list = (folder: string) => (existsSync(folder) ? readdirSync(folder).sort() : [])
  const found = list(workspace.runsFolder).flatMap((run) => {
    const folder = join(workspace.runFolder(run), "evaluations")
    return list(folder)
      .filter((file) => file.endsWith(".json"))
      .flatMap((file) => {
        const header = evaluationHeaderSchema.safeParse(parseJson(readText(join(folder, file))))
        return header.success && header.data.task === task ? [header.data] : []
      })
  })
  return found.sort((a, b) => (a.at < b.at ? -1 : 1))
}

/** Where the result of an evaluation of the run lies. */
export function evaluationFile(workspace: Workspace, run: string, evaluation: string): string {
  return join(workspace.runFolder(run), "evaluations", `${evaluation}.json`)
}

/** The result of an evaluation of the run as it was written; undefined where there is none. */
export function evaluationText(workspace: Workspace, run: string, evaluation: string): string | undefined {
  const file = evaluationFile(workspace, run, evaluation)
  return existsSync(file) ? readText(file) : undefined
}

/**
 * Where the report of an evaluation goes: `report.html` for the first one of the run, and a name of its own for any
 * later one. A report is never written over.
 */
export function freeReportFile(workspace: Workspace, run: string, evaluation: string): string {
  for (let number = 0; ; number++) {
    const name = ["report", ...(number > 0 ? [evaluation] : []), ...(number > 1 ? [number] : [])].join("-")
    const file = join(workspace.runFolder(run), `${name}.html`)
    if (!existsSync(file)) return file
  }
}

function planFile(folder: string): string {
  return join(folder, "plan.json")
}
