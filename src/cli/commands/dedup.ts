import { availableParallelism } from "node:os"
import { InvalidArgumentError, Option, type Command } from "commander"
import { numberRules, type NumberRule } from "../../core/task/number-rule.ts"
import { UsageError } from "../../core/errors.ts"
import { deduplicateFile, type DeduplicateResult } from "../../stages/dedup/deduplicate-file.ts"
import type { Host } from "../host.ts"
import { positive } from "../numbers.ts"
import { machineOutputs } from "../outputs.ts"
import * as machine from "../machine.ts"
import { sketchThreads } from "../threads.ts"

interface Options {
  readonly field?: string
  readonly outputField?: readonly string[]
  readonly threshold?: number
  readonly numbers: NumberRule
  readonly out?: string
  readonly dropped?: string
  readonly report?: string
  readonly threads?: number
  readonly memory?: number
  readonly force?: boolean
}

export function register(command: Command, host: Host): void {
  command
    .argument("<file>", "a JSONL or CSV file")
    .option(
      "--field <path>",
      "the field to compare, a dotted path (default: all fields of the input, as instruction and input, or messages)",
    )
    .option(
      "--output-field <path>",
      "a field in which duplicates must agree, or none; may be repeated (default: output, label and the like)",
      (path: string, before: readonly string[] = []) => [...before, path],
    )
    .option(
      "--threshold <similarity>",
      "from which Jaccard similarity texts are duplicates (default: 0.7 for short texts, 0.8 for long ones)",
      share,
    )
    .addOption(
      new Option(
        "--numbers <rule>",
        "texts that differ in a number (1182, a17) are two texts: keep; or numbers count as one: drop",
      )
        .choices(numberRules)
        .default("keep"),
    )
    .option("--out <file>", "write the rows that are kept")
    .option("--dropped <file>", "write what is dropped as JSONL: line, reason, witnessLine, similarity")
    .option(
      "--report <file>",
      "write what is dropped and the conflicts as JSONL: line, kept, reason, witnessLine, similarity",
    )
    .option("--force", "replace files that are not from an earlier run")
    .option("--threads <n>", "threads to use (default: one a core)", positive)
    .option(
      "--memory <size>",
      "what the kept rows may take, as 4GB or 500MB; a JSONL file that needs more is read twice (default: no limit)",
      size,
    )
    .addHelpText(
      "after",
      `
Keeps the first of near-duplicates, in the order of the file. Rows whose outputs
differ (the assistant's last message, chosen and rejected; output, label and the
like) are never dropped: the report has them as conflicts. So are those that
differ in a field that nobody knows. The result says which fields were which.
What a template repeats in many rows does not count as similarity, and what is
left decides, however short; among fewer than 8 texts nothing is a template.
Examples: tuneloop dedup chats.jsonl --out kept.jsonl --dropped dropped.jsonl
          tuneloop dedup tickets.csv --field body --output-field queue`,
    )
    .action(async (file: string, options: Options) => {
      const { field, outputField, threshold, numbers, out, dropped, report, threads, memory, force } = options
      host.writesAllOrNothing()
      const written = [out, dropped, report].flatMap((path) => (path === undefined ? [] : [host.path(path)]))
      if (new Set(written).size < written.length)
        throw new UsageError("--out, --dropped and --report name one file twice", "Give each a file of its own.")
      const outputs = machineOutputs(host)
      outputs.require(written, { force: force === true, sources: [host.path(file)] })
      const result = await deduplicateFile(host.machineContext(), {
        file: host.path(file),
        field,
        outputFields: outputField?.filter((path) => path !== "none"),
        threshold,
        numbers,
        output: out === undefined ? undefined : host.path(out),
        dropped: dropped === undefined ? undefined : host.path(dropped),
        report: report === undefined ? undefined : host.path(report),
        memoryBytes: memory,
        threads: sketchThreads(Math.min(threads ?? availableParallelism(), mostThreads) - 1),
      })
      outputs.note(written)
      const peakMemoryBytes = machine.peakMemoryBytes()
      host.print({ ...result, peakMemoryBytes }, describe(result, peakMemoryBytes))
    })
}

// One thread matches: it keeps up with about so many that read.
const mostThreads = 6

function describe(result: DeduplicateResult, peakMemoryBytes: number): string {
  const { read, kept, dropped, conflicts, compared, shingles, threshold, seconds, textsPerSecond } = result
  const lines = [
    `read ${read} = kept ${kept} + dropped ${read - kept} (${dropped["exact-duplicate"]} exact-duplicate, ` +
      `${dropped["near-duplicate"]} near-duplicate)`,
    `compared ${compared.text.join(", ")}; duplicates agree in ${outputsIn(compared)}` +
      (compared.ignored.length > 0 ? `; not looked at: ${compared.ignored.join(", ")}` : ""),
    `compared by ${shingles === "word-5" ? "runs of 5 words" : "runs of 4 characters"}, from similarity ` +
      `${threshold} on`,
  ]
  const { of, rows } = result.differInNumbers
  if (rows > 0)
    lines.push(
      `${rows} of ${of === read ? "them" : `${of} rows looked at`} differ from another one in numbers alone: ` +
        (result.numbers === "keep" ? "they are two rows (--numbers drop makes them one)" : "they are near-duplicates"),
    )
  if (conflicts > 0)
    lines.push(
      conflicts === 1
        ? "1 row is near a kept one with another output and was kept, to look at"
        : `${conflicts} rows are near a kept one with another output and were kept, to look at`,
    )
  lines.push(`${seconds} s, ${textsPerSecond} texts a second, ${Math.round(peakMemoryBytes / 2 ** 20)} MiB at most`)
  return lines.join("\n")
}

/** The answer of a conversation counts without being a field. */
function outputsIn({ text, output }: DeduplicateResult["compared"]): string {
  const answers = text.some((name) => name === "messages" || name === "conversations") ? ["the last answer"] : []
  return [...answers, ...output].join(", ") || "nothing (no output was found; name one by --output-field)"
}

function share(value: string): number {
  const number = Number(value)
  if (value.trim() === "" || !(number > 0 && number <= 1))
    throw new InvalidArgumentError("must be a number above 0, up to 1")
  return number
}

function size(value: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(MB|GB|MiB|GiB)$/i.exec(value.trim()) ?? []
  if (number === undefined || unit === undefined || Number(number) === 0)
    throw new InvalidArgumentError("must be a size such as 4GB or 500MB")
  return (
    Number(number) * { mb: 1e6, gb: 1e9, mib: 2 ** 20, gib: 2 ** 30 }[unit.toLowerCase() as "mb" | "gb" | "mib" | "gib"]
  )
}
