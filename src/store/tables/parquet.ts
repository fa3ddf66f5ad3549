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

/**
 * The rows of a Parquet file, columns by name; whole numbers and dates as JSON has them. The line of a row is its
 * number, from 1. A file that is none is a DataError naming it. Decompresses Snappy, gzip, Brotli and Zstandard.
 */
export async function readParquetTable(path: string): Promise<Table> {
  const bytes = readBytes(path)
  const { parquetReadObjects } = await import("hyparquet")
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  try {
    const records = await parquetReadObjects({ file, compressors })
    const issues: Issue[] = []
    const rows = records.flatMap((record, index): TableRow[] => {
      try {
        return [{ line: index + 1, fields: asJson(record) as Record<string, unknown> }]
      } catch (error) {
        issues.push({ file: path, line: index + 1, message: (error as Error).message })
        return []
      }
    })
    return { rows, issues, format: "jsonl" }
  } catch (error) {
    throw new DataError(
      `${path} cannot be read as Parquet: ${(error as Error).message}`,
      [],
      "Check that the file is whole, or save it as JSONL.",
    )
  }
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
