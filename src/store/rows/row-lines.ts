import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { z } from "zod"
import { DataError, type Issue } from "../../core/errors.ts"
import { erasedBy, type ErasableRow, type Erased } from "../../core/rows/erasure.ts"
import { readByteLines } from "../files/files.ts"
import { parseLine, requireSound } from "../files/json-lines.ts"
import type { Workspace } from "../workspace.ts"
import { readTombstones } from "./erasures.ts"

/**
 * Reads the files of rows of one task. A missing file has no rows; a broken line is a DataError with its place. What
 * was erased is left out, also when a merge or a restored file brings it back.
 */
export class RowLines {
  readonly folder: string
  private readonly workspace: Workspace

  constructor(workspace: Workspace, folder: string) {
    this.workspace = workspace
    this.folder = folder
  }

  /** The path as people are shown it. */
  show(path: string): string {
    return this.workspace.show(path)
  }

  /** What was erased from the task, for good. */
  erased(): Erased {
    return erasedBy(readTombstones(this.folder))
  }

  /** The rows without what was erased. */
  standing<Row extends ErasableRow>(rows: Row[]): Row[] {
    const erased = this.erased()
    return erased.isEmpty ? rows : rows.filter((row) => erased.of(row) === undefined)
  }

  /** The files of rows in a folder of the task, sorted. */
  filesIn(name: string): string[] {
    const folder = join(this.folder, name)
    if (!existsSync(folder)) return []
    const files = readdirSync(folder).filter((file) => file.endsWith(".jsonl"))
    return files.sort().map((file) => join(folder, file))
  }

  /** All rows of a file, those that were erased as well. */
  read<Row>(path: string, schema: z.ZodType<Row>): Row[] {
    return [...this.lines(path, schema)]
  }

  /** The rows of a file in which each id stands once, without what was erased. */
  *each<Row extends ErasableRow & { readonly id: string }>(
    path: string,
    schema: z.ZodType<Row>,
    isWanted: (id: string) => boolean = () => true,
  ): Generator<Row> {
    const erased = this.erased()
    const ids = new UniqueIds()
    for (const row of this.lines(path, schema, (id) => ids.add(id) && isWanted(id)))
      if (erased.isEmpty || erased.of(row) === undefined) yield row
    ids.requireUnique(this.workspace.show(path))
  }

  /**
   * The rows of a file, parsed. A line that is no row is a DataError, with all the others, once all are read. A line is
   * not looked at further than its id where that comes first and is not wanted.
   */
  *lines<Row>(path: string, schema: z.ZodType<Row>, isWanted?: (id: string) => boolean): Generator<Row> {
    const file = this.workspace.show(path)
    const issues: Issue[] = []
    for (const line of readByteLines(path)) {
      const first = isWanted && firstId(line.bytes)
      if (first !== undefined && !isWanted?.(first)) continue
      const text = line.text()
      if (text.trim() === "") continue
      const parsed = parseLine(schema, text, { file, line: line.number })
      if ("issues" in parsed) issues.push(...parsed.issues)
      else if (first !== undefined || isWanted === undefined || isWanted((parsed.value as { readonly id: string }).id))
        yield parsed.value
    }
    requireSound(file, issues)
  }
}

const idStart = Buffer.from('{"id":"')
const longestId = 64

/** The id with which the line begins, as we write it; undefined where it stands elsewhere or is no plain word. */
function firstId(line: Buffer): string | undefined {
  if (line.length <= idStart.length || idStart.compare(line, 0, idStart.length) !== 0) return undefined
  const end = line.indexOf('"', idStart.length)
  if (end < 0 || end > idStart.length + longestId) return undefined
  const id = line.toString("latin1", idStart.length, end)
  return /^\w+$/.test(id) ? id : undefined
}

/** Ids in the order of their rows, of which none may stand twice. */
class UniqueIds {
  readonly #rows = new Map<string, number>()
  readonly #issues: { readonly id: string; readonly row: number; readonly first: number }[] = []
  #count = 0

  add(id: string): true {
    const row = ++this.#count
    const first = this.#rows.get(id)
    if (first === undefined) this.#rows.set(id, row)
    else this.#issues.push({ id, row, first })
    return true
  }

  requireUnique(file: string): void {
    if (this.#issues.length === 0) return
    const issues = this.#issues.map(({ id, row, first }) => ({
      file,
      line: row,
      path: "id",
      message: `${id} is already the id of row ${first}`,
    }))
    throw new DataError(`${file} has an id twice`, issues, "Remove one of the rows.")
  }
}
