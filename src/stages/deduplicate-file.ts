import { existsSync, statSync } from "node:fs"
import { extname } from "node:path"
import { setImmediate } from "node:timers/promises"
import { defaultThreshold, shingler } from "../curation/shingles.ts"
import { comparedText } from "../curation/compared-text.ts"
import { readRow } from "../curation/row-sketcher.ts"
import { cheapestBands } from "../curation/band-choice.ts"
import { Sketcher, type ShinglerName, type SketchPlan } from "../curation/sketcher.ts"
import { DataError, type Issue } from "../core/errors.ts"
import { AtomicWriter } from "../store/atomic-writer.ts"
import { writeAtomically } from "../store/files.ts"
import { readTable, tableText } from "../store/table.ts"
import { ByteRanges } from "../store/byte-ranges.ts"
import { BatchQueue } from "./batch-queue.ts"
import { batchBytes, issueAt, rowSketch } from "./batch-sketcher.ts"
import type { StageContext } from "./context.ts"
import { RowDecisions } from "./row-decisions.ts"

export interface DeduplicateOptions {
  readonly file: string
  /** The field to compare: a dotted path; default by the row. */
  readonly field: string | undefined
  readonly threshold: number | undefined
  readonly output: string | undefined
  readonly report: string | undefined
  /** Threads beside this one; none for one core. */
  readonly workers: number
}

export interface DeduplicateResult {
  readonly read: number
  readonly kept: number
  readonly dropped: { readonly "exact-duplicate": number; readonly "near-duplicate": number }
  readonly conflicts: number
  readonly shingles: ShinglerName
  readonly threshold: number
  readonly seconds: number
  readonly textsPerSecond: number
}

type RunContext = Pick<StageContext, "monotonicMs" | "signal" | "report">

/** Of the rows of a file the first of near ones are kept: kept + dropped = read, and every dropped row has a kept witness. The kept rows go to
 * `output`, lines of JSONL as they are; a decision for each dropped row and each conflict goes to `report`. Both files appear whole or not at all, and
 * neither does when a line is no row.
 *
 * Memory: that of `SimilarSets` for the kept rows, 20 bytes more for each, a byte a line, and 32 MiB that the threads share; JSONL is streamed, a
 * table (CSV, TSV, JSON) is held whole. The answer does not depend on the number of threads. */
export async function deduplicateFile(context: RunContext, options: DeduplicateOptions): Promise<DeduplicateResult> {
  const started = context.monotonicMs()
  requireFile(options.file)
  const report = options.report === undefined ? undefined : new AtomicWriter(options.report)
  try {
    const isLines = [".jsonl", ".ndjson"].includes(extname(options.file).toLowerCase())
    const { decisions, shingles, threshold } = isLines ? await decideLines(context, options, report) : decideTable(options, report)
    report?.commit()
    const seconds = (context.monotonicMs() - started) / 1000
    const { conflict, "exact-duplicate": exact, "near-duplicate": near } = decisions.counts
    return {
      read: decisions.read,
      kept: decisions.kept,
      dropped: { "exact-duplicate": exact, "near-duplicate": near },
      conflicts: conflict,
      shingles,
      threshold,
      seconds: Number(seconds.toFixed(3)),
      textsPerSecond: Math.round(decisions.read / seconds),
    }
  } catch (error) {
    report?.abandon()
    throw error
  }
}

interface Decided {
  readonly decisions: RowDecisions
  readonly shingles: ShinglerName
  readonly threshold: number
}

