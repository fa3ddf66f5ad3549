import { z } from "zod"
import { addressSchema } from "../addresses.ts"

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
      "Every candidate that passed the other checks is labelled once more, without its output; how far " +
        "the two agree is its confidence",
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

/** `expand` of a specification: how candidates are grown from the train seeds. */
export const expandSchema = z.strictObject({
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
      "What new examples must not be, in words that the model is told: the reasons for which reviewers " +
        "turned candidates down",
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
      baseUrl: addressSchema.optional().describe("The server's address; default: the environment's OPENAI_BASE_URL"),
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
      patienceSeconds: z
        .number()
        .positive()
        .default(60)
        .describe(
          "For how long a server is asked that only refuses (HTTP 429), in seconds, beyond the longest wait that it " +
            "asks for",
        ),
    })
    .prefault({})
    .describe("How fast the model is asked"),
  budgetUsd: z
    .number()
    .min(0)
    .optional()
    .describe("The most that all requests of this task may cost, ever, in US dollars"),
})
