import { z } from "zod"
import { digest } from "../canonical.ts"
import type { Input } from "./example.ts"

/** A line of `recorded/<name>.jsonl`: what a model answered to a row, once and for good. */
export const recordedAnswerSchema = z.strictObject({
  id: z.string().min(1).describe("The id of the row that was asked"),
  inputDigest: z.string().describe("The digest of its input as it was asked"),
  output: z.string().describe("What the model answered; empty where it answered nothing"),
  thought: z.string().optional().describe("What it thought before"),
  refusal: z.string().optional().describe("What it said instead of an answer, where the server says that it refused"),
  finish: z.string().nullable().describe("Why the answer ended, in the server's word; null where it did not say"),
  inputTokens: z.number().nullable().describe("As the server counted them; null where it did not say"),
  outputTokens: z.number().nullable(),
  model: z.string().describe("The model's name at the server"),
  baseUrl: z.string().describe("The server's address"),
  prompt: z.string().describe("The version of the prompt"),
  maxTokens: z.int().positive().describe("The most tokens that the answer could have"),
  at: z.iso.datetime().describe("When it was written down"),
})
export type RecordedAnswer = z.output<typeof recordedAnswerSchema>

/** What all lines of a recording have in common: another model, prompt or length is another recording. */
export type RecordingTerms = Pick<RecordedAnswer, "model" | "baseUrl" | "prompt" | "maxTokens">

/** The digest by which an answer is found again after its row's text was corrected: then it is none. */
export function inputDigest(input: Input): string {
  return digest({ input })
}
