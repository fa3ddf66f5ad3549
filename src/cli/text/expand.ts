import { cellName } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { formatOutput, inputText } from "../../core/task/output.ts"
import type { ExpandResult } from "../../stages/growing/expand.ts"
import { showUsd } from "../../stages/asking/money.ts"
import { count } from "../../evaluation/verdict/words.ts"
import type { GrowthPlan } from "../../stages/growing/growth-plan.ts"
import type { Effort } from "../../stages/reviewing/review-status.ts"
import { table } from "../terminal.ts"
import { effortText } from "../review/text.ts"

/** What came of one strategy, in a line or two. */
export function describe(result: ExpandResult): string {
  const asked =
    result.requests > 0
      ? `, ${count(result.requests, "request")} (${result.answeredBefore} answered before)${costOf(result)}`
      : ""
  if (result.state === "nothing") return `${result.strategy}: nothing to do: ${result.reason}`
  if (result.state === "planned")
    return `${result.strategy}: would grow up to ${result.plan?.candidates ?? result.asked} candidates${asked}`
  if (result.state === "unchanged")
    return `${result.strategy}: unchanged, ${count(result.passed, "candidate")} in ${result.batch}`
  const failed = Object.entries(result.failedChecks)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ")
  const problems = [
    ...(result.repaired > 0 ? [`${result.repaired} answers read after a repair`] : []),
    ...(result.incomplete > 0 ? [`${result.incomplete} read in part only`] : []),
    ...(result.quarantined > 0
      ? [`${result.quarantined} could not be read${silences(result)} (quarantine/${result.batch}.jsonl)`]
      : []),
  ]
  const place = result.state === "previewed" ? "nothing written but the answers" : `in ${result.batch}`
  return (
    `${result.strategy}: ${result.grown} grown, ${result.fresh < result.grown ? `${result.fresh} new, ` : ""}` +
    `${result.passed} passed every ` +
    `check${failed ? ` (failed: ${failed})` : ""}${asked}${problems.map((problem) => `; ${problem}`).join("")}, ${place}`
  )
}

/** `, 3 of them without a text: 2 refused, 1 cut off`. */
function silences({ silent }: Pick<ExpandResult, "silent">): string {
  const kinds = Object.entries(silent)
  const all = kinds.reduce((sum, [, times]) => sum + times, 0)
  return all === 0
    ? ""
    : `, ${all} of them without a text: ${kinds.map(([kind, times]) => `${times} ${kind}`).join(", ")}`
}

/** That a strategy asked a model and nothing came of it, with what may be done; undefined where something did. */
export function nothingCame(task: string, result: ExpandResult): string | undefined {
  const { strategy, state, requests, passed, silent, quarantined, grown, batch } = result
  if (!["grown", "unchanged", "previewed"].includes(state) || requests === 0 || passed > 0) return undefined
  const why =
    quarantined > 0
      ? `${count(quarantined, "answer")} could not be read${silences(result)}`
      : `none of ${count(grown, "candidate")} passed every check`
  const what = `${strategy}: nothing came of ${count(requests, "request")}: ${why}`
  const see =
    state === "previewed"
      ? ""
      : `; see datasets/${task}/${quarantined > 0 ? "quarantine" : "candidates"}/${batch}.jsonl`
  const longer = (silent["cut off"] ?? 0) > 0 ? ". A larger expand.model.maxTokens gives answers more room" : ""
  const again =
    Object.keys(silent).length > 0 ? `. Ask again: tuneloop expand ${task} --strategy ${strategy} --retry-empty` : ""
  return `${what}${see}${longer}${again}`
}

/** What was paid, and for each candidate that passed its checks. */
function costOf({ state, costUsd, passed }: ExpandResult): string {
  if (state === "planned" || costUsd === 0) return ""
  if (costUsd === null) return " at an unknown price (facts/prices.yaml says how to name it)"
  return ` for ${showUsd(costUsd)}${passed > 0 ? `, ${showUsd(costUsd / passed)} a candidate that passed` : ""}`
}

const shownCells = 20

