import type { DropReason } from "./drop-reasons.ts"
import { z } from "zod"

/** The parts of a task's split. */
export const splits = ["train", "validation", "test"] as const
export type Split = (typeof splits)[number]

/** An input: the fields by name; for chat tasks `{messages, tools?}`. */
export const inputSchema = z.record(z.string(), z.unknown())
export type Input = z.output<typeof inputSchema>
/** An output: a label, a list of labels, a JSON value, a text, or a target turn, by the task's kind. */
export type Output = unknown

const id = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}_[0-9a-f]{16}$`), `must be ${prefix}_ and 16 hex digits`)

/** A line of `seeds.jsonl`: a gold example. */
export const seedSchema = z.strictObject({
  id: id("seed").describe("The id, given once: it stays when the text is corrected"),
  input: inputSchema.describe("The fields of the input, by name"),
  output: z.unknown().describe("The output, in the form that the task's kind has"),
  source: z.string().optional().describe("Where the row came from, in the words of whoever imported it"),
  key: z.string().optional().describe("The user's own key of the row"),
  personalData: z.array(z.string()).optional().describe("Kinds of personal data or secrets found when it arrived"),
  columns: z
    .record(z.string(), z.string())
    .optional()
    .describe("The columns of its file that holdout.groupBy and holdout.newestBy name; never shown to a model"),
})
export type Seed = z.output<typeof seedSchema>

/** A line of `inputs.jsonl`: a real input without an answer. */
export const realInputSchema = seedSchema
  .omit({ output: true })
  .extend({ id: id("input").describe("The id, given once: it stays when the text is corrected") })
export type RealInput = z.output<typeof realInputSchema>

/** A line of `splits.jsonl`: where an id is held, for good. */
export const assignmentSchema = z.strictObject({
  id: z.string().describe("The id of a seed or real input"),
  split: z.enum(splits).describe("Where it is held"),
  stratum: z.string().describe("The group that it was counted with: its label or labels, all, or unlabelled"),
})
export type Assignment = z.output<typeof assignmentSchema>

export const checkSchema = z.strictObject({
  name: z.string().describe("What was checked"),
  ok: z.boolean().describe("Whether it passed"),
  value: z.number().optional().describe("What was measured"),
  detail: z.string().optional().describe("What was found, for people"),
})
export type CandidateCheck = z.output<typeof checkSchema>

/** A line of `candidates/<batch>.jsonl`: a grown example nobody decided on. */
export const candidateSchema = z.strictObject({
  id: id("cand").describe("The id, a digest of strategy, input and output"),
  request: z.string().optional().describe("The digest of the request that made it; absent when no model was asked"),
  parents: z.array(z.string()).describe("The ids of the seeds it was grown from"),
  strategy: z.string().describe("The strategy that grew it"),
  model: z.string().optional().describe("The provider and model that wrote it; absent when none was asked"),
  input: inputSchema.describe("The fields of the input, by name"),
  output: z.unknown().describe("The output, in the form that the task's kind has"),
  checks: z.array(checkSchema).describe("What was checked when it was grown"),
  confidence: z
    .number()
    .optional()
    .describe("How far a second labelling pass agrees, or what a judge gave, 0 to 1; the lower of both"),
  cell: z
    .record(z.string(), z.string())
    .optional()
    .describe("What it covers: its label, and the attributes that its strategy asked for"),
  answers: z.string().optional().describe("The id of the real input that it proposes an output for"),
})
export type Candidate = z.output<typeof candidateSchema>

/**
 * A line of `quarantine/<batch>.jsonl`: an answer of a model without a text, or one that could not be read, or only in
 * part, not after one repair either.
 */
export const quarantinedSchema = z.strictObject({
  request: z.string().describe("The digest of the request"),
  strategy: z.string(),
  parents: z.array(z.string()).describe("The ids of the rows that the request showed"),
  reason: z.string().describe("Why it could not be read"),
  answer: z.string().describe("What the model answered"),
  thought: z.string().optional().describe("What it thought before"),
})
export type QuarantinedAnswer = z.output<typeof quarantinedSchema>

/** How many examples of a cell came how far. */
export const cellYieldSchema = z.object({
  cell: z.record(z.string(), z.string()),
  asked: z.int().describe("Asked for"),
  answered: z.int().describe("Asked for in requests that were answered"),
  parsed: z.int().describe("Read from answers"),
  novel: z.int().describe("Of these, near nothing that is there"),
  passed: z.int().describe("Of these, with every check passed"),
})
export type CellYield = z.output<typeof cellYieldSchema>

/** `yields/<batch>.json`: what came of a batch, by what was to be covered. */
export const batchYieldSchema = z.object({
  schemaVersion: z.literal(1),
  batch: z.string(),
  strategy: z.string(),
  requests: z.int(),
  repaired: z.int().describe("Answers that could be read after one repair"),
  quarantined: z.int().describe("Answers that could not be read"),
  silent: z
    .record(z.string(), z.int())
    .optional()
    .describe("Answers without a text, by what kept the model from saying anything"),
  learnt: z.int().optional().describe("What the reader of its answers had learnt by then"),
  cells: z.array(cellYieldSchema),
  emptyCells: z.array(z.string()).describe("Cells for which nothing passed"),
})
export type BatchYield = z.output<typeof batchYieldSchema>

export const decisionVerdicts = ["accept", "edit", "reject", "withdraw"] as const

/** A line of `decisions/<session>.jsonl`: what a named reviewer decided; appended, never changed. */
export const decisionSchema = z.strictObject({
  item: z.string().describe("The id of what was decided on"),
  rows: z
    .array(z.string())
    .optional()
    .describe("The rows that it is about, where the item is a question about rows that are there already"),
  verdict: z
    .enum(decisionVerdicts)
    .describe("What was decided; withdraw takes back the reviewer's last decision on the item"),
  output: z.unknown().optional().describe("The corrected output, of an edit"),
  reason: z.string().optional().describe("The reviewer's comment"),
  reviewer: z.string().min(1).describe("Who decided"),
  guideline: z.string().describe("The digest of the guideline that held"),
  revision: z.string().describe("The digest of the content that was decided on"),
  settles: z
    .array(z.string())
    .optional()
    .describe(
      "The outcomes that reviewers gave before and between which it was chosen, by their digests; it " +
        "counts before theirs",
    ),
  at: z.iso.datetime().describe("When"),
  source: z
    .strictObject({ file: z.string().describe("The file"), row: z.int().describe("The row in it") })
    .optional()
    .describe("The file that the decision was imported from"),
})
export type DecisionLine = z.output<typeof decisionSchema>
/** A decision that was not taken back. */
export type Decision = DecisionLine & { readonly verdict: Exclude<DecisionLine["verdict"], "withdraw"> }

/**
 * A line of `queue/label-errors.jsonl`: a row whose label is probably wrong. It holds no text, so that a sealed row
 * stays sealed.
 */
export const labelSuspectSchema = z.strictObject({
  id: z.string().describe("The question about the row as it is: another one when its text or output changes"),
  row: z.string(),
  split: z.enum(splits),
  label: z.string(),
  suggested: z.string(),
  selfConfidence: z.number(),
  confidence: z.number(),
  isCurrent: z.boolean().describe("Whether the last search still found it"),
})
export type QueuedSuspect = z.output<typeof labelSuspectSchema>

const conflictSide = z.strictObject({
  row: z.string().describe("The seed, input or candidate"),
  check: z
    .string()
    .describe("The question about the row as it is in its file: another one when its text or output changes"),
  output: z.unknown().describe("The output that it had when the question was asked"),
})

/** A line of `queue/conflicts.jsonl`: two train rows that are near-duplicates and have different outputs. */
export const queuedConflictSchema = z.strictObject({
  id: z.string().describe("Follows from the two rows as they are"),
  a: conflictSide.describe("The row that is worth more: of people before grown, reviewed before not"),
  b: conflictSide.describe("The other row"),
  similarity: z.number().describe("Their Jaccard similarity"),
  isCurrent: z.boolean().describe("Whether the last build still found it"),
})
export type QueuedConflict = z.output<typeof queuedConflictSchema>

export interface Provenance {
  readonly parents: readonly string[]
  readonly strategy: string
  readonly model?: string | undefined
  readonly request?: string | undefined
  readonly source?: string | undefined
  /** The digest of the row's group, where the specification says which rows belong together. */
  readonly group?: string | undefined
  /** The reviewer's name, or `policy:<name>`; `gold` for seeds. */
  readonly acceptedBy: string
  /** Who corrected the output after it was accepted. */
  readonly correctedBy?: string | undefined
}

/** An accepted pair of input and output, as a dataset version and a holdout carry it. */
export interface Example {
  readonly id: string
  readonly input: Input
  readonly output: Output
  readonly provenance: Provenance
}

/** A line of `preferences.jsonl` of a version that has it: two outputs for one input, of which one is better. */
export interface Preference {
  readonly id: string
  readonly input: Input
  readonly chosen: Output
  readonly rejected: Output
  readonly provenance: Provenance
}

/** A row left out of a dataset version: why, and for a duplicate its witness. */
export interface DroppedExample extends Example {
  readonly reason: DropReason
  readonly witness?: string | undefined
  readonly similarity?: number | undefined
  readonly detail?: string | undefined
}

/** A row that was kept although a quality filter found something, because a person wrote or accepted it. */
export interface FlaggedRow {
  readonly id: string
  readonly filter: string
  readonly code: string
  readonly place: "input" | "output"
  /** What was found; left out for what is held out. */
  readonly detail?: string | undefined
}
