import { z } from "zod"

const rate = z.number().gt(0).lt(1)
const policy = z.enum(["all", "sample", "auto"])
const names = z
  .array(z.string().trim().min(1))
  .refine((list) => new Set(list).size === list.length, "a name stands there twice")

/** `review` of a specification: who decides on candidates. */
export const reviewSchema = z.strictObject({
  policy: policy
    .default("all")
    .describe(
      "How much people decide on. all: every candidate. sample: of each batch a random sample; the rest " +
        "is accepted when the sample shows that few enough are wrong. auto: candidates above a confidence " +
        "from which few enough decided ones were wrong are accepted, the others asked",
    ),
  maxError: rate.default(0.05).describe("Of what is accepted without being asked, at most this share may be wrong"),
  confidence: z
    .number()
    .gt(0.5)
    .lt(1)
    .default(0.95)
    .describe("How sure that has to be: of the exact one-sided bound (Clopper and Pearson)"),
  sampleSize: z
    .int()
    .positive()
    .optional()
    .describe("Candidates of a sample. Default: as many as still show it when one of them is wrong"),
  perLabel: z.boolean().default(false).describe("Whether each label of a batch has a sample of its own"),
  policies: z
    .array(
      z
        .strictObject({
          strategy: z.string().optional().describe("Candidates of this strategy"),
          label: z.string().optional().describe("Candidates with this label"),
          policy: policy.describe("What holds for them"),
          maxError: rate.optional().describe("Instead of review.maxError"),
          confidence: z.number().gt(0.5).lt(1).optional().describe("Instead of review.confidence"),
          sampleSize: z.int().positive().optional().describe("Instead of review.sampleSize"),
          perLabel: z.boolean().optional().describe("Instead of review.perLabel"),
        })
        .refine(
          ({ strategy, label }) => strategy !== undefined || label !== undefined,
          "needs a strategy or a label, or both",
        ),
    )
    .default([])
    .describe("Other policies for some strategies or labels; the first that fits a candidate holds"),
  reviewers: names
    .default([])
    .describe("Who reviews. With names, each gets a share by --reviewer, and gold checks are mixed in"),
  overlap: z
    .number()
    .min(0)
    .max(1)
    .default(0.15)
    .describe("The share of items that two reviewers decide on; those that are uncertain come on top"),
  calibration: z
    .int()
    .min(0)
    .default(20)
    .describe("So many items all reviewers decide on first, to see whether they agree"),
  goldChecks: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.05)
    .describe(
      "Gold examples mixed in, as a share of the candidates: what a reviewer says of them changes no " +
        "data, and shows how often they err",
    ),
  randomShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Drawn from all candidates, whatever the policy, for an unbiased estimate of their errors"),
  lowConfidence: z.number().min(0).max(1).default(0.7).describe("A candidate of a confidence below it is uncertain"),
  secondsPerDecision: z.number().positive().default(20).describe("What a decision takes, until it can be measured"),
})
