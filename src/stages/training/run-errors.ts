import { GateError, ToolkitError } from "../../core/errors.ts"
import type { RunSummary } from "../../core/training/run.ts"
import { erasedRun } from "../../store/erasing/run-erasure.ts"
import type { Workspace } from "../../store/workspace.ts"

/** Throws where an erasure took what the run was trained on: nobody could send it again. */
export function requireWhole(workspace: Workspace, run: string): void {
  const mark = erasedRun(workspace, run)
  if (mark === undefined || !mark.gone.some((name) => name.startsWith("rendered/"))) return
  throw new GateError(
    `rows that ${run} is trained on were erased on ${mark.at.slice(0, 10)}: ` +
      "its bytes are gone and it cannot be resumed",
    "Build a version without them and train on that.",
  )
}

/** A failed run as an error that names its log. */
export function failedRun(summary: RunSummary, job: string): ToolkitError {
  const reason = summary.message ?? "no reason was given"
  return new ToolkitError(`run ${summary.run} ${summary.state}: ${reason}`, {
    code: `run-${summary.state}`,
    hint: [
      ...(summary.hint ? [summary.hint] : []),
      `Its log: tuneloop runs logs ${summary.run}.`,
      `Train again, from the last checkpoint where our own trainer left one: tuneloop train ${job} --wait`,
    ].join(" "),
  })
}

/** It is not known whether a submission created a job: nothing is submitted until it is. */
export function uncertainRun({ run, message, hint }: Pick<RunSummary, "run" | "message" | "hint">): ToolkitError {
  const reason = message ?? "no reason was given"
  return new ToolkitError(`run ${run} is uncertain, it is not known whether its submission created a job: ${reason}`, {
    code: "run-uncertain",
    ...(hint === undefined ? {} : { hint }),
  })
}

/** What to do about an uncertain run. */
export function uncertainHint(
  { job, run }: { readonly job: string; readonly run: string },
  backend: string,
  hint?: string,
): string {
  return [
    ...(hint ? [hint] : []),
    `Run it again: tuneloop train ${job}.`,
    `It asks ${backend} for the job before it submits anything.`,
    `If it stays uncertain, look there yourself: tuneloop runs resolve ${run} --created ID | --not-created`,
  ].join(" ")
}

/** A hosted run that succeeded must not be paid again because its model cannot be found. */
export function missingModel({ run, job }: RunSummary): ToolkitError {
  const named = `${job?.backend ?? "its backend"} names no model that it made (job ${job?.id ?? "unknown"})`
  return new ToolkitError(`run ${run} succeeded, but ${named}`, {
    code: "no-model",
    hint: `Run the command again later, or look for the job at the provider; it is not paid again.`,
  })
}
