import { z } from "zod"
import { addressSchema } from "../addresses.ts"
import { numberRules } from "./number-rule.ts"

/** `build` of a specification: what a dataset version does not take. */
export const buildSchema = z.strictObject({
  threshold: z
    .number()
    .gt(0)
    .lte(1)
    .optional()
    .describe(
      "Jaccard similarity from which two inputs are near-duplicates. Default: 0.7 for short texts, 0.8 for long ones",
    ),
  nearDuplicates: z
    .strictObject({
      numbers: z
        .enum(numberRules)
        .default("keep")
        .describe(
          "Two inputs that differ in a number or an identifier with a digit (1182, a17, 3.5): keep: they are two " +
            "inputs, however alike the rest. drop: all numbers count as one, so that they are near-duplicates",
        ),
    })
    .optional()
    .describe("What makes two inputs near-duplicates, when they are held out and when a version is built"),
  ngram: z
    .int()
    .min(4)
    .default(13)
    .describe("A train row sharing this many consecutive words with a held-out row is dropped"),
  benchmarks: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Files of benchmarks that are measured elsewhere, as paths in the workspace: a train row that meets " +
        "one of their inputs is dropped",
    ),
  maxLength: z
    .int()
    .positive()
    .default(20_000)
    .describe("A row whose input and output together are longer, in characters, is dropped"),
  semantic: z
    .strictObject({
      model: z.string().min(1).describe("The embedding model's name at the server"),
      baseUrl: addressSchema
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
          "Whether such rows leave the version: those near held-out rows, and the lesser of two with the " +
            "same output. Otherwise they are only reported",
        ),
    })
    .optional()
    .describe("Duplicates in other words, by an embedding model: every input goes to its server, once"),
})
