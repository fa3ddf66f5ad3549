import { defaultThreshold, shingler } from "../../curation/near/shingles.ts"
import { comparedFields, type ComparedFields, type NamedFields } from "../../curation/text/compared-fields.ts"
import { comparedText } from "../../curation/text/compared-text.ts"
import { mostLineBytes, readObject } from "../../curation/rows/row-sketcher.ts"
import { cheapestBands } from "../../curation/near/band-choice.ts"
import { numberTwins, type NumberTwins } from "../../curation/near/number-twins.ts"
import { SharedKeys } from "../../curation/near/shared-keys.ts"
import {
  lengthProblem,
  Sketcher,
  sketchPlan,
  type ShinglerName,
  type SketchPlan,
} from "../../curation/near/sketcher.ts"
import type { NumberRule } from "../../core/task/number-rule.ts"
import { DataError } from "../../core/errors.ts"
import { nearest, show } from "../../core/parse.ts"
import { AtomicWriter } from "../../store/files/atomic-writer.ts"
import { requireFile, writeAtomically } from "../../store/files/files.ts"
import { asItStands } from "../../core/json-text.ts"
import { isJsonLines, readTable, tableText } from "../../store/tables/table.ts"
import { ByteRanges } from "../../store/files/byte-ranges.ts"
import { batchBytes, rowSketch } from "./batch-sketcher.ts"
import type { StageContext } from "../context.ts"
import type { ThreadStarter } from "../threads.ts"
import { DecisionFiles, type DecisionPaths } from "./decision-files.ts"
import { LineReader, refuseIssues } from "./line-reader.ts"
import { noteKeys, RowDecisions } from "./row-decisions.ts"

export interface DeduplicateOptions extends DecisionPaths, NamedFields {
  readonly file: string
  readonly threshold: number | undefined
  /** What becomes of texts that differ in numbers; `keep` by default. */
  readonly numbers?: NumberRule | undefined
  readonly output: string | undefined
  /**
   * What the kept rows may take; no limit by default. Of a file that would take more the keys are counted first, so
   * that only rows that share one are held; the decisions are the same.
   */
  readonly memoryBytes?: number | undefined
  /** The threads beside this one; none for one core. */
  readonly threads: ThreadStarter
}

export interface DeduplicateResult {
  readonly read: number
  readonly kept: number
  readonly dropped: { readonly "exact-duplicate": number; readonly "near-duplicate": number }
  readonly conflicts: number
  /** The fields whose texts were compared, those that duplicates agree in, and those that counted for neither. */
  readonly compared: Omit<ComparedFields, "others">
  readonly shingles: ShinglerName
  readonly threshold: number
  readonly numbers: NumberRule
  /** Of how many rows looked at how many are like another one but for their numbers. */
  readonly differInNumbers: { readonly of: number; readonly rows: number }
  readonly seconds: number
  readonly textsPerSecond: number
}

type RunContext = Pick<StageContext, "monotonicMs" | "signal" | "report">

/**
 * Of the rows of a file the first of near ones are kept: kept + dropped = read, and every dropped row has a kept
 * witness. The kept rows go to `output`, lines of JSONL as they are; each dropped row goes to `dropped`, each dropped
 * row and each conflict to `report`. The files appear whole or not at all, and none does when a line is no row.
 *
 * Memory: that of `SimilarSets` for the kept rows, 36 bytes more for each, a byte a line, and 32 MiB that the threads
 * share; JSONL is streamed, a table (CSV, TSV, JSON) is held whole. The answer does not depend on the number of
 * threads.
 */
