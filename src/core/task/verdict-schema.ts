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
  confidence: z.number().gt(0.5).lt(1).default(0.95).describe("Of the interval of the difference that decides"),
  power: z.number().gt(0.5).lt(1).default(0.8).describe("The chance to see the expected gain, when it is real"),
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
  bootstrap: z.int().min(200).default(2000).describe("Resamples for the intervals"),
})

/** `holdout` of a specification: when the test set is worn. */
export const holdoutSchema = z.strictObject({
  openings: z
    .int()
    .min(1)
    .default(10)
    .describe(
      "The test set is worn when so many decisions (evaluations, exports with the test rows) have opened " +
        "at least half of it: then refresh it",
    ),
})
