import { z } from "zod"

/** `verdict` of a specification: the rule, written before anything is trained. */
export const verdictSchema = z.strictObject({
  metric: z
    .string()
    .optional()
    .describe("The metric that decides. Default: accuracy for labels, exact-match otherwise"),
  incumbent: z.string().default("few-shot").describe("The contender to beat: any but the tuned model itself"),
  margin: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("The tuned model must be better than the incumbent by more than this"),
  confidence: z
    .number()
    .gt(0.5)
    .max(0.999_999)
    .default(0.95)
    .describe("Of the interval of the difference that decides"),
  power: z.number().gt(0.5).max(0.9999).default(0.8).describe("The chance to see the expected gain, when it is real"),
  expectedGain: z
    .number()
    .gt(0)
    .lte(1)
    .default(0.1)
    .describe("The gain worth a fine-tuned model; the test set is sized to see it"),
  discordance: z
    .number()
    .gt(0)
    .lte(1)
    .default(0.2)
    .describe("The share of examples on which two contenders are expected to differ in being right"),
  bootstrap: z.int().min(200).max(1_000_000).default(2000).describe("Resamples for the intervals"),
})

/** `holdout` of a specification: what belongs together, what is newest, and when the test set is worn. */
export const holdoutSchema = z.strictObject({
  openings: z
    .int()
    .min(1)
    .default(10)
    .describe(
      "The test set is worn when so many decisions (evaluations, exports with the test rows) have opened " +
        "at least half of it: then refresh it",
    ),
  groupBy: z
    .string()
    .trim()
    .min(1)
    .optional()
    .describe(
      "The column of imported files that says which rows belong together: a customer, a document, a thread. " +
        "It is kept with the row and never shown to a model. The rows of a group are in one split, and count " +
        "as one in the statistics",
    ),
  newestBy: z
    .string()
    .trim()
    .min(1)
    .optional()
    .describe(
      "The column of imported files that says when a row came about: the newest rows of each import are held " +
        "out. It is kept with the row and never shown to a model",
    ),
  groupCorrelation: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      "How alike the results on two rows of a group are expected to be, 0 to 1; the test set is sized by it " +
        "where groupBy is named",
    ),
})
