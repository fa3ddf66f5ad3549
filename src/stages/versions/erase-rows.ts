import { digits } from "../../curation/leaks/lineage.ts"
import { mentions, type PlacedRow } from "../../curation/leaks/erasure-reach.ts"
import { pseudonymise } from "../../curation/privacy/pseudonyms.ts"
import { show } from "../../core/parse.ts"
import { DataError, UsageError } from "../../core/errors.ts"
import { erasedBy, idDigest, parentsOf, type Tombstone } from "../../core/rows/erasure.ts"
import type { Input } from "../../core/rows/example.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { TextSearch, textsIn } from "../../core/text-search.ts"
import { rawRows, type RawRow } from "../../store/rows/erasures.ts"
import type { Workspace } from "../../store/workspace.ts"

/** The rows that a person named, or that an earlier erasure left. */
export interface NamedRows {
  /** By id, or by what they say. */
  readonly named: readonly string[]
  /** Ids that no file has. */
  readonly missing: readonly string[]
}

/** What a person asks to be erased. */
export interface ErasureWish {
  readonly ids: readonly string[]
  readonly matching: string | undefined
}

export function requireWish(task: string, { ids, matching }: ErasureWish, tombstones: readonly Tombstone[]): void {
  if (ids.length === 0 && matching === undefined && tombstones.length === 0)
    throw new UsageError(
      "nothing is named",
      `Name rows by id, or by a text in them: tuneloop dataset erase ${task} --matching TEXT`,
    )
  if (matching !== undefined && matching.trim().length < 3)
    throw new UsageError(`--matching got ${show(matching)}; it needs at least 3 characters`, "Give more of the text.")
}

/**
 * The ids that the user means, and those of rows that an interrupted erasure left: it is finished with any other. Those
 * that no file has are told apart.
 */
export function namedRows(
  files: readonly string[],
  tombstones: readonly Tombstone[],
  { ids, matching }: ErasureWish,
): NamedRows {
  const erased = erasedBy(tombstones)
  const missing = new Map(ids.map((id) => [digits(id), id]))
  const [found, left] = [new Set<string>(), new Set<string>()]
  for (const file of files)
    for (const { row } of rawRows(file)) {
      const id = row.id ?? row.item
      if (id === undefined) continue
      missing.delete(digits(id))
      if (matching !== undefined && mentions(row, matching)) found.add(id)
      if (erased.of(row) !== undefined) left.add(id)
    }
  const gone = new Set(tombstones.map(({ id }) => id))
  return {
    named: [...new Set([...ids, ...found, ...left])],
    missing: [...missing.values()].filter((id) => !gone.has(idDigest(id))),
  }
}

export function noSuchRow(task: string, missing: readonly string[]): DataError {
  return new DataError(
    `task ${task} has no row ${missing.join(", ")}`,
    [],
    `Ids begin with seed_, input_, cand_ or ex_; find them by a text: tuneloop dataset erase ${task} --matching TEXT`,
  )
}

/** The rows of the files as they stand, anew each time that they are gone through. */
export function placedRows(workspace: Workspace, files: readonly string[]): Iterable<PlacedRow> {
  return {
    *[Symbol.iterator]() {
      for (const file of files) {
        const place = workspace.show(file)
        for (const { row } of rawRows(file)) {
          const id = row.id ?? row.item
          if (id !== undefined) yield { id, place, input: row.input, parents: parentsOf(row), witness: row.witness }
        }
      }
    },
  }
}

export function rowsIn(files: readonly string[], isWanted: (row: RawRow) => boolean): RawRow[] {
  const found: RawRow[] = []
  for (const file of files) for (const { row } of rawRows(file)) if (isWanted(row)) found.push(row)
  return found
}

/** What each row says where it stands first, by its digits; nothing of what is held out, and of what grew from it. */
export function shownTexts(
  task: TaskSpecification,
  rows: readonly RawRow[],
  heldOut: ReadonlyMap<string, unknown>,
): Map<string, string> {
  const held = new Set(Array.from(heldOut.keys(), digits))
  const texts = new Map<string, string>()
  for (const { id = "", input, ...row } of rows) {
    const isHeld = [id, ...parentsOf(row)].some((each) => held.has(digits(each)))
    if (isHeld || texts.has(digits(id)) || typeof input !== "object" || input === null) continue
    texts.set(digits(id), inputText(task, input as Input) || JSON.stringify(input))
  }
  return texts
}

/** What tells the rows wherever else they were written: in requests, answers, reports and logs. */
export interface Telling {
  readonly texts: readonly string[]
  /** The same with pseudonyms, as a model may have been shown them. Somebody else may have written the same. */
  readonly pseudonymous: readonly string[]
  readonly search: TextSearch
}

/**
 * The texts of the rows, and the text that they were found by. A short text would be in everything and says nothing of
 * a person; so would a label, and what the specification and the names of runs say themselves (`common`).
 */
export function tellingOf(
  task: TaskSpecification,
  rows: readonly RawRow[],
  matching: string | undefined,
  common: string,
): Telling {
  const known = foldedText(common)
  const isTelling = (text: string) => text.trim().length >= shortestTelling && !known.includes(foldedText(text))
  const isFixed = task.kind === "label" || task.kind === "multilabel"
  const ofRow = ({ input, output, chosen, rejected, reason }: RawRow) =>
    [input, ...(isFixed ? [] : [output, chosen, rejected]), reason].flatMap(textsIn).filter(isTelling)
  const texts = [...new Set(rows.flatMap(ofRow))]
  const names = task.privacy.names
  const masked = rows.flatMap((row) => {
    const { input, output } = pseudonymise(
      { input: (row.input ?? {}) as Input, output: (row.output ?? null) as never },
      { names, isFixedOutput: isFixed },
    )
    return ofRow({ input, output })
  })
  const given = matching !== undefined && !known.includes(foldedText(matching)) ? [matching] : []
  return {
    texts: [...texts, ...given],
    pseudonymous: [...new Set(masked)].filter((text) => !texts.includes(text)),
    search: new TextSearch([...texts, ...given]),
  }
}

const shortestTelling = 12

function foldedText(text: string): string {
  return text.normalize("NFC").toLowerCase()
}
