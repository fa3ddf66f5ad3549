import { InvalidArgumentError, type Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { exportReview, importReview, reviewStatus, type ReviewImport } from "../../stages/review.ts"
import type { Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"

export function register(command: Command, host: Host): void {
  command
    .command("export")
    .argument("<task>", "the task's name")
    .option("--out <file>", "the CSV file to write", "review.csv")
    .option("--reviewer <name>", "fill in who decides")
    .option("--limit <n>", "at most so many rows", positive)
    .description("write what waits for a decision to a CSV file")
    .addHelpText(
      "after",
      "\nFill in the columns decision (accept, edit or reject), corrected_output,\ncomment and reviewer.\nExample: tuneloop review export ticket-triage --out review.csv --reviewer amara",
    )
    .action(async (task: string, options: { out: string; reviewer?: string; limit?: number }) => {
      if (!options.out.endsWith(".csv"))
        throw new UsageError(`cannot write ${options.out}; allowed: a file that ends in .csv`, "Give --out another name.")
      const result = exportReview(host.context(), await readCheckedTask(host.workspace, task), {
        out: host.path(options.out),
        limit: options.limit,
        reviewer: options.reviewer,
      })
      host.print(
        { task, ...result },
        result.rows === 0
          ? `nothing of ${task} waits for a decision; ${options.out} has no rows`
          : `${result.rows} of ${result.open} open items written to ${options.out}\nFill in the column decision (accept, edit or reject), then: tuneloop review import ${task} ${options.out}`,
      )
    })
  command
    .command("import")
    .argument("<task>", "the task's name")
    .argument("<file>", "the CSV file with decisions")
    .option("--reviewer <name>", "who decided, for rows that do not say")
    .option("--dry-run", "say what would change, and change nothing")
    .description("read the decisions from a CSV file; importing again changes nothing")
    .action(async (task: string, file: string, options: { reviewer?: string; dryRun?: boolean }) => {
      const result = importReview(host.context(), await readCheckedTask(host.workspace, task), host.path(file), {
        reviewer: options.reviewer,
        dryRun: options.dryRun === true,
      })
      host.print({ task, dryRun: options.dryRun === true, ...result }, describeImport(result, options.dryRun === true))
    })
  command
    .command("status")
    .argument("<task>", "the task's name")
    .description("how far the review is")
    .action(async (task: string) => {
      const status = reviewStatus(host.context(), await readCheckedTask(host.workspace, task))
      host.print(
        { task, ...status },
        `${status.open} open (${status.pending} undecided, ${status.conflicts} decided differently by two reviewers, ${status.stale} changed since), ${status.accepted} accepted, ${status.rejected} rejected`,
      )
    })
}

export function describeImport(result: ReviewImport, isDryRun: boolean): string {
  const verdicts = Object.entries(result.byVerdict)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ")
  const first =
    result.added === 0
      ? `unchanged: ${result.unchanged} decisions are there already`
      : `${isDryRun ? "would add" : "added"} ${result.added} decisions (${verdicts}), ${result.unchanged} were there already`
  return `${first}, ${result.undecided} rows undecided; ${result.stillOpen} items still open`
}

function positive(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("must be a whole number from 1")
  return number
}
