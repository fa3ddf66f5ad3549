import type { z } from "zod"
import type { Example } from "../rows/example.ts"
import type { Message } from "../task/prompt.ts"
import type { TaskKind, TaskSpecification } from "../task/task.ts"
import type { ModelRef } from "../training/model-ref.ts"

/** What a contender cannot answer without, from what every evaluation has to what it is about. */
export const contenderNeeds = ["base model", "train rows", "recorded answers", "tuned model"] as const
export type ContenderNeed = (typeof contenderNeeds)[number]

/** What a contender may learn from or show. Nothing held out ever gets here. */
export interface ContenderMaterial {
  readonly task: TaskSpecification
  /** The train rows that the tuned model was trained on. */
  readonly train: readonly Example[]
}

/** What there is to answer with. */
export interface ContenderTools {
  readonly base: ModelRef
  readonly tuned: ModelRef
  /** A linear model over the words of the texts: the label of a text. */
  readonly trainClassifier: (rows: readonly { text: string; label: string }[]) => (text: string) => string
}

/**
 * How a contender's answers come about; the stage does the work and keeps the answers. Equal work is done once,
 * whatever evaluation asks for it.
 */
export type ContenderWork =
  | {
      /** A model answers each row where its weights are. */
      readonly kind: "generate"
      /** The rows that stand in every question, beside the one that is asked. */
      readonly shown?: readonly Example[] | undefined
      readonly model: ModelRef
      readonly question: (row: Example) => readonly Message[]
    }
  | {
      /** The answers are computed here. */
      readonly kind: "computed"
      /** All that the answers follow from besides the rows; plain data. */
      readonly model: Readonly<Record<string, unknown>>
      /** What is learnt before the first row is answered; called only when answers are missing. */
      readonly learn: () => (row: Example) => string
    }
  | {
      /** The answers were recorded before: those of `datasets/<task>/recorded/<recording>.jsonl`. */
      readonly kind: "kept"
      readonly recording: string
    }

/** The default export of a file in contenders/, whose name is the contender's id: one way to do the task. */
export interface Contender<Options = unknown> {
  /** What the name stands for, in a report's legend: `the base model with the prompt alone`. */
  readonly summary: string
  readonly kinds: readonly TaskKind[]
  readonly needs: readonly ContenderNeed[]
  /** What the part after the colon of its name is; a contender without it has no such part. */
  readonly argument?: string
  /**
   * The keys of the job's `evaluation` that it reads; the others are not its own. Where the contender's name has an
   * argument, it is the key `argument`.
   */
  readonly options: z.ZodType<Options>
  /** The recording of its answers; the test set stays closed while one of them is missing. */
  recording?(options: Options): string
  /** What a reader of the verdict should weigh where the tuned model is not better than this contender. */
  readonly alternative?: { readonly subject: string; readonly advantage: string }
  /** The train rows that it was trained on or has in its prompt: test rows that are near them leave the comparison. */
  seen(material: ContenderMaterial, options: Options): readonly Example[]
  work(material: ContenderMaterial, tools: ContenderTools, options: Options): ContenderWork
}

/** A contender with its options; `name` is as it was asked for, argument included. */
export interface ConfiguredContender {
  readonly name: string
  readonly contender: Contender
  readonly options: unknown
}

/** Whether the tuned model may be compared with it: everything but what needs the tuned model. */
export function isComparable({ needs }: Pick<Contender, "needs">): boolean {
  return !needs.includes("tuned model")
}

/** The names with those first that need the least. */
export function byNeeds(contenders: Readonly<Record<string, Pick<Contender, "needs">>>): string[] {
  const most = ({ needs }: Pick<Contender, "needs">) =>
    Math.max(-1, ...needs.map((need) => contenderNeeds.indexOf(need)))
  return Object.entries(contenders)
    .sort(([a, first], [b, second]) => most(first) - most(second) || (a < b ? -1 : 1))
    .map(([name]) => name)
}
