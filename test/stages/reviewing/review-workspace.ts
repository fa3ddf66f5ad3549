import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { extname, join } from "node:path"
import { promisify } from "node:util"
import { parse } from "csv-parse/sync"
import { stringify } from "csv-stringify/sync"
import yauzl from "yauzl"
import { ZipFile } from "yazl"
import { contentId } from "../../../src/core/canonical.ts"
import type { Decision } from "../../../src/core/rows/example.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import type { StageContext } from "../../../src/stages/context.ts"
import { exportReview } from "../../../src/stages/reviewing/review-export.ts"
import { importReview, type ReviewImport } from "../../../src/stages/reviewing/review-import.ts"
import { TaskRows } from "../../../src/store/rows/task-rows.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { columnOf, decodeEscapes, encodeText, lettersOf } from "../../../src/store/tables/xlsx-text.ts"

export interface Grown {
  readonly input: Record<string, unknown>
  readonly output: unknown
}

/** A workspace with one task and candidates that wait for review, and the stages on it in this process. */
export class ReviewWorkspace {
  readonly folder = mkdtempSync(join(tmpdir(), "tuneloop-review-"))
  readonly task: TaskSpecification
  readonly rows: TaskRows
  readonly context: StageContext

  constructor(specification: object, grown: readonly Grown[]) {
    this.task = taskSchema.parse({ task: "reviewed", description: "A task to review.", ...specification })
    const workspace = Workspace.open(this.folder)
    mkdirSync(join(this.folder, "specs"))
    this.context = { workspace, now: () => new Date("2026-11-24T12:00:00Z") } as StageContext
    this.rows = new TaskRows(workspace, this.task.task)
    this.grow(grown)
  }

  grow(grown: readonly Grown[]): void {
    this.rows.grown.writeBatch("batch", grown.map(candidate))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  async exported(name: string, reviewer = "amara"): Promise<string> {
    await exportReview(this.context, this.task, { out: this.path(name), limit: undefined, reviewer, only: undefined })
    return this.path(name)
  }

  imported(file: string, options: { dryRun?: boolean; reviewer?: string } = {}): Promise<ReviewImport> {
    return importReview(this.context, this.task, file, { dryRun: options.dryRun === true, reviewer: options.reviewer })
  }

  decisions(): Decision[] {
    return this.rows.review.decisions()
  }
}

export function candidate({ input, output }: Grown) {
  return { id: contentId("cand", { input, output }), parents: [], strategy: "recombine", input, output, checks: [] }
}

export type Cells = Record<string, string>

/**
 * Fills in a file that was just exported, CSV or XLSX, row by row: what `fill` returns is written over the row's cells.
 */
export async function fillIn(file: string, fill: (cells: Cells, index: number) => Cells): Promise<void> {
  if (extname(file) === ".csv") {
    const rows = readCsv(file)
    const columns = parse(readFileSync(file), { bom: true, to: 1 })[0] as string[]
    writeFileSync(
      file,
      stringify([columns, ...rows.map((row, index) => pick(columns, { ...row, ...fill(row, index) }))], { bom: true }),
    )
    return
  }
  const parts = await unzipped(file)
  let keys: string[] = []
  let index = 0
  const xml = (parts.get(sheetPart)?.toString() ?? "").replace(
    /<row r="(\d+)"([^>]*)>(.*?)<\/row>/gs,
    (whole, row: string, attributes: string, inner: string) => {
      const cells = cellsOf(inner)
      if (row === "1") keys = cells.map(({ text }) => text)
      if (Number(row) < 3) return whole
      const before = Object.fromEntries(keys.map((key, column) => [key, cells[column]?.text ?? ""]))
      const after = { ...before, ...fill(before, index++) }
      const written = keys.map((key, column) => {
        const text = after[key] ?? ""
        const style = cells[column]?.style ?? "0"
        const start = `<c r="${lettersOf(column)}${row}" s="${style}"`
        return text === ""
          ? `${start}/>`
          : `${start} t="inlineStr"><is><t xml:space="preserve">${encodeText(text)}</t></is></c>`
      })
      return `<row r="${row}"${attributes}>${written.join("")}</row>`
    },
  )
  parts.set(sheetPart, Buffer.from(xml))
  await zipTo(file, parts)
}

export function readCsv(file: string): Cells[] {
  return parse(readFileSync(file), { columns: true, bom: true }) as Cells[]
}

export const sheetPart = "xl/worksheets/sheet1.xml"

export async function unzipped(file: string): Promise<Map<string, Buffer>> {
  const zip = await promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open)(file, { lazyEntries: true })
  const parts = new Map<string, Buffer>()
  await new Promise<void>((resolve, reject) => {
    zip.on("entry", (entry: yauzl.Entry) =>
      zip.openReadStream(entry, (error, stream) => {
        if (error) return reject(error)
        const pieces: Buffer[] = []
        stream.on("data", (piece: Buffer) => pieces.push(piece))
        stream.on("end", () => {
          parts.set(entry.fileName, Buffer.concat(pieces))
          zip.readEntry()
        })
      }),
    )
    zip.on("end", resolve)
    zip.readEntry()
  })
  return parts
}

export async function zipTo(file: string, parts: ReadonlyMap<string, Buffer>): Promise<void> {
  const zip = new ZipFile()
  for (const [name, bytes] of parts) zip.addBuffer(bytes, name)
  zip.end()
  const pieces: Buffer[] = []
  for await (const piece of zip.outputStream) pieces.push(piece as Buffer)
  writeFileSync(file, Buffer.concat(pieces))
}

function cellsOf(row: string): { text: string; style: string }[] {
  const cells: { text: string; style: string }[] = []
  for (const [, reference = "", style = "0", text = ""] of row.matchAll(
    /<c r="([A-Z]+)\d+" s="(\d+)"(?:\/>| t="inlineStr"><is><t xml:space="preserve">(.*?)<\/t><\/is><\/c>)/gs,
  ))
    cells[columnOf(reference)] = {
      style,
      text: decodeEscapes(text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")),
    }
  return cells
}

function pick(columns: readonly string[], row: Cells): string[] {
  return columns.map((column) => row[column] ?? "")
}