export async function deduplicateFile(context: RunContext, options: DeduplicateOptions): Promise<DeduplicateResult> {
  const started = context.monotonicMs()
  requireFile(options.file)
  const files = new DecisionFiles(options)
  try {
    const { decisions, fields, shingles, threshold, twins } = isJsonLines(options.file)
      ? await decideLines(context, options, files)
      : decideTable(options, files)
    files.commit()
    const seconds = (context.monotonicMs() - started) / 1000
    const { conflict, "exact-duplicate": exact, "near-duplicate": near } = decisions.counts
    return {
      read: decisions.read,
      kept: decisions.kept,
      dropped: { "exact-duplicate": exact, "near-duplicate": near },
      conflicts: conflict,
      compared: { text: fields.text, output: fields.output, ignored: fields.ignored },
      shingles,
      threshold,
      numbers: options.numbers ?? "keep",
      differInNumbers: { of: twins.of, rows: twins.twins },
      seconds: Number(seconds.toFixed(3)),
      textsPerSecond: Math.round(decisions.read / seconds),
    }
  } catch (error) {
    files.abandon()
    throw error
  }
}

interface Decided {
  readonly twins: NumberTwins
  readonly fields: ComparedFields
  readonly decisions: RowDecisions
  readonly shingles: ShinglerName
  readonly threshold: number
}

async function decideLines(context: RunContext, options: DeduplicateOptions, files: DecisionFiles): Promise<Decided> {
  const { file, memoryBytes = Infinity } = options
  const reader = () => new LineReader(context, file, options.threads)
  const first = reader()
  try {
    const { sample, rows } = sampleRows(file)
    const fields = fieldsOf(file, sample, options)
    const texts = textsOf(sample, fields)
    const { plan, threshold } = planFor(texts, rows, options)
    const shared =
      memoryBytes < Infinity && rows * bytesARow(texts, plan) > memoryBytes
        ? new SharedKeys(rows * plan.bands.count)
        : undefined
    if (shared) await first.read(fields, plan, (part) => noteKeys(shared, plan.bands.count, part))
    const decisions = new RowDecisions(plan, threshold, rows, files, shared)
    await (shared ? reader() : first).read(fields, plan, (part, firstLine) => {
      decisions.take(part, firstLine)
      if (shared && decisions.bytes + shared.bytes > memoryBytes)
        throw tooLarge(file, memoryBytes, decisions.read, rows)
      return part.rows
    })
    if (options.output !== undefined) writeKept(file, options.output, (line) => !decisions.isDropped(line))
    return { decisions, fields, shingles: plan.shingles, threshold, twins: numberTwins(texts) }
  } finally {
    await first.close()
  }
}

/** Throws a DataError for a named output field that no row of the sample has: rows would be taken to agree in it. */
function fieldsOf(
  file: string,
  sample: readonly Readonly<Record<string, unknown>>[],
  options: NamedFields,
): ComparedFields {
  const names = [...new Set(sample.flatMap((row) => Object.keys(row)))]
  for (const path of options.outputFields ?? [])
    if (names.length > 0 && !names.includes(path) && !names.includes(path.split(".")[0] as string)) {
      const meant = nearest(path, names)
      throw new DataError(
        `${file}: no row has the field ${show(path)} of --output-field; the rows have ${names.join(", ")}` +
          (meant === undefined ? "" : `; did you mean ${show(meant)}?`),
        [],
        "Correct the name, or give --output-field none where rows have no output; nothing was written.",
      )
    }
  return comparedFields(sample, options)
}

/** What a kept row like those of the sample takes at most: see `SimilarSets`, `KeptRows` and
 * `RepeatedTexts`. */
function bytesARow(sample: readonly string[], plan: Required<SketchPlan>): number {
  const sketcher = new Sketcher(plan)
  const tried = sample.slice(0, 1000)
  const hashes = tried.reduce((sum, text) => sum + sketcher.sketch(text).size, 0) / Math.max(1, tried.length)
  return 4 * hashes + 81 + plan.bands.count * bytesABand
}

// Of the table of a band, and of its lists.
const bytesABand = 32

function tooLarge(file: string, memoryBytes: number, read: number, rows: number): DataError {
  return new DataError(
    `${file} needs more than ${Math.round(memoryBytes / 2 ** 20)} MiB: they were full after ${read} of about ${rows} rows; nothing was written`,
    [],
    "Give more --memory, or split the file and deduplicate the parts before the whole.",
  )
}

