import { existsSync, readdirSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { z } from "zod"
import type { Prediction } from "../../core/contracts/backend.ts"
import { parseJson } from "../../core/json-text.ts"
import type { EvaluationHeader } from "../../core/training/evaluation-header.ts"
import { readLines } from "../files/files.ts"
import { writeDigested } from "../files/staged-file.ts"
import type { Workspace } from "../workspace.ts"
import { earlierFile } from "./earlier-answers.ts"

const predictionSchema: z.ZodType<Prediction> = z.object({
  id: z.string(),
  output: z.string(),
  thought: z.string().optional(),
  silence: z.string().optional(),
  latencyMs: z.number().nullable(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  finish: z.enum(["stop", "length"]),
})

/** Where the answers of a contender are kept; `key` is 16 hex digits of all that they follow from. */
export function answersFile(workspace: Workspace, task: string, contender: string, key: string): string {
  return join(answersFolder(workspace, task), `${fileName(contender)}-${key}.jsonl`)
}

/** Every file of kept answers of the task. */
export function answersFiles(workspace: Workspace, task: string): string[] {
  const folder = answersFolder(workspace, task)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl") && !name.startsWith("."))
    .sort()
    .map((name) => join(folder, name))
}

/**
 * The answers in the file; undefined where there is none or, with `ids` given, where it does not answer exactly these
 * rows in this order. Broken answers are none.
 */
export function readAnswers(file: string, ids?: readonly string[]): Prediction[] | undefined {
  if (!existsSync(file)) return undefined
  const answers: Prediction[] = []
  for (const { text } of readLines(file)) {
    const parsed = predictionSchema.safeParse(parseJson(text))
    if (!parsed.success || (ids !== undefined && parsed.data.id !== ids[answers.length])) return undefined
    answers.push(parsed.data)
  }
  return ids === undefined || answers.length === ids.length ? answers : undefined
}

/** The answers lie in the file, whole. */
export function keepAnswers(file: string, answers: Iterable<Prediction>): void {
  writeDigested(file, jsonLines(answers))
}

/** The recorded answers of an evaluation to what it asked under the label; undefined where they are not there. */
export function answersOf(workspace: Workspace, header: EvaluationHeader, label: string): Prediction[] | undefined {
  const kept = header.answers?.[label]
  return readAnswers(
    kept === undefined ? earlierFile(workspace, header.run, header.evaluation, label) : resolve(workspace.root, kept),
  )
}

/** Where generations of the run worked or work still. */
export function generationWorks(workspace: Workspace, run: string): string[] {
  const folder = join(workspace.runFolder(run), "generation")
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((key) => join(folder, key, "work"))
    : []
}

/** Where a generation of the run works, and where the rows that are asked lie meanwhile. */
export function generationFolder(workspace: Workspace, run: string, key: string) {
  const folder = join(workspace.runFolder(run), "generation", key)
  return {
    work: join(folder, "work"),
    discardRows: () => rmSync(join(folder, "rows"), { recursive: true, force: true }),
    rowsFile: (label: string) => join(folder, "rows", `${fileName(label)}.jsonl`),
  }
}

function* jsonLines(rows: Iterable<unknown>): Generator<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`
}

function answersFolder(workspace: Workspace, task: string): string {
  return join(workspace.root, ".tuneloop", "answers", task)
}

/** A name as a file may have it: that of a contender may have a colon and a part after it. */
function fileName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, "_")
}
