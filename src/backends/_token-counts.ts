import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { z } from "zod"
import type { TokenCounts } from "../core/contracts/backend.ts"
import { ProviderError } from "../core/errors.ts"
import { parseJson } from "../core/json-text.ts"
import { commandOf, type Trainer } from "./_work.ts"

const answerSchema = z.union([
  z.object({ error: z.object({ message: z.string(), hint: z.string() }) }),
  z.object({ counts: z.record(z.string(), z.number()), failed: z.record(z.string(), z.string()) }),
])

/**
 * What the script says of the rows; its failure is a ProviderError with its own message and hint. Rows are handed over
 * one by one.
 */
export async function countTokens(
  trainer: Trainer,
  rows: Iterable<string>,
  environment: Readonly<Record<string, string>>,
): Promise<TokenCounts> {
  const { model, revision } = trainer.base
  const [command, ...words] = commandOf(trainer, "count_tokens.py", [model, ...(revision === null ? [] : [revision])])
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-count-"))
  try {
    return await answerOf(command, words, { cwd: folder, env: { ...environment } }, rows)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function answerOf(
  command: string,
  words: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string> },
  rows: Iterable<string>,
): Promise<TokenCounts> {
  const child = spawn(command, words, { ...options, stdio: ["pipe", "pipe", "pipe"] })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-2000)))
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve))
  // A script that ends early closes its input; its answer says why.
  await Promise.all([ended, pipeline(Readable.from(rows), child.stdin).catch(() => undefined)])
  const answer = answerSchema.safeParse(parseJson(stdout)).data
  if (answer !== undefined && !("error" in answer)) return answer
  const reason = answer?.error.message ?? (stderr.trim().split("\n").at(-1) || "no answer")
  throw new ProviderError(`the tokens could not be counted: ${reason}`, {
    provider: "local",
    hint: answer?.error.hint || "Nothing is fetched for a count: a model of the hub must be in its cache already.",
  })
}