function decideTable(options: DeduplicateOptions, files: DecisionFiles): Decided {
  const { file } = options
  const table = readTable(file, { longNumber: asItStands })
  const issues = [...table.issues]
  const sample = table.rows.map((row) => row.fields)
  const fields = fieldsOf(file, sample, options)
  const rows = table.rows.flatMap((row) => {
    const compared = comparedText(row.fields, fields)
    const problem =
      "problem" in compared ? compared.problem : (lengthProblem(compared.text) ?? lengthProblem(compared.output ?? ""))
    if ("problem" in compared || problem !== undefined) {
      issues.push({ file, line: row.line, message: problem as string })
      return []
    }
    return [{ row, ...compared }]
  })
  refuseIssues(file, issues, issues.length, rows.length)
  const texts = rows.map(({ text }) => text)
  const { plan, threshold } = planFor(texts, rows.length, options)
  const decisions = new RowDecisions(plan, threshold, rows.length, files)
  const sketcher = new Sketcher(plan)
  for (const { row, text, output } of rows) decisions.offer(rowSketch(sketcher, plan, text, output), row.line)
  if (options.output !== undefined) {
    const kept = rows.flatMap(({ row }) => (decisions.isDropped(row.line) ? [] : [row.fields]))
    writeAtomically(options.output, tableText(table, kept, options.output))
  }
  return { decisions, fields, shingles: plan.shingles, threshold, twins: numberTwins(texts) }
}

/**
 * A sample of so many rows says how texts are cut and keyed; the threshold follows from that where nobody gives one.
 */
function planFor(
  sample: readonly string[],
  rows: number,
  { threshold: wanted, numbers }: Pick<DeduplicateOptions, "threshold" | "numbers">,
): { plan: Required<SketchPlan>; threshold: number } {
  const cut = shingler(sample, numbers)
  const threshold = wanted ?? defaultThreshold(cut.name)
  const bands = cheapestBands(sample, cut, threshold, rows)
  return { plan: { ...sketchPlan(cut, threshold), bands }, threshold }
}

const mostSampled = 10_000
const leastSampled = 2000
const sampleBytes = 1 << 14

function textsOf(sample: readonly Row[], fields: ComparedFields): string[] {
  return sample.flatMap((row) => {
    const compared = comparedText(row, fields)
    return "text" in compared ? [compared.text] : []
  })
}

type Row = Readonly<Record<string, unknown>>

/** Rows from all over the file, up to 10,000, of a large file a fortieth at most; and about how many it has. */
function sampleRows(file: string): { readonly sample: readonly Row[]; readonly rows: number } {
  const ranges = new ByteRanges(file, sampleBytes)
  const sample: Row[] = []
  const readRange = (range: number) =>
    ranges.visitLines(range, (bytes) => {
      // What is too long to be compared says nothing of how to cut texts; it is complained of where its turn comes.
      const read = bytes.length > mostLineBytes ? undefined : readObject(bytes)
      if (read !== undefined && "row" in read) sample.push(read.row)
    })
  // The first ranges say how many rows there are about.
  const first = Math.min(ranges.count, 4)
  for (let range = 0; range < first; range += 1) readRange(range)
  const rows = (sample.length / Math.max(1, first)) * ranges.count
  const wanted = Math.min(mostSampled, Math.max(leastSampled, rows / 40))
  const share = Math.min(1, wanted / Math.max(1, rows))
  for (let range = first; range < ranges.count; range += 1)
    if (Math.floor(range * share) !== Math.floor((range - 1) * share)) readRange(range)
  ranges.close()
  return { sample, rows }
}

/** Copies the lines that are kept, blank ones left out. */
function writeKept(file: string, output: string, isKept: (line: number) => boolean): void {
  const ranges = new ByteRanges(file, batchBytes)
  const writer = new AtomicWriter(output)
  try {
    let first = 1
    for (let range = 0; range < ranges.count; range += 1)
      first += ranges.visitLines(range, (bytes, index) => {
        if (!isKept(first + index) || bytes.toString("latin1").trim() === "") return
        writer.write(bytes)
        writer.write("\n")
      })
    writer.commit()
  } catch (error) {
    writer.abandon()
    throw error
  } finally {
    ranges.close()
  }
}
