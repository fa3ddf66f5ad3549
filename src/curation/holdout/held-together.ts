import { bitsOf, IdTable } from "../../core/id-table.ts"
import { groupOf, timeOf, type ColumnedRow, type NamesColumns } from "../../core/rows/kept-columns.ts"
import type { GroupNumbers } from "./group-units.ts"

/** What else than its text and its label decides where a row is held: its group, and when it came about. */
export class HeldTogether {
  /** Below zero for rows without a group; undefined where the task has no groups. */
  readonly group: GroupNumbers | undefined
  /** In milliseconds since 1970, the lowest of all where it is not known; undefined where time does not count. */
  readonly time: Float64Array | undefined
  readonly #task: NamesColumns
  readonly #ids = new IdTable()

  constructor(task: NamesColumns, rows: number) {
    this.#task = task
    const { groupBy, newestBy } = task.holdout
    this.group = groupBy === undefined ? undefined : new Int32Array(rows).fill(-1)
    this.time = newestBy === undefined ? undefined : new Float64Array(rows).fill(-Infinity)
  }

  /** Notes what the row says of itself beside its input. */
  take(number: number, row: ColumnedRow): void {
    const group = this.group === undefined ? undefined : groupOf(this.#task, row)
    if (group !== undefined && this.group !== undefined) {
      const bits = bitsOf(group)
      this.#ids.add(...bits)
      this.group[number] = this.#ids.find(...bits)
    }
    const time = this.time === undefined ? undefined : timeOf(this.#task, row)
    if (time !== undefined && this.time !== undefined) this.time[number] = time
  }
}
