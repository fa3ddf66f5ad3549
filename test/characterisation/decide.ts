import { parse } from "csv-parse/sync"
import { stringify } from "csv-stringify/sync"
import { readFileSync, writeFileSync } from "node:fs"

/** Fills in a review sheet as a hurried person would: every third row is rejected, the others are accepted. */
export function decide(file: string): void {
  const [header = [], ...rows] = parse(readFileSync(file), { bom: true }) as string[][]
  const column = header.indexOf("decision")
  const decided = rows.map((row, index) => row.with(column, index % 3 === 2 ? "reject" : "accept"))
  writeFileSync(file, `\uFEFF${stringify([header, ...decided], { record_delimiter: "\r\n" })}`)
}
