import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { buffer } from "node:stream/consumers"
import { promisify } from "node:util"
import yauzl from "yauzl"
import { ZipFile } from "yazl"
import { mutateBytes, mutateJson, mutateText, oneOf, type Random } from "./mutations.ts"

/** The workbook with one of its parts changed within a sound zip, so that what reads the part is reached. */
export async function mutateWorkbook(random: Random, bytes: Buffer): Promise<Buffer> {
  if (random() < 0.1) return mutateBytes(random, bytes)
  const parts = await partsOf(bytes)
  const wanted = oneOf(random, [...parts.keys()])
  const zip = new ZipFile()
  for (const [name, text] of parts) zip.addBuffer(Buffer.from(name === wanted ? mutateXml(random, text) : text), name)
  zip.end()
  return buffer(zip.outputStream)
}

async function partsOf(bytes: Buffer): Promise<Map<string, string>> {
  const zip = await promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer)(bytes, { lazyEntries: true })
  const parts = new Map<string, string>()
  await new Promise<void>((resolve, reject) => {
    zip.on("entry", (entry: yauzl.Entry) =>
      zip.openReadStream(entry, (error, stream) => {
        if (error) return reject(error)
        void buffer(stream).then((content) => {
          parts.set(entry.fileName, content.toString("utf8"))
          zip.readEntry()
        })
      }),
    )
    zip.on("end", resolve).on("error", reject)
    zip.readEntry()
  })
  return parts
}

/** A value of an attribute changed, or the text as any other. */
function mutateXml(random: Random, text: string): string {
  const values = [...text.matchAll(/="([^"]*)"/g)]
  if (values.length === 0 || random() < 0.4) return mutateText(random, text)
  const { index, 0: found } = oneOf(random, values)
  const odd = ["ZZZZZZ1", "-1", "NaN", "99999999999", "", "1e9", "A0", "../../x", "&amp;", "xl/workbook.xml", "s", "e"]
  return `${text.slice(0, index)}="${oneOf(random, odd)}"${text.slice(index + found.length)}`
}

/** The Parquet file with changed bytes in its pages or its footer, its own marks and lengths left alone. */
export function mutateParquet(random: Random, bytes: Buffer): Buffer {
  const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
  const half = random()
  if (half < 0.05) return mutateBytes(random, bytes)
  return half < 0.5 ? mutateBytes(random, bytes, 4, footer) : mutateBytes(random, bytes, footer, bytes.length - 8)
}

/** The database with changed bytes in its pages, or with a text of one of its rows changed. */
export function mutateSqlite(random: Random, bytes: Buffer): Buffer {
  if (random() < 0.5) return mutateBytes(random, bytes, random() < 0.2 ? 0 : 100)
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-fuzz-"))
  const file = join(folder, "ledger.db")
  writeFileSync(file, bytes)
  const database = new DatabaseSync(file)
  changeRow(random, database, oneOf(random, ["run_events", "runs", "requests", "batches", "holdout_openings"]))
  database.close()
  const changed = readFileSync(file)
  rmSync(folder, { recursive: true })
  return changed
}

function changeRow(random: Random, database: DatabaseSync, table: string): void {
  const row = database.prepare(`select rowid as place, * from ${table} limit 1 offset ?`).get(Math.floor(random() * 3))
  if (row === undefined) return
  const { place, ...cells } = row
  const column = oneOf(random, Object.keys(cells))
  database.exec("pragma ignore_check_constraints = on; pragma foreign_keys = off")
  try {
    database
      .prepare(`update ${table} set ${column} = ? where rowid = ?`)
      .run(changedCell(random, cells[column]), place as number)
  } catch (error) {
    // What the table does not take stays as it is.
    if ((error as { code?: string }).code !== "ERR_SQLITE_ERROR") throw error
  }
}

function changedCell(random: Random, value: unknown): string | number {
  if (typeof value !== "string") return oneOf(random, [-1, 0, 1e300, "none", "constructor", 4294967294])
  return value.startsWith("{") && random() < 0.8 ? mutateJson(random, value) : mutateText(random, value).toWellFormed()
}
