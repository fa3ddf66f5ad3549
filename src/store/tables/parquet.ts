import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib"
import { DataError, type Issue } from "../../core/errors.ts"
import { isExact } from "../../core/json-text.ts"
import { readBytes } from "../files/files.ts"
import type { Table, TableRow } from "./table-rows.ts"

const compressors = {
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
  BROTLI: (bytes: Uint8Array) => brotliDecompressSync(bytes),
  ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes),
}

/** A whole file takes a hundredth of it; a damaged one can keep the reader for ever. */
const patienceMs = { each: 10_000, perMegabyte: 1000 }

/**
 * The rows of a Parquet file, columns by name; whole numbers and dates as JSON has them. The line of a row is its
 * number, from 1. A file that is none is a DataError naming it. Decompresses Snappy, gzip, Brotli and Zstandard. It is
 * read in a thread, which the signal ends, and so does a time that no whole file takes.
 */
export async function readParquetTable(path: string, signal?: AbortSignal): Promise<Table> {
  const bytes = readBytes(path)
  const patience = AbortSignal.timeout(Math.ceil(patienceMs.each + (patienceMs.perMegabyte * bytes.length) / 1e6))
  const rows: TableRow[] = []
  const issues: Issue[] = []
  try {
    await eachAnswer(bytes, AbortSignal.any([patience, ...(signal === undefined ? [] : [signal])]), (answer) => {
      if (answer.problem !== undefined) throw new Error(answer.problem)
      rows.push(...answer.rows)
      issues.push(...answer.issues.map((issue) => ({ file: path, ...issue })))
    })
    return { rows, issues, format: "jsonl" }
  } catch (error) {
    signal?.throwIfAborted()
    const message = patience.aborted ? "reading it does not end" : (error as Error).message
    throw new DataError(
      `${path} cannot be read as Parquet: ${message}`,
      [],
      "Check that the file is whole, or save it as JSONL.",
    )
  }
}

interface Answer {
  readonly rows: readonly TableRow[]
  readonly issues: readonly Issue[]
  readonly isLast: boolean
  readonly problem?: string
}

/** Resolves after the last answer of a thread that reads the bytes. */
async function eachAnswer(bytes: Buffer, signal: AbortSignal, take: (answer: Answer) => void): Promise<void> {
  const file = new Uint8Array(bytes).buffer
  const worker = new Worker(new URL(import.meta.url), { workerData: { parquet: file }, transferList: [file] })
  try {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error))
      worker.on("error", reject).on("exit", (code) => reject(new Error(`its reader ended with ${code}`)))
      worker.on("message", (answer: Answer) => {
        try {
          take(answer)
          if (answer.isLast) resolve()
        } catch (error) {
          reject(error as Error)
        }
      })
    })
  } finally {
    await worker.terminate()
  }
}

const rowsAnAnswer = 1000

/** The work of the thread. */
async function read(file: ArrayBuffer, send: (answer: Answer) => void): Promise<void> {
  try {
    const { parquetReadObjects } = await import("hyparquet")
    const records = await parquetReadObjects({ file, compressors })
    for (let start = 0; start < records.length; start += rowsAnAnswer)
      send({ ...rowsOf(records.slice(start, start + rowsAnAnswer), start + 1), isLast: false })
    send({ rows: [], issues: [], isLast: true })
  } catch (error) {
    send({ rows: [], issues: [], isLast: true, problem: (error as Error).message })
  }
}

function rowsOf(records: readonly unknown[], firstLine: number): Pick<Answer, "rows" | "issues"> {
  const issues: Issue[] = []
  const rows = records.flatMap((record, index): TableRow[] => {
    const line = firstLine + index
    try {
      return [{ line, fields: asJson(record) as Record<string, unknown> }]
    } catch (error) {
      issues.push({ line, message: (error as Error).message })
      return []
    }
  })
  return { rows, issues }
}

function asJson(value: unknown): unknown {
  if (typeof value === "bigint") {
    // A number would round it: the digits as a text are exact, and refused where the task wants a number.
    return isExact(String(value)) ? Number(value) : String(value)
  }
  // JSON has none of these: a text is refused by its line where the task wants a number.
  if (typeof value === "number" && !Number.isFinite(value)) return String(value)
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(asJson)
  if (ArrayBuffer.isView(value)) throw new Error("a cell of bytes; texts, numbers, lists and records are read")
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) =>
      item === null || item === undefined ? [] : [[name, asJson(item)]],
    ),
  )
}

const given: unknown = isMainThread ? undefined : workerData?.parquet
if (parentPort !== null && given instanceof ArrayBuffer) {
  const port = parentPort
  void read(given, (answer) => port.postMessage(answer))
}
