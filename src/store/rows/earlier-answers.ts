import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { parseJson } from "../../core/json-text.ts"
import { readLines } from "../files/files.ts"
import type { Workspace } from "../workspace.ts"

const requestSchema = z.object({
  latencyRows: z.number(),
  jobs: z.array(z.object({ name: z.string(), maxNewTokens: z.number(), latency: z.boolean() })),
})

/** Answers from before they were kept by what they follow from: under the evaluation that asked for them. */
export interface EarlierAnswers {
  readonly evaluation: string
  readonly answers: string
  /** The lines that were asked. */
  readonly rows: () => Iterable<string>
  /** How they were asked, as far as the request is still there: it is the same for the whole evaluation. */
  readonly decoding: { readonly maxNewTokens: number; readonly latencyRows: number } | undefined
}

/** The earlier answers of the run under the label, in the order of the evaluations. */
export function earlierAnswers(workspace: Workspace, run: string, label: string): EarlierAnswers[] {
  const folder = join(workspace.runFolder(run), "predictions")
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((evaluation) => ({ evaluation, answers: earlierFile(workspace, run, evaluation, label) }))
    .filter(({ answers }) => existsSync(answers))
    .map(({ evaluation, answers }) => {
      const request = requestSchema.safeParse(
        parseJson([...readLines(join(folder, evaluation, "work", "request.json"))].map(({ text }) => text).join("\n")),
      )
      const asked = request.data?.jobs[0]
      return {
        evaluation,
        answers,
        rows: () => linesOf(join(folder, evaluation, "rows", `${label}.jsonl`)),
        decoding: asked && request.data && { maxNewTokens: asked.maxNewTokens, latencyRows: request.data.latencyRows },
      }
    })
}

/** Where an evaluation kept what it asked under the label. */
export function earlierFile(workspace: Workspace, run: string, evaluation: string, label: string): string {
  return join(workspace.runFolder(run), "predictions", evaluation, `${label}.jsonl`)
}

function* linesOf(file: string): Generator<string> {
  for (const { text } of readLines(file)) yield text
}
