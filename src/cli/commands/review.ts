import { InvalidArgumentError, Option, type Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import type { ReviewItem } from "../../stages/review-items.ts"
import { searchLabelErrors, type LabelErrorSearch } from "../../stages/label-errors.ts"
import { exportReview } from "../../stages/review-export.ts"
import { importReview, type ReviewImport } from "../../stages/review-import.ts"
import { reviewAgreement } from "../../stages/review-agreement.ts"
import { reviewStatus } from "../../stages/review-status.ts"
import type { Host } from "../host.ts"
import { alsoWaiting, describeAgreement, describeStatus } from "./_review-text.ts"
import { readCheckedTask } from "../plugins.ts"
import { registerServe } from "./_review-serve.ts"

export function register(command: Command, host: Host): void {
  command
    .command("export")
    .argument("<task>", "the task's name")
    .option("--out <file>", "the CSV file to write", "review.csv")
    .option("--reviewer <name>", "fill in who decides")
    .option("--limit <n>", "at most so many rows", positive)
    .addOption(new Option("--only <kind>", "only items of this kind").choices(["candidate", "input", "adjudication", "conflict", "label-error"]))
    .description("write what waits for a decision to a CSV file")
    .addHelpText(
      "after",
      "\nFill in the columns decision (accept, edit or reject), corrected_output,\ncomment and reviewer. For a suspected label error, accept takes the proposed\noutput, reject keeps the current one, edit takes the corrected one. For a\nconflict: a, b or edit (that output is right for both rows), or both (each is\nright as it is); a is the row with the proposed output, b the one with the\ncurrent output.\nExample: tuneloop review export ticket-triage --out review.csv --reviewer amara",
    )
    .action(async (task: string, options: { out: string; reviewer?: string; limit?: number; only?: ReviewItem["kind"] }) => {
      if (!options.out.endsWith(".csv"))
        throw new UsageError(`cannot write ${options.out}; allowed: a file that ends in .csv`, "Give --out another name.")
      const result = exportReview(host.context(), await readCheckedTask(host.workspace, task), {
        out: host.path(options.out),
        limit: options.limit,
        reviewer: options.reviewer,
        only: options.only,
      })
      host.print(
        { task, ...result },
        result.rows === 0
          ? `nothing of ${task} waits for a decision; ${options.out} has no rows`
          : `${result.rows} of ${result.open} open items${alsoWaiting(result.conflictPairs, result.suspects)} written to ${options.out}\nFill in the column decision (accept, edit or reject), then: tuneloop review import ${task} ${options.out}`,
      )
    })
  command
    .command("suspects")
    .argument("<task>", "the task's name")
    .option("--limit <n>", "print at most so many (default: 20)", positive)
    .description("find examples whose labels are probably wrong, for the next review export")
    .addHelpText(
      "after",
      "\nJudges every label, held-out ones included, by models that did not see the row,\nand changes none: the suspects go into the next review export.\nExample: tuneloop review suspects ticket-triage",
    )
    .action(async (task: string, options: { limit?: number }) => {
      const { seconds, ...search } = searchLabelErrors(host.context(), await readCheckedTask(host.workspace, task))
      host.terminal.note(
        `${search.judged} rows judged in ${seconds.toFixed(1)} s (${((1000 * seconds) / Math.max(1, search.judged)).toFixed(2)} ms a row)`,
      )
      host.print({ task, ...search }, describeSuspects(task, search, options.limit ?? 20))
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
      host.print({ task, ...status }, describeStatus(status))
    })
  command
    .command("agreement")
    .argument("<task>", "the task's name")
    .description("how far reviewers agree, and what to do about it")
    .addHelpText(
      "after",
      "\nRaw agreement, Cohen's kappa of every two reviewers and Krippendorff's alpha\nwith 95 % intervals, over the items that several decided on.\nExample: tuneloop review agreement ticket-triage",
    )
    .action(async (task: string) => {
      const report = reviewAgreement(host.context(), await readCheckedTask(host.workspace, task))
      host.print({ task, ...report }, describeAgreement(report))
    })
  registerServe(command, host)
}

function describeSuspects(task: string, search: Omit<LabelErrorSearch, "seconds">, limit: number): string {
  const { judged, unjudged, suspects, bySplit, pairs, decidedBefore } = search
  const lines = [
    `${suspects.length} of ${judged} labels are suspected to be wrong: ${bySplit.train} in train, ${bySplit.validation} in validation, ${bySplit.test} in test${decidedBefore > 0 ? `; ${decidedBefore} more were decided on before` : ""}`,
  ]
  for (const { row, label, suggested, selfConfidence, confidence } of suspects.slice(0, limit))
    lines.push(`  ${row}  ${label} (${selfConfidence.toFixed(2)}), more likely ${suggested} (${confidence.toFixed(2)})`)
  if (suspects.length > limit) lines.push(`  … and ${suspects.length - limit} more (--limit)`)
  if (pairs[0] !== undefined && pairs[0].rows > 1)
    lines.push(
      `most often: ${pairs
        .filter(({ rows }) => rows > 1)
        .slice(0, 3)
        .map((pair) => `${pair.label} for ${pair.suggested} (${pair.rows})`)
        .join(", ")}`,
    )
  if (unjudged.length > 0)
    lines.push(
      `not judged, too few train rows of the label: ${unjudged
        .slice(0, 5)
        .map(({ label, rows }) => `${label} (${rows})`)
        .join(", ")}${unjudged.length > 5 ? ", …" : ""}`,
    )
  if (suspects.length > 0)
    lines.push(`nothing was changed; let an expert decide: tuneloop review export ${task} --only label-error --out suspects.csv`)
  return lines.join("\n")
}

export function describeImport(result: ReviewImport, isDryRun: boolean): string {
  const verdicts = Object.entries(result.byVerdict)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ")
  const first =
    result.added === 0
      ? `unchanged: ${result.unchanged} decisions are there already`
      : `${isDryRun ? "would add" : "added"} ${result.added} decisions (${verdicts}), ${result.unchanged} were there already`
  return `${first}, ${result.undecided} rows undecided; ${result.stillOpen} items still open${alsoWaiting(result.conflictPairsLeft, result.suspectsLeft)}`
}

function positive(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("must be a whole number from 1")
  return number
}
