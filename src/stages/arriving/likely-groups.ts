import { contentDigits } from "../../core/canonical.ts"
import { bitsOf, IdTable } from "../../core/id-table.ts"
import type { TaskSpecification } from "../../core/task/task.ts"

/** A column that looks as if it said which rows belong together, though nobody named it. */
export interface LikelyGroup {
  readonly column: string
  readonly groups: number
  readonly rows: number
}

/**
 * Looks for columns that say which rows belong together: called like one, and with values that come again. Finds none
 * where the specification names one.
 */
export class LikelyGroups {
  readonly #isWanted: boolean
  readonly #columns = new Map<string, { ids: IdTable; rows: number } | undefined>()

  constructor(task: TaskSpecification) {
    this.#isWanted = task.holdout.groupBy === undefined
  }

  take(fields: Readonly<Record<string, unknown>>): void {
    if (!this.#isWanted) return
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") continue
      if (!this.#columns.has(name))
        this.#columns.set(name, isLikely(name) ? { ids: new IdTable(), rows: 0 } : undefined)
      const column = this.#columns.get(name)
      if (column === undefined || value === "") continue
      column.rows += 1
      column.ids.add(...bitsOf(contentDigits(String(value))))
    }
  }

  found(): LikelyGroup[] {
    return [...this.#columns].flatMap(([column, found]) => {
      if (found === undefined || found.ids.size < 2 || found.ids.size === found.rows) return []
      return [{ column, groups: found.ids.size, rows: found.rows }]
    })
  }
}

/** `customer_id`, `threadId`, `doc`, `source url`. */
function isLikely(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && !ending.has(word))
  return words.length > 0 && words.every((word) => nouns.has(word.replace(/s$/, "")))
}

const ending = new Set("id ids no nr num number key uuid guid name hash source parent".split(" "))
const nouns = new Set(
  (
    "account article author book call caller case chapter chat client company contract conversation customer device " +
    "dialog dialogue doc document email encounter episode family file filename group household link member order " +
    "organisation organization org page paper participant patient paragraph person post recording report sender " +
    "session site speaker student study subject tenant thread ticket transcript uri url user video visit visitor"
  ).split(" "),
)
