import { writeFileSync } from "node:fs"
import { stringify } from "csv-stringify/sync"
import { expect } from "vitest"
import { DataError } from "../../../src/core/errors.ts"
import { candidate, fillIn, readCsv, ReviewWorkspace, type Cells } from "./review-workspace.ts"

export const labelTask = {
  kind: "label",
  input: { body: {} },
  output: { labels: { delivery: "a", "0012": "b", fault: "c" } },
}
export const grown = ["where is it", "café is broken – €5", "a third"].map((body) => ({
  input: { body },
  output: "delivery",
}))
export const ids: readonly string[] = grown.map((row) => candidate(row).id)
export const answers: readonly Cells[] = [
  { decision: "accept" },
  { decision: "edit", corrected_output: "fault", comment: "naïve – yes" },
  {},
]
export const expected = { accept: 1, edit: 1 }

/** A workspace, and its export filled in as `answers` say. */
export async function filled(name = "review.csv"): Promise<{ review: ReviewWorkspace; file: string }> {
  const review = new ReviewWorkspace(labelTask, grown)
  const file = await review.exported(name)
  await fillIn(file, ({ id = "" }) => answers[ids.indexOf(id)] ?? {})
  return { review, file }
}

/** The file with its rows and columns as the work leaves them. */
export function rewrite(
  file: string,
  work: (rows: Cells[]) => Cells[],
  options: { delimiter?: string; bom?: boolean } = {},
): void {
  writeFileSync(file, stringify(work(readCsv(file)), { header: true, ...options }))
}

export const without = (row: Cells, ...columns: string[]) =>
  Object.fromEntries(Object.entries(row).filter(([column]) => !columns.includes(column)))
export const renamed = (row: Cells, from: string, to: string) =>
  Object.fromEntries(Object.entries(row).map(([column, text]) => [column === from ? to : column, text]))

export async function failure(work: Promise<unknown>): Promise<DataError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(DataError)
  return error as DataError
}
