import { spawn } from "node:child_process"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { TokenCounts } from "../core/contracts/backend.ts"
import { ProviderError } from "../core/errors.ts"
import { parseJson } from "../core/parse.ts"

/**
 * What the script says of the rows; its failure is a ProviderError with its own message and hint. Rows are handed over
 * one by one.
 */
export async function countTokens(
  python: string,
  words: readonly string[],
  rows: Iterable<string>,
  environment: NodeJS.ProcessEnv,
): Promise<TokenCounts> {
  const child = spawn(python, words, { stdio: ["pipe", "pipe", "pipe"], env: environment })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-2000)))
  const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve))
  // A script that ends early closes its input; its answer says why.
  await Promise.all([ended, pipeline(Readable.from(rows), child.stdin).catch(() => undefined)])
  const answer = parseJson(stdout) as
    | TokenCounts
    | { readonly error: { readonly message: string; readonly hint: string } }
    | undefined
  if (answer === undefined || "error" in answer)
    throw new ProviderError(
      `the tokens could not be counted: ${answer?.error.message ?? (stderr.trim().split("\n").at(-1) || "no answer")}`,
      {
        provider: "local",
        hint: answer?.error.hint || "Nothing is fetched for a count: a model of the hub must be in its cache already.",
      },
    )
  return answer
}
