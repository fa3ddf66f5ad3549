import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import { gainOf } from "../scores/comparisons.ts"
import type { Scoring } from "../scores/contenders.ts"
import type { ContenderRows } from "../scores/measured.ts"
import type { PrevalenceScores } from "../scores/prevalence.ts"
import type { Wear } from "./wear.ts"
import { betterOrWorse, count, figure, percent, range } from "./words.ts"

export interface NotesOptions {
  readonly task: TaskSpecification
  /** The metric that decides. */
  readonly metric: string
  readonly scoring: Scoring
  readonly rows: readonly ContenderRows[]
  /** Contenders that are worth taking instead of a tuned model that is not better, and why. */
  readonly alternatives: readonly { readonly name: string; readonly subject: string; readonly advantage: string }[]
}

/**
 * What a reader of the verdict must know beside it, in plain sentences: a simpler contender that does as well, answers
 * that could not be read, labels that no test example has. Empty when there is nothing to say.
 */
export function evaluationNotes({ task, metric, scoring, rows, alternatives }: NotesOptions): string[] {
  return [
    ...alternatives.flatMap((alternative) => alternativeNote(metric, scoring, alternative)),
    ...unreadableNotes(scoring),
    ...untestedNote(task, rows),
  ]
}

/**
 * The deciding figure at the true prevalence, beside which the plain one may mislead; empty where no prevalence is
 * given.
 */
export function prevalenceNote(metric: string, incumbent: string, prevalence: PrevalenceScores | undefined): string[] {
  if (prevalence === undefined) return []
  const of = (name: string) => {
    const score = prevalence.contenders.find((contender) => contender.name === name)?.metrics[metric]
    return score === undefined ? [] : [`${figure(score.value)} for ${name}`]
  }
  const untested =
    prevalence.untested.length === 0
      ? ""
      : `, as far as the test set has the labels (none of ${prevalence.untested.join(", ")})`
  return [
    `At the prevalence of the specification ${metric} is ` +
      `${[...of("tuned"), ...of(incumbent)].join(" and ")}${untested}; the rule goes by the plain figures.`,
  ]
}

/** That test rows were left out because a contender has seen them; empty where none was. */
export function taintNote(tainted: readonly { readonly contenders: readonly string[] }[]): string[] {
  if (tainted.length === 0) return []
  const contenders = [...new Set(tainted.flatMap((taint) => taint.contenders))].join(", ")
  const [is, they] = tainted.length === 1 ? ["is", "it is"] : ["are", "they are"]
  return [
    `${count(tainted.length, "test example")} ${is} left out of the comparison: ${they} among what ` +
      `${contenders} learnt from, or near it. The evaluation's file names ` +
      `${tainted.length === 1 ? "it" : "them"}.`,
  ]
}

/** That the test set is worn, and what to do about it; empty while it is not. */
export function wornNote(task: TaskSpecification, wear: Wear): string[] {
  if (!wear.isWorn) return []
  return [
    [
      `The test set is worn: ${count(wear.openings, "decision")} were made on it, this one included, and ` +
        `holdout.openings is ${wear.limit}.`,
      `By now chance alone promotes a model that is no better with ${percent(wear.byChance)}.`,
      `Replace it by newly reviewed real rows: tuneloop holdout refresh ${task.task}`,
    ].join(" "),
  ]
}

function alternativeNote(
  metric: string,
  { contenders, comparisons }: Scoring,
  { name, subject, advantage }: NotesOptions["alternatives"][number],
): string[] {
  const comparison = comparisons.find((each) => each.b === name && each.metric === metric)
  const other = contenders.find((contender) => contender.name === name)?.metrics[metric]
  const tuned = contenders.find((contender) => contender.name === "tuned")?.metrics[metric]
  const gained = comparison && gainOf(comparison)
  if (!gained || !other || !tuned || gained.low > 0) return []
  const figures = `${metric} ${figure(other.value)} against ${figure(tuned.value)}`
  const claim =
    gained.high < 0
      ? `does better than the tuned model (${figures})`
      : [
          `does as well, as far as ${count(other.n, "test example")} can tell (${figures}:`,
          `the tuned model is ${betterOrWorse(gained.gain)}, and the true difference lies ${range(gained)})`,
        ].join(" ")
  return [`${subject} ${claim}; ${advantage}.`]
}

function unreadableNotes({ contenders }: Scoring): string[] {
  return contenders
    .filter(({ unreadable }) => unreadable > 0)
    .map(({ name, unreadable, cut = 0, metrics }) => {
      const rows = Object.values(metrics)[0]?.n
      const answers = `${count(unreadable, "answer")} of ${name}${rows === undefined ? "" : ` (of ${rows})`}`
      const counts = `${unreadable === 1 ? "counts" : "count"} as wrong`
      const why =
        cut === 0
          ? ""
          : `: ${cut === unreadable ? "all" : cut} of them were cut off at the most tokens of an answer, ` +
            "which evaluation.maxNewTokens of the job sets"
      return `${answers} could not be read as an output of the task and ${counts}${why}.`
    })
}

function untestedNote(task: TaskSpecification, contenders: readonly ContenderRows[]): string[] {
  if (task.kind !== "label") return []
  const tested = new Set(contenders[0]?.rows.map(({ references: [reference] }) => reference))
  const untested = labelsOf(task).filter((label) => !tested.has(label))
  if (untested.length === 0) return []
  const [noun, pronoun] = untested.length === 1 ? ["label", "it"] : ["labels", "them"]
  return [`No test example has the ${noun} ${untested.join(", ")}: the figures say nothing about ${pronoun}.`]
}