/** The funnel by strategy and cell, and the cells that are still empty; nothing where no model was asked. */
export function describeFunnel(results: readonly ExpandResult[]): string {
  const grown = results.filter(({ cells, requests }) => cells.length > 0 && requests > 0)
  if (grown.length === 0) return ""
  const rows = grown.flatMap(({ strategy, cells }) => {
    const total = cells.reduce(
      (sum, cell) => sum.map((value, index) => value + (funnelOf(cell)[index] ?? 0)),
      [0, 0, 0, 0, 0],
    )
    const parts =
      cells.length === 1
        ? []
        : cells.slice(0, shownCells).map((cell) => [`  ${cellName(cell.cell)}`, ...funnelOf(cell).map(String)])
    const more =
      cells.length > shownCells ? [[`  … and ${cells.length - shownCells} more cells`, "", "", "", "", ""]] : []
    return [[strategy, ...total.map(String)], ...parts, ...more]
  })
  const empty = grown.flatMap(({ strategy, emptyCells }) =>
    emptyCells.length === 0
      ? []
      : [
          `still empty, ${strategy}: ` +
            emptyCells.slice(0, shownCells).join("; ") +
            (emptyCells.length > shownCells ? `; … and ${emptyCells.length - shownCells} more` : ""),
        ],
  )
  return [table(["strategy and cell", "asked", "answered", "parsed", "novel", "passed"], rows), ...empty].join("\n")
}

function funnelOf({ asked, answered, parsed, novel, passed }: ExpandResult["cells"][number]): number[] {
  return [asked, answered, parsed, novel, passed]
}

/** What a dry run would ask: calls and tokens by strategy and cell, the hours of review, and sample prompts in full. */
export function describePlans(results: readonly ExpandResult[], effort: Effort | undefined): string {
  const planned = results.flatMap(({ strategy, plan }) => (plan === undefined ? [] : [{ strategy, plan }]))
  if (planned.length === 0) return ""
  const rows = planned.flatMap(({ strategy, plan }) => {
    const lines = plan.lines.filter(({ step }) => step === "grow")
    const cells =
      lines.length === 1
        ? []
        : lines.slice(0, shownCells).map((line) => [`  ${cellName(line.cell)}`, ...numbersOf(line)])
    const more =
      lines.length > shownCells ? [[`  … and ${lines.length - shownCells} more cells`, "", "", "", "", ""]] : []
    const checks = plan.lines
      .filter(({ step }) => step !== "grow")
      .map((line) => [`  ${line.step}, at most`, ...numbersOf(line)])
    return [[strategy, ...numbersOf(plan)], ...cells, ...more, ...checks]
  })
  const samples = planned[0]?.plan.samples.map(
    ({ messages }, index) =>
      `--- sample prompt ${index + 1} of ` +
      `${planned[0]?.strategy}\n${messages.map(({ role, content }) => `[${role}]\n${content}`).join("\n\n")}`,
  )
  return [
    table(["strategy and cell", "calls", "candidates", "input tokens", "output tokens", "cost"], rows),
    "Tokens and cost are estimates. An answer that cannot be read is asked for once more.",
    ...(effort === undefined ? [] : [`For review, if all pass: ${effortText(effort)}`]),
    ...(samples ?? []),
  ].join("\n")
}

function numbersOf({
  requests,
  candidates,
  inputTokens,
  outputTokens,
  costUsd,
}: Pick<GrowthPlan, "requests" | "candidates" | "inputTokens" | "outputTokens" | "costUsd">): string[] {
  return [
    ...[requests, candidates, inputTokens, outputTokens].map(String),
    costUsd === null ? "unknown" : showUsd(costUsd),
  ]
}

/** The candidates of a preview. */
export function describePreview(task: TaskSpecification, results: readonly ExpandResult[]): string {
  const shown = results.flatMap(({ candidates }) => candidates ?? [])
  return shown
    .map(({ strategy, input, output, checks, confidence }) => {
      const failed = checks
        .filter(({ ok }) => !ok)
        .map(({ name, detail }) => (detail === undefined ? name : `${name}: ${detail}`))
      const marks = [
        strategy,
        ...(confidence === undefined ? [] : [`confidence ${confidence}`]),
        failed.length === 0 ? "passed every check" : `failed ${failed.join("; ")}`,
      ]
      return (
        `--- ${marks.join(", ")}\n${inputText(task, input) || JSON.stringify(input)}\n=> ` +
        `${checks[0]?.ok ? formatOutput(task, output) : JSON.stringify(output)}`
      )
    })
    .join("\n")
}
