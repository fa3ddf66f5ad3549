import { digitsOf, IdTable } from "../../core/id-table.ts"
import { inOrder, standingDecisions } from "../../core/rows/decisions.ts"
import { decisionVerdicts, type Decision, type DecisionLine } from "../../core/rows/example.ts"
import type { FoldedRows } from "../../store/rows/folded-rows.ts"
import { itemKinds, type DecisionColumn } from "../../store/rows/review-columns.ts"
import type { Columns } from "../../store/rows/columns.ts"
import type { ReviewTally } from "./review-tally.ts"

/** A candidate or an input. */
export interface FoldedItem {
  readonly kind: "cand" | "input"
  readonly high: number
  readonly low: number
}

/** A decision that nobody else decided beside. */
export interface OnlyDecision {
  readonly columns: Columns<DecisionColumn>
  readonly row: number
}

/**
 * The decisions by the items that they are on. Where an item has one that columns hold, nothing is read; where it has
 * several, or one that says more, all on it are read and ordered as everywhere.
 */
export class FoldedDecisions {
  /** The decisions that stand on items that are no known candidates and inputs, or of which the columns do not hold all. */
  readonly others: ReadonlyMap<string, readonly Decision[]>
  readonly #files: FoldedRows["decisions"]
  /** Where the rows of each file begin among all. */
  readonly #starts: number[] = []
  readonly #items = { cand: new IdTable(), input: new IdTable() }
  /** By the number of an item its last row, and by the number of a row the one before on its item; plus one. */
  readonly #last: Record<"cand" | "input", number[]> = { cand: [], input: [] }
  readonly #before: Int32Array

  constructor(files: FoldedRows["decisions"], isKnown: (item: FoldedItem) => boolean) {
    this.#files = files
    let count = 0
    for (const { columns } of files) {
      this.#starts.push(count)
      count += columns.count
    }
    this.#before = new Int32Array(count)
    const lines = new Map<string, DecisionLine[]>()
    for (const [file, { columns, read }] of files.entries())
      for (let row = 0; row < columns.count; row += 1) {
        const item = itemAt(columns, row)
        if (item !== undefined && isKnown(item)) this.#note(item, (this.#starts[file] as number) + row)
        else add(lines, read(row))
      }
    this.others = new Map(
      [...lines].map(([id, own]) => {
        const item = itemOf(id)
        return [id, standingDecisions(inOrder(item === undefined ? own : [...own, ...this.#read(item)]))]
      }),
    )
  }

  /** All that people decided and that stands. */
  tellTo(tally: ReviewTally): void {
    for (const decisions of this.others.values()) for (const decision of decisions) tally.decision(decision)
    for (const { columns } of this.#files)
      for (let row = 0; row < columns.count; row += 1) {
        const item = itemAt(columns, row)
        if (item === undefined || this.#numberOf(item) < 0 || this.#isOther(item)) continue
        const [reviewer, guideline] = [columns.text("reviewer", row), columns.text("guideline", row)]
        tally.given(reviewer as string, guideline as string, columns.at("at", row))
      }
  }

  /** Undefined where there is none, or more than one. */
  onlyOn(item: FoldedItem): OnlyDecision | undefined {
    const row = this.#lastOf(item)
    if (row < 0 || this.#before[row] !== 0 || this.#isOther(item)) return undefined
    const file = this.#fileOf(row)
    const { columns } = this.#files[file] as FoldedRows["decisions"][number]
    return { columns, row: row - (this.#starts[file] as number) }
  }

  /** The decisions that stand, in the order of time. */
  allOn(item: FoldedItem): readonly Decision[] {
    const other = this.others.size === 0 ? undefined : this.others.get(idOf(item))
    return other ?? standingDecisions(inOrder(this.#read(item)))
  }

  hasAnyOn(item: FoldedItem): boolean {
    return this.#lastOf(item) >= 0 || this.#isOther(item)
  }

  #isOther(item: FoldedItem): boolean {
    return this.others.size > 0 && this.others.has(idOf(item))
  }

  #numberOf({ kind, high, low }: FoldedItem): number {
    return this.#items[kind].find(high, low)
  }

  #lastOf(item: FoldedItem): number {
    const number = this.#numberOf(item)
    return number < 0 ? -1 : (this.#last[item.kind][number] as number)
  }

  #note(item: FoldedItem, row: number): void {
    const { kind, high, low } = item
    const last = this.#last[kind]
    if (this.#items[kind].add(high, low)) last.push(row)
    else {
      const number = this.#numberOf(item)
      this.#before[row] = (last[number] as number) + 1
      last[number] = row
    }
  }

  #read(item: FoldedItem): DecisionLine[] {
    const lines: DecisionLine[] = []
    for (let row = this.#lastOf(item); row >= 0; row = (this.#before[row] as number) - 1) {
      const file = this.#fileOf(row)
      lines.push((this.#files[file] as FoldedRows["decisions"][number]).read(row - (this.#starts[file] as number)))
    }
    return lines
  }

  #fileOf(row: number): number {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] as number) <= row) low = middle
      else high = middle - 1
    }
    return low
  }
}

export function idOf({ kind, high, low }: FoldedItem): string {
  return `${kind}_${digitsOf(high, low)}`
}

/** The decision as far as it decides on an item alone, on that revision of it. */
export function decisionOf({ columns, row }: OnlyDecision, revision: string): Decision {
  const output = columns.text("output", row)
  return {
    item: "",
    verdict: decisionVerdicts[columns.at("verdict", row)] as Decision["verdict"],
    output: output === undefined ? undefined : (JSON.parse(output) as unknown),
    reason: columns.text("reason", row),
    reviewer: columns.text("reviewer", row) as string,
    guideline: columns.text("guideline", row) as string,
    revision,
    at: "",
  }
}

function itemAt(columns: Columns<DecisionColumn>, row: number): FoldedItem | undefined {
  const kind = itemKinds[columns.at("kind", row)]
  if (kind === undefined || kind === "odd") return undefined
  return { kind, high: columns.at("high", row), low: columns.at("low", row) }
}

function itemOf(id: string): FoldedItem | undefined {
  const [, kind, high, low] = /^(cand|input)_([0-9a-f]{8})([0-9a-f]{8})$/.exec(id) ?? []
  if (kind === undefined || high === undefined || low === undefined) return undefined
  return { kind: kind as FoldedItem["kind"], high: Number.parseInt(high, 16) | 0, low: Number.parseInt(low, 16) | 0 }
}

function add(lines: Map<string, DecisionLine[]>, line: DecisionLine): void {
  const own = lines.get(line.item)
  if (own === undefined) lines.set(line.item, [line])
  else own.push(line)
}
