import { z } from "zod"
import { rightsSchema } from "./rights.ts"

/** Names of tasks, jobs and fields become file names and columns: lower-case words joined by hyphens. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "must be lower-case letters, digits and single hyphens, starting with a letter",
  )
  .max(64, "must have at most 64 characters")

/** The kinds of task: what an output is. */
export const taskKinds = ["label", "multilabel", "json", "text", "chat"] as const
export type TaskKind = (typeof taskKinds)[number]

/** The version of the form of a file that people write. */
export const schemaVersion = z.literal(1).default(1).describe("The version of this file's form; 1 is the only one")

const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]*$/, "must be letters, digits and underscores, starting with a letter")

const inputField = z.strictObject({
  description: z.string().optional().describe("What the field holds, for people and for models that grow examples"),
  type: z.enum(["string", "number", "boolean"]).default("string").describe("The type of the value"),
  required: z.boolean().default(true).describe("Whether every row must have the field"),
  maxLength: z.int().positive().default(20_000).describe("The longest text allowed, in characters"),
})

const labels = z
  .record(z.string().min(1).max(80), z.string().min(1))
  .refine((record) => Object.keys(record).length >= 2, "needs at least two labels")
  .refine(
    (record) => Object.keys(record).every((label) => /^\S(.*\S)?$/.test(label)),
    "a label must be one line that neither begins nor ends with white space",
  )
  .describe("Each label and what it means; the order is the order of reports")

const share = z.number().gt(0).lt(1)

