import { bitsOf, IdTable } from "../../core/id-table.ts"
import type { RealInput, Seed } from "../../core/rows/example.ts"
import { heldNames, type Held } from "../../core/rows/holdout-refresh.ts"
import { groupOf, timeOf } from "../../core/rows/kept-columns.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { designEffect } from "../../evaluation/statistics/design-effect.ts"
import { rowsNeeded } from "../../evaluation/statistics/power.ts"
import { plainSeeds } from "../../store/rows/seed-ranges.ts"
import type { StandingSplits } from "../../store/rows/standing-splits.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"

/** How the rows of a task lie in groups; of rows with and without an answer. */
export interface GroupFigures {
  readonly column: string
  readonly groups: number
  readonly largest: number
  readonly median: number
  /** Rows that are in no group, for want of a value. */
  readonly without: number
  /** Groups with rows in train and rows that are held out: a build drops those in train. */
  readonly across: number
  /** How many gold rows of a group say as much as one that stands alone. */
  readonly designEffect: number
}

/** How new what is trained on is beside what is tested on, of rows with an answer and a time. */
export interface NewestFigures {
  readonly column: string
  /** Rows without a time. */
  readonly without: number
  readonly train: number
  /** Train rows that are newer than the oldest test row, and than half of the test rows. */
  readonly trainNewer: number
  readonly trainNewerThanHalf: number
  /** When the oldest test row came about. */
  readonly oldestTest?: string
}

/** What the columns beside the inputs say of all rows; each is absent where the specification does not name it. */
export interface ColumnFigures {
  readonly groups?: GroupFigures
  readonly newest?: NewestFigures
}

/** Reads every row where a column is named, and none where not. Memory: 25 bytes a group, 8 bytes a time. */
export function columnFigures(task: TaskSpecification, rows: TaskRows, standing: StandingSplits): ColumnFigures {
  const { groupBy, newestBy } = task.holdout
  if (groupBy === undefined && newestBy === undefined) return {}
  const groups = new GroupCounts()
  const newest = new NewestCounts()
  const take = (row: Seed | RealInput, isGold: boolean) => {
    const held = heldNames[standing.held[standing.rowOf(row.id)] ?? 0]
    groups.take(groupOf(task, row), held, isGold)
    if (isGold) newest.take(timeOf(task, row), held)
  }
  for (const seed of plainSeeds(rows)) take(seed, true)
  for (const input of rows.eachInput()) take(input, false)
  return {
    ...(groupBy === undefined ? {} : { groups: groups.figures(groupBy, task.holdout.groupCorrelation) }),
    ...(newestBy === undefined ? {} : { newest: newest.figures(newestBy) }),
  }
}

/** How many test rows the rule of the verdict needs, as they come in groups. */
export function testRowsNeeded(task: TaskSpecification, { groups }: ColumnFigures): number {
  return Math.ceil(rowsNeeded(task.verdict) * (groups?.designEffect ?? 1))
}

class GroupCounts {
  readonly #ids = new IdTable()
  readonly #sizes: number[] = []
  readonly #gold: number[] = []
  /** Whether a group has rows in train (1) and rows that are held out (2). */
  readonly #places: number[] = []
  #without = 0
  #goldWithout = 0

  take(group: string | undefined, held: Held | undefined, isGold: boolean): void {
    if (group === undefined) {
      this.#without += 1
      this.#goldWithout += Number(isGold)
      return
    }
    const bits = bitsOf(group)
    this.#ids.add(...bits)
    const number = this.#ids.find(...bits)
    this.#sizes[number] = (this.#sizes[number] ?? 0) + 1
    this.#gold[number] = (this.#gold[number] ?? 0) + Number(isGold)
    this.#places[number] = (this.#places[number] ?? 0) | (held === undefined ? 0 : held === "train" ? 1 : 2)
  }

  figures(column: string, correlation: number): GroupFigures {
    const sizes = this.#sizes.toSorted((a, b) => a - b)
    const alone = Array<number>(this.#goldWithout).fill(1)
    return {
      column,
      groups: sizes.length,
      largest: sizes.at(-1) ?? 0,
      median: sizes[Math.floor(sizes.length / 2)] ?? 0,
      without: this.#without,
      across: this.#places.filter((places) => places === 3).length,
      designEffect: designEffect([...this.#gold, ...alone], correlation),
    }
  }
}

class NewestCounts {
  readonly #train: number[] = []
  readonly #test: number[] = []
  #without = 0

  take(time: number | undefined, held: Held | undefined): void {
    if (time === undefined) this.#without += 1
    else if (held === "train") this.#train.push(time)
    else if (held === "test") this.#test.push(time)
  }

  figures(column: string): NewestFigures {
    const test = this.#test.toSorted((a, b) => a - b)
    const [oldest, middle] = [test[0], test[Math.floor(test.length / 2)]]
    const newerThan = (time: number | undefined) =>
      time === undefined ? 0 : this.#train.filter((each) => each > time).length
    return {
      column,
      without: this.#without,
      train: this.#train.length,
      trainNewer: newerThan(oldest),
      trainNewerThanHalf: newerThan(middle),
      ...(oldest === undefined ? {} : { oldestTest: new Date(oldest).toISOString() }),
    }
  }
}
