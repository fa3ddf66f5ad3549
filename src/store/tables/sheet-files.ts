import { basename, dirname, extname, join } from "node:path"

/** Whether a sheet of this name is to be a workbook rather than CSV. */
export function isWorkbook(path: string): boolean {
  return extname(path).toLowerCase() === ".xlsx"
}

/** The sheet as decisions name it: a path would say where it lay on one person's machine. */
export function sheetSource(path: string): string {
  return basename(path)
}

/** Where the texts are that are too long for a cell: a folder beside the sheet, `review.texts` of `review.csv`. */
export function longTextFolder(path: string): string {
  return join(dirname(path), `${basename(path, extname(path))}.texts`)
}

/** The file of one such text. */
export function longTextFile(path: string, name: string): string {
  return join(longTextFolder(path), name)
}
