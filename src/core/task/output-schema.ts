import { z } from "zod"

const labels = z
  .record(z.string().min(1).max(80), z.string().min(1))
  .refine((record) => Object.keys(record).length >= 2, "needs at least two labels")
  .refine(
    (record) => Object.keys(record).every((label) => /^\S(.*\S)?$/.test(label)),
    "a label must be one line that neither begins nor ends with white space",
  )
  .describe("Each label and what it means; the order is the order of reports")

const share = z.number().gt(0).lt(1)

/** `output` of a label task. */
export const labelOutputSchema = z
  .strictObject({
    labels,
    prevalence: z
      .record(z.string(), share)
      .optional()
      .describe(
        "The true share of each label where the model will be used; they add up to 1. Training rows are " +
          "weighted by it, and figures are given for it beside the plain ones",
      ),
    outOfScope: z.string().optional().describe("The label for what the task is not about; must be one of the labels"),
  })
  .refine((output) => output.outOfScope === undefined || Object.hasOwn(output.labels, output.outOfScope), {
    path: ["outOfScope"],
    message: "must be one of the labels",
  })
  .superRefine(({ labels: known, prevalence }, context) => {
    if (prevalence === undefined) return
    knownLabels(known, prevalence, context)
    const missing = Object.keys(known).filter((label) => !Object.hasOwn(prevalence, label))
    if (missing.length > 0)
      context.addIssue({
        code: "custom",
        path: ["prevalence"],
        message: `has no share for ${missing.join(", ")}; each label needs one`,
      })
    const sum = Object.values(prevalence).reduce((total, each) => total + each, 0)
    if (missing.length === 0 && Math.abs(sum - 1) > 0.005)
      context.addIssue({
        code: "custom",
        path: ["prevalence"],
        message: `the shares add up to ${Number(sum.toFixed(4))}; they must add up to 1`,
      })
  })

/** `output` of a multilabel task. */
export const multilabelOutputSchema = z
  .strictObject({
    labels: labels.refine(
      (record) => !Object.keys(record).some((label) => label.includes(",")),
      "a label of a multilabel task must not have a comma, which stands between labels",
    ),
    prevalence: z
      .record(z.string(), share)
      .optional()
      .describe(
        "The true share of inputs that have the label, for some or all labels, where the model will be " +
          "used. As for kind label",
      ),
    minimum: z.int().min(0).default(0).describe("The fewest labels an output may have"),
  })
  .superRefine(({ labels: known, prevalence }, context) => {
    if (prevalence !== undefined) knownLabels(known, prevalence, context)
  })

function knownLabels(
  known: Readonly<Record<string, string>>,
  prevalence: Readonly<Record<string, number>>,
  context: z.RefinementCtx,
): void {
  for (const label of Object.keys(prevalence))
    if (!Object.hasOwn(known, label))
      context.addIssue({
        code: "custom",
        path: ["prevalence", label],
        message: `is no label; allowed: ${Object.keys(known).join(", ")}`,
      })
}

const manyAnswers = z
  .boolean()
  .optional()
  .describe(
    "Whether an input may have several good outputs. Then rows with one input and different outputs are no " +
      "conflicts, and only rows that are near in both are duplicates. Default: no",
  )

/** `output` of a json task. */
export const jsonOutputSchema = z.strictObject({
  schema: z.record(z.string(), z.unknown()).describe("JSON Schema (2020-12) of the output object"),
  manyAnswers,
})

/** `output` of a text task. */
export const textOutputSchema = z.strictObject({
  minLength: z.int().min(1).default(1).describe("The shortest text allowed, in characters"),
  maxLength: z.int().positive().default(20_000).describe("The longest text allowed, in characters"),
  manyAnswers,
})

const tool = z.strictObject({
  name: z.string().min(1).describe("The name the model calls it by"),
  description: z.string().optional().describe("What the tool does, for the model"),
  parameters: z.record(z.string(), z.unknown()).default({}).describe("JSON Schema of the arguments"),
})

/** `output` of a chat task. */
export const chatOutputSchema = z.strictObject({
  tools: z.array(tool).default([]).describe("The tools the model may call"),
  maxLength: z.int().positive().default(20_000).describe("The longest target turn allowed, in characters"),
  manyAnswers,
})