const labelOutput = z
  .strictObject({
    labels,
    prevalence: z
      .record(z.string(), share)
      .optional()
      .describe(
        "The true share of each label where the model will be used; they add up to 1. Training rows are weighted by it, and figures are given for it beside the plain ones",
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

const multilabelOutput = z
  .strictObject({
    labels: labels.refine(
      (record) => !Object.keys(record).some((label) => label.includes(",")),
      "a label of a multilabel task must not have a comma, which stands between labels",
    ),
    prevalence: z
      .record(z.string(), share)
      .optional()
      .describe(
        "The true share of inputs that have the label, for some or all labels, where the model will be used. As for kind label",
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

const jsonOutput = z.strictObject({
  schema: z.record(z.string(), z.unknown()).describe("JSON Schema (2020-12) of the output object"),
})

const textOutput = z.strictObject({
  minLength: z.int().min(1).default(1).describe("The shortest text allowed, in characters"),
  maxLength: z.int().positive().default(20_000).describe("The longest text allowed, in characters"),
})

const tool = z.strictObject({
  name: z.string().min(1).describe("The name the model calls it by"),
  description: z.string().optional().describe("What the tool does, for the model"),
  parameters: z.record(z.string(), z.unknown()).default({}).describe("JSON Schema of the arguments"),
})

const chatOutput = z.strictObject({
  tools: z.array(tool).default([]).describe("The tools the model may call"),
  maxLength: z.int().positive().default(20_000).describe("The longest target turn allowed, in characters"),
})

const promptTemplate = z.strictObject({
  system: z
    .string()
    .optional()
    .describe(
      "The system message; {labels} is replaced by the label names, {definitions} by names with meanings, {guideline} by the guideline",
    ),
  user: z
    .string()
    .optional()
    .describe(
      "The user message; {field} is replaced by that input field. Default: the only field, or all fields as lines",
    ),
})

const checks = z.strictObject({
  secondPass: z
    .strictObject({
      model: z
        .string()
        .optional()
        .describe("Another model at the same server; default: the same model, shown other seeds in another order"),
      minimum: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe(
          "A candidate whose two outputs agree less than this fails; 0: none fails, the agreement orders the review",
        ),
      shots: z.int().min(0).max(50).default(8).describe("How many seeds the second pass shows at most"),
      shotTokens: z.int().positive().default(1500).describe("How many tokens they may take together, by estimate"),
    })
    .optional()
    .describe(
      "Every candidate that passed the other checks is labelled once more, without its output; how far the two agree is its confidence",
    ),
  judge: z
    .strictObject({
      rubric: z.string().min(1).describe("What makes an example good, in words; the judge gives 1 to 5"),
      model: z.string().optional().describe("Another model at the same server; default: the same model"),
      minimum: z
        .number()
        .min(0)
        .max(1)
        .default(0.75)
        .describe("A candidate that is judged below this fails; 1 to 5 is counted as 0 to 1"),
    })
    .optional()
    .describe("Every candidate that passed the other checks is judged by a model"),
})

const expand = z.strictObject({
  strategies: z.record(z.string(), z.unknown()).default({}).describe("Each strategy by name, with its own options"),
  attributes: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z][\w -]*$/, "must be letters, digits, spaces, - and _, starting with a letter")
        .max(40),
      z.array(z.string().trim().min(1)).min(2),
    )
    .refine((attributes) => !Object.hasOwn(attributes, "label"), "must not be called label, which the labels are")
    .default({})
    .describe("In what inputs differ, each attribute with its values: the grid covers every combination"),
  avoid: z
    .array(z.string().trim().min(1).max(300))
    .default([])
    .describe(
      "What new examples must not be, in words that the model is told: the reasons for which reviewers turned candidates down",
    ),
  roundSize: z
    .int()
    .positive()
    .default(100)
    .describe(
      "How many requests a round has. Its prompts are fixed beforehand; the next round looks at what it filled",
    ),
  checks: checks
    .prefault({})
    .describe("What is asked of a model about candidates, besides the checks that cost nothing"),
  model: z
    .strictObject({
      provider: z
        .string()
        .default("openai")
        .describe("The file in models/ that asks: openai speaks to any OpenAI-compatible server"),
      model: z
        .string()
        .optional()
        .describe("The model's name at the server; default: the environment's TUNELOOP_MODEL"),
      baseUrl: z
        .url({ protocol: /^https?$/, error: "must be an address that begins with http:// or https://" })
        .optional()
        .describe("The server's address; default: the environment's OPENAI_BASE_URL"),
      temperature: z.number().min(0).max(2).default(0.8).describe("How freely the model chooses its words"),
      maxTokens: z.int().positive().default(1024).describe("The most tokens an answer may have"),
    })
    .optional()
    .describe("The model that grows examples; not needed for strategies that ask none"),
  pace: z
    .strictObject({
      requestsPerMinute: z
        .number()
        .positive()
        .optional()
        .describe("The most requests a minute; default: what the server's headers say"),
      tokensPerMinute: z
        .number()
        .positive()
        .optional()
        .describe("The most tokens a minute, input and output; default: what the server's headers say"),
      concurrency: z
        .int()
        .min(1)
        .max(1000)
        .default(4)
        .describe("Requests in flight at once; a crash asks at most so many again"),
    })
    .prefault({})
    .describe("How fast the model is asked"),
  budgetUsd: z
    .number()
    .min(0)
    .optional()
    .describe("The most that all requests of this task may cost, ever, in US dollars"),
})

const privacy = z.strictObject({
  personalData: z
    .enum(["flag", "refuse", "drop", "pseudonymise"])
    .default("flag")
    .describe(
      "What happens to rows with personal data or secrets. flag: they are named when they arrive. refuse: they are not imported. drop: they are named, and no version is trained on them. pseudonymise: a version has [EMAIL_1] and the like instead, the same for the same thing within an example",
    ),
  names: z
    .array(z.string().trim().min(2))
    .default([])
    .describe("Names of people to be found as well, written as in the texts"),
})

const rate = z.number().gt(0).lt(1)
const policy = z.enum(["all", "sample", "auto"])
const names = z
  .array(z.string().trim().min(1))
  .refine((list) => new Set(list).size === list.length, "a name stands there twice")

const review = z.strictObject({
  policy: policy
    .default("all")
    .describe(
      "How much people decide on. all: every candidate. sample: of each batch a random sample; the rest is accepted when the sample shows that few enough are wrong. auto: candidates above a confidence from which few enough decided ones were wrong are accepted, the others asked",
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
      "Gold examples mixed in, as a share of the candidates: what a reviewer says of them changes no data, and shows how often they err",
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

const build = z.strictObject({
  threshold: z
    .number()
    .gt(0)
    .lte(1)
    .optional()
    .describe(
      "Jaccard similarity from which two inputs are near-duplicates. Default: 0.7 for short texts, 0.8 for long ones",
    ),
  ngram: z
    .int()
    .min(4)
    .default(13)
    .describe("A train row sharing this many consecutive words with a held-out row is dropped"),
  benchmarks: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Files of benchmarks that are measured elsewhere, as paths in the workspace: a train row that meets one of their inputs is dropped",
    ),
  maxLength: z
    .int()
    .positive()
    .default(20_000)
    .describe("A row whose input and output together are longer, in characters, is dropped"),
  semantic: z
    .strictObject({
      model: z.string().min(1).describe("The embedding model's name at the server"),
      baseUrl: z
        .url({ protocol: /^https?$/, error: "must be an address that begins with http:// or https://" })
        .default("https://api.openai.com/v1")
        .describe("The address of a server that speaks OpenAI's embeddings"),
      dimensions: z.int().positive().optional().describe("How long the vectors shall be, where the model can choose"),
      threshold: z
        .number()
        .gt(0)
        .lte(1)
        .default(0.95)
        .describe("The cosine from which two inputs mean the same; it depends on the model"),
      drop: z
        .boolean()
        .default(false)
        .describe(
          "Whether such rows leave the version: those near held-out rows, and the lesser of two with the same output. Otherwise they are told",
        ),
    })
    .optional()
    .describe("Duplicates in other words, by an embedding model: every input goes to its server, once"),
})

const verdict = z.strictObject({
  metric: z
    .string()
    .optional()
    .describe("The metric that decides. Default: accuracy for labels, exact-match otherwise"),
  incumbent: z.string().default("few-shot").describe("The contender to beat: zero-shot, few-shot or linear"),
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

const holdout = z.strictObject({
  openings: z
    .int()
    .min(1)
    .default(10)
    .describe(
      "The test set is worn when so many decisions (evaluations, exports with the test rows) have opened at least half of it: then refresh it",
    ),
})

const shared = {
  schemaVersion,
  task: nameSchema.describe("The task's name; the file is specs/<task>.yaml"),
  description: z.string().min(1).describe("What the model must do, in a sentence or two"),
  guideline: z.string().default("").describe("How people decide the hard cases; its digest goes into every decision"),
  prompt: promptTemplate.prefault({}).describe("How an input is rendered for the model, in training and in serving"),
  privacy: privacy.prefault({}).describe("What happens to personal data and secrets in arriving rows"),
  rights: rightsSchema.prefault({}).describe("Whose the data is, and what may not come together"),
  expand: expand.prefault({}).describe("How candidates are grown from the train seeds"),
  review: review.prefault({}).describe("Who decides on candidates"),
  build: build.prefault({}).describe("What is left out of a dataset version"),
  filters: z
    .record(z.string(), z.unknown())
    .default({})
    .describe(
      "Each quality filter by name, with its own options; those that are not named are on, with their defaults",
    ),
  holdout: holdout.prefault({}).describe("When the test set is worn"),
  verdict: verdict.prefault({}).describe("The rule of the verdict, written before anything is trained"),
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
      output: labelOutput.describe("The labels"),
    }),
    z.strictObject({
      ...shared,
      kind: z.literal("multilabel").describe("An output is a list of labels"),
      input,
      output: multilabelOutput.describe("The labels, and how many an output has"),
    }),
    z.strictObject({
      ...shared,
      kind: z.literal("json").describe("An output is a JSON object"),
      input,
      output: jsonOutput.describe("The form of the object"),
    }),
    z.strictObject({
      ...shared,
      kind: z.literal("text").describe("An output is a text"),
      input,
      output: textOutput.prefault({}).describe("How long the text may be"),
    }),
    z.strictObject({
      ...shared,
      kind: z.literal("chat").describe("An output is the next turn of a conversation"),
      output: chatOutput.prefault({}).describe("The tools, and how long the turn may be"),
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

/** What an output may be, without how often: what grown examples and decisions depend on. */
export function outputForm(task: TaskSpecification): object {
  if (task.kind !== "label" && task.kind !== "multilabel") return task.output
  const { prevalence: _, ...form } = task.output
  return form
}

/** The metric that decides the verdict. */
export function decidingMetric(task: TaskSpecification): string {
  return task.verdict.metric ?? (task.kind === "label" ? "accuracy" : "exact-match")
}
