import { bitsOf, IdTable } from "../../core/id-table.ts"
import { canonicalJson, contentDigits } from "../../core/canonical.ts"
import type { Input } from "../../core/rows/example.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import { normaliseStrings } from "../../curation/text/normalise.ts"
import { LineIds, type RowKind } from "../../store/files/split-lines.ts"
import { rowIds } from "../../store/rows/row-ids.ts"
import { plainSeeds } from "../../store/rows/seed-ranges.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import type { Row } from "./imported-row.ts"
import type { ImportedRows } from "./imported-rows.ts"

/** A new row whose input a row of the task has already. */
export interface EqualRow {
  readonly place: string
  /** The row of the task. */
  readonly row: string
  readonly kind: RowKind
  readonly split: Held | undefined
}

export interface EqualRows {
  /** They say nothing new, and were left out: an input that is there, or a gold example with the same output. */
  readonly leftOut: readonly EqualRow[]
  /** Gold examples that were added, and whose input has another output in one that was there. */
  readonly conflicts: readonly EqualRow[]
  /** Gold examples that were added, whose input was there without an answer. */
  readonly answered: readonly EqualRow[]
}

/**
 * The rows of the import that are new by their ids and not by what they say; those that say nothing new are taken out
 * of the import. Nothing is read where the task has no rows, or the import no new ones.
 */
export function takeOutEqual(store: TaskRows, kind: RowKind, rows: ImportedRows, files: readonly string[]): EqualRows {
  const there = { seed: rowIds(store, "seed"), input: rowIds(store, "input") }
  const found = { leftOut: [] as Match[], conflicts: [] as Match[], answered: [] as Match[] }
  if (there.seed.size + there.input.size > 0)
    for (const match of matches(store, rows, newByText(rows, there[kind]))) {
      const isSame = match.kind === "seed" && match.isSameOutput
      if (kind === "input" || isSame) found.leftOut.push(match)
      else (match.kind === "seed" ? found.conflicts : found.answered).push(match)
    }
  const out = new Set(found.leftOut.map(({ number }) => number))
  for (const number of out) rows.takeOut(number)
  const held = store.heldOf(new LineIds(Object.values(found).flatMap((all) => all.map(({ row }) => row))))
  const told = (all: readonly Match[], isLeft = false) => {
    // One row of the task is enough to name.
    const first = [...new Map(all.toReversed().map((match) => [match.number, match])).values()]
    return first
      .filter(({ number }) => isLeft || !out.has(number))
      .sort((a, b) => a.number - b.number)
      .map(({ number, row, kind: of }) => {
        const { file, line } = rows.firstAt(number)
        return { place: `${files[file]}:${line}`, row, kind: of, split: held.get(row) }
      })
  }
  return { leftOut: told(found.leftOut, true), conflicts: told(found.conflicts), answered: told(found.answered) }
}

interface Match {
  readonly number: number
  readonly row: string
  readonly kind: RowKind
  readonly isSameOutput: boolean
}

interface NewRows {
  readonly texts: IdTable
  /** The numbers of the rows with each of the texts, by the text's place in the table. */
  readonly numbers: readonly number[][]
}

function newByText(rows: ImportedRows, there: IdTable): NewRows {
  const [texts, numbers] = [new IdTable(), [] as number[][]]
  for (let number = 0; number < rows.size; number += 1) {
    if (!rows.isIn(number) || there.find(...bitsOf(rows.digits(number))) >= 0) continue
    const bits = bitsOf(textDigits(rows.row(number).input))
    if (texts.add(...bits)) numbers.push([number])
    else numbers[texts.find(...bits)]?.push(number)
  }
  return { texts, numbers }
}

function* matches(store: TaskRows, rows: ImportedRows, { texts, numbers }: NewRows): Generator<Match> {
  if (texts.size === 0) return
  for (const [kind, each] of [
    ["seed", plainSeeds(store)],
    ["input", store.eachInput()],
  ] as const)
    for (const row of each)
      for (const number of numbers[texts.find(...bitsOf(textDigits(row.input)))] ?? [])
        yield { number, row: row.id, kind, isSameOutput: outputOf(row) === outputOf(rows.row(number)) }
}

function textDigits(input: Input): string {
  return contentDigits(normaliseStrings(input))
}

function outputOf(row: Row): string | undefined {
  return "output" in row ? canonicalJson(row.output) : undefined
}
