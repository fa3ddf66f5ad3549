import type { Command } from "commander"
import { searchLabelErrors, type LabelErrorSearch } from "../../stages/reviewing/label-errors.ts"
import { reviewAgreement } from "../../stages/reviewing/review-agreement.ts"
import { reviewStatus } from "../../stages/reviewing/review-status.ts"
import type { Host } from "../host.ts"
import { positive } from "../numbers.ts"
import { withCounts } from "../review/counts.ts"
import { describeAgreement, describeStatus } from "../review/text.ts"
import { readCheckedTask } from "../plugins.ts"
import { registerServe } from "../review/serve.ts"
import { registerExport, registerImport } from "../review/spreadsheets.ts"

export function register(command: Command, host: Host): void {
  registerExport(command, host)
  command
    .command("suspects")
    .argument("<task>", "the task's name")
    .option("--limit <n>", "print at most so many (default: 20)", positive)
    .description("find examples whose labels are probably wrong, for the next review export")
    .addHelpText(
      "after",
      "\nJudges every label, held-out ones included, by models that did not see the row,\nand changes " +
        "none: the suspects go into the next review export.\nExample: tuneloop review suspects " +
        "ticket-triage",
    )
    .action(async (task: string, options: { limit?: number }) => {
      const { seconds, ...search } = await searchLabelErrors(
        host.context(),
        await readCheckedTask(host.workspace, task),
      )
      host.terminal.note(
        `${search.judged} rows judged in ${seconds.toFixed(1)} s ` +
          `(${((1000 * seconds) / Math.max(1, search.judged)).toFixed(2)} ms a row)`,
      )
      host.print({ task, ...search }, describeSuspects(task, search, options.limit ?? 20))
    })
  registerImport(command, host)
  command
    .command("status")
    .argument("<task>", "the task's name")
    .description("how far the review is")
    .action(async (task: string) => {
      const status = await reviewStatus(host.context(), await readCheckedTask(host.workspace, task))
      host.print({ task, ...withCounts(status) }, describeStatus(status))
    })
  command
    .command("agreement")
    .argument("<task>", "the task's name")
    .description("how far reviewers agree, and what to do about it")
    .addHelpText(
      "after",
      "\nRaw agreement, Cohen's kappa of every two reviewers and Krippendorff's alpha\nwith 95 % " +
        "intervals, over the items that several decided on.\nExample: tuneloop review agreement " +
        "ticket-triage",
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
    `${suspects.length} of ${judged} labels are suspected to be wrong: ${bySplit.train} in train, ` +
      `${bySplit.validation} in validation, ${bySplit.test} in ` +
      `test${decidedBefore > 0 ? `; ${decidedBefore} more were decided on before` : ""}`,
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
    lines.push(
      `nothing was changed; let an expert decide: tuneloop review export ${task} --only label-error --out suspects.csv`,
    )
  return lines.join("\n")
}
