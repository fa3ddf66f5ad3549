import { z } from "zod"
import { buildSchema } from "./build-schema.ts"
import { expandSchema } from "./expand-schema.ts"
import { nameSchema, schemaVersion } from "../names.ts"
import {
  chatOutputSchema,
  jsonOutputSchema,
  labelOutputSchema,
  multilabelOutputSchema,
  textOutputSchema,
} from "./output-schema.ts"
import { reviewSchema } from "./review-schema.ts"
import { rightsSchema } from "./rights.ts"
import { holdoutSchema, verdictSchema } from "./verdict-schema.ts"

/** The kinds of task: what an output is. */
export const taskKinds = ["label", "multilabel", "json", "text", "chat"] as const
export type TaskKind = (typeof taskKinds)[number]

const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, "must be letters, digits and underscores, starting with a letter")

const inputField = z.strictObject({
  description: z.string().optional().describe("What the field holds, for people and for models that grow examples"),
  type: z.enum(["string", "number", "boolean"]).default("string").describe("The type of the value"),
  required: z.boolean().default(true).describe("Whether every row must have the field"),
  maxLength: z.int().positive().default(20_000).describe("The longest text allowed, in characters"),
})

const promptTemplate = z.strictObject({
  system: z
    .string()
    .optional()
    .describe(
      "The system message; {labels} is replaced by the label names, {definitions} by names with meanings, " +
        "{guideline} by the guideline",
    ),
  user: z
    .string()
    .optional()
    .describe(
      "The user message; {field} is replaced by that input field. Default: the only field, or all fields as lines",
    ),
})

const privacySchema = z.strictObject({
  personalData: z
    .enum(["flag", "refuse", "drop", "pseudonymise"])
    .default("flag")
    .describe(
      "What happens to rows with personal data or secrets. flag: they are named when they arrive. refuse: " +
        "they are not imported. drop: they are named, and no version is trained on them. pseudonymise: a " +
        "version has [EMAIL_1] and the like instead, the same for the same thing within an example",
    ),
  names: z
    .array(z.string().trim().min(2))
    .default([])
    .describe("Names of people to be found as well, written as in the texts"),
})

const shared = {
  schemaVersion,
  task: nameSchema.describe("The task's name; the file is specs/<task>.yaml"),
  description: z.string().min(1).describe("What the model must do, in a sentence or two"),
  guideline: z.string().default("").describe("How people decide the hard cases; its digest goes into every decision"),
  prompt: promptTemplate.prefault({}).describe("How an input is rendered for the model, in training and in serving"),
  privacy: privacySchema.prefault({}).describe("What happens to personal data and secrets in arriving rows"),
  rights: rightsSchema.prefault({}).describe("Whose the data is, and what may not come together"),
  expand: expandSchema.prefault({}).describe("How candidates are grown from the train seeds"),
  review: reviewSchema.prefault({}).describe("Who decides on candidates"),
  build: buildSchema.prefault({}).describe("What is left out of a dataset version"),
  filters: z
    .record(z.string(), z.unknown())
    .default({})
    .describe(
      "Each quality filter by name, with its own options; those that are not named are on, with their defaults",
    ),
  holdout: holdoutSchema
    .prefault({})
    .describe("Which rows belong together, whether the newest are held out, and when the test set is worn"),
  verdict: verdictSchema.prefault({}).describe("The rule of the verdict, written before anything is trained"),
}
const input = z
  .record(fieldName, inputField)
  .refine((fields) => Object.keys(fields).length > 0, "needs at least one field")
  .describe("The fields of an input, by name")

/** The task specification, `specs/<task>.yaml`: strict, an unknown key is an error. */
export const taskSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({
      ...shared,
      kind: z.literal("label").describe("An output is one of the labels"),
      input,
      output: labelOutputSchema.describe("The labels"),
    }),
    z.strictObject({
      ...shared,
      kind: z.literal("multilabel").describe("An output is a list of labels"),
      input,
      output: multilabelOutputSchema.describe("The labels, and how many an output has"),
    }),
    z.strictObject({
      ...shared,
      kind: z.literal("json").describe("An output is a JSON object"),
      input,
      output: jsonOutputSchema.describe("The form of the object"),
    }),
    z.strictObject({
      ...shared,
      kind: z.literal("text").describe("An output is a text"),
      input,
      output: textOutputSchema.prefault({}).describe("How long the text may be"),
    }),
    z.strictObject({
      ...shared,
      kind: z.literal("chat").describe("An output is the next turn of a conversation"),
      output: chatOutputSchema.prefault({}).describe("The tools, and how long the turn may be"),
    }),
  ])
  .describe("A Tuneloop task specification")
export type TaskSpecification = z.output<typeof taskSchema>

/** The labels of a label or multilabel task in the order of the specification; empty for other kinds. */
export function labelsOf(task: TaskSpecification): readonly string[] {
  return task.kind === "label" || task.kind === "multilabel" ? Object.keys(task.output.labels) : []
}

const outOfScopeNames =
  /^(other|others|none|none[- _]of[- _](these|the[- _]above|them)|out[- _]of[- _](scope|domain)|oos|anything[- _]else|misc(ellaneous)?)$/i

/**
 * The label for what a label task is not about: the declared one, else one that is called like it; undefined where
 * there is none.
 */
export function outOfScopeLabel(
  task: TaskSpecification,
): { readonly label: string; readonly isDeclared: boolean } | undefined {
  if (task.kind !== "label") return undefined
  if (task.output.outOfScope !== undefined) return { label: task.output.outOfScope, isDeclared: true }
  const label = labelsOf(task).find((name) => outOfScopeNames.test(name))
  return label === undefined ? undefined : { label, isDeclared: false }
}

/** What an output may be, without how often and how many: what grown examples and decisions depend on. */
export function outputForm(task: TaskSpecification): object {
  if (task.kind !== "label" && task.kind !== "multilabel") {
    const { manyAnswers: _, ...form } = task.output
    return form
  }
  const { prevalence: _, ...form } = task.output
  return form
}

/** Whether an input may have several good outputs. */
export function hasManyAnswers(task: TaskSpecification): boolean {
  return task.kind !== "label" && task.kind !== "multilabel" && task.output.manyAnswers === true
}

/** The metric that decides the verdict. */
export function decidingMetric(task: TaskSpecification): string {
  return task.verdict.metric ?? (task.kind === "label" ? "accuracy" : "exact-match")
}