async function decideLines(context: RunContext, options: DeduplicateOptions, report: AtomicWriter | undefined): Promise<Decided> {
  const { file, field } = options
  const batches = Math.ceil(statSync(file).size / batchBytes)
  const queue = new BatchQueue(file, field, batches, Math.max(0, Math.min(options.workers, batches - 1)))
  try {
    const { texts, rows } = sampleTexts(file, field)
    const { plan, threshold } = planFor(texts, rows, options.threshold)
    const decisions = new RowDecisions(plan, threshold, rows, report)
    queue.start(plan)
    const firstLines = [1]
    for (let batch = 0; batch < batches; batch += 1) {
      const firstLine = firstLines[batch] as number
      firstLines.push(firstLine + (await queue.next(batch, (part) => decisions.take(part, firstLine))))
      // Signals are heard between batches only.
      await setImmediate()
      context.signal.throwIfAborted()
      if (batch % batchesAReport === batchesAReport - 1) context.report.progress(`dedup: ${decisions.read} rows read, ${decisions.kept} kept`)
    }
    const found = await queue.issues()
    refuseIssues(
      file,
      found.flatMap(({ issues }) => issues.map((issue) => issueAt(file, issue, firstLines))),
      found.reduce((sum, { issueCount }) => sum + issueCount, 0),
      decisions.read,
    )
    if (options.output !== undefined) writeKept(file, options.output, (line) => !decisions.isDropped(line))
    return { decisions, shingles: plan.shingles, threshold }
  } finally {
    await queue.stop()
  }
}

function decideTable(options: DeduplicateOptions, report: AtomicWriter | undefined): Decided {
  const { file, field } = options
  const table = readTable(file)
  const issues = [...table.issues]
  const rows = table.rows.flatMap((row) => {
    const compared = comparedText(row.fields, field)
    if (!("problem" in compared)) return [{ row, ...compared }]
    issues.push({ file, line: row.line, message: compared.problem })
    return []
  })
  refuseIssues(file, issues, issues.length, rows.length)
  const { plan, threshold } = planFor(
    rows.map(({ text }) => text),
    rows.length,
    options.threshold,
  )
  const decisions = new RowDecisions(plan, threshold, rows.length, report)
  const sketcher = new Sketcher(plan)
  for (const { row, text, output } of rows) decisions.offer(rowSketch(sketcher, plan, text, output), row.line)
  if (options.output !== undefined) {
    const kept = rows.flatMap(({ row }) => (decisions.isDropped(row.line) ? [] : [row.fields]))
    writeAtomically(options.output, tableText(table, kept))
  }
  return { decisions, shingles: plan.shingles, threshold }
}

/** A sample of so many rows says how texts are cut and keyed; the threshold follows from that where nobody gives one. */
function planFor(sample: readonly string[], rows: number, wanted: number | undefined): { plan: Required<SketchPlan>; threshold: number } {
  const { name: shingles, boilerplate } = shingler(sample)
  const threshold = wanted ?? defaultThreshold(shingles)
  return { plan: { shingles, boilerplate, bands: cheapestBands(sample, shingles, boilerplate, threshold, rows) }, threshold }
}

const batchesAReport = 32
const mostSampled = 20_000
const leastSampled = 2000
const sampleBytes = 1 << 14

/** Texts from all over the file, up to 20,000, of a large file a twentieth at most; and about how many rows it has. */
function sampleTexts(file: string, field: string | undefined): { readonly texts: readonly string[]; readonly rows: number } {
  const ranges = new ByteRanges(file, sampleBytes)
  const texts: string[] = []
  const readRange = (range: number) =>
    ranges.visitLines(range, (bytes) => {
      const row = readRow(bytes, field)
      if (row !== undefined && "text" in row) texts.push(row.text)
    })
  // The first ranges say how many rows there are about.
  const first = Math.min(ranges.count, 4)
  for (let range = 0; range < first; range += 1) readRange(range)
  const rows = (texts.length / Math.max(1, first)) * ranges.count
  const wanted = Math.min(mostSampled, Math.max(leastSampled, rows / 20))
  const share = Math.min(1, wanted / Math.max(1, rows))
  for (let range = first; range < ranges.count; range += 1) if (Math.floor(range * share) !== Math.floor((range - 1) * share)) readRange(range)
  ranges.close()
  return { texts, rows }
}

function requireFile(file: string): void {
  if (!existsSync(file)) throw new DataError(`there is no file ${file}`, [], "Check the path; relative paths start where you are.")
  if (statSync(file).isDirectory()) throw new DataError(`${file} is a folder, not a file`, [], "Name a file.")
}

function refuseIssues(file: string, issues: readonly Issue[], count: number, read: number): void {
  if (count > 0)
    throw new DataError(
      `${count} of ${count + read} rows cannot be read; nothing was written`,
      issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
      "Mend those rows, or name the field to compare by --field.",
    )
  if (read === 0) throw new DataError(`${file} has no rows`, [], "Give a file with at least one row.")
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
