import type { DatabaseSync, SQLInputValue } from "node:sqlite"

/** What the work writes is in the database whole, or not at all where it throws. No other process writes meanwhile. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("begin immediate")
  try {
    const result = work()
    database.exec("commit")
    return result
  } catch (error) {
    database.exec("rollback")
    throw error
  }
}

/** The rows of a query. The tables are strict, so that a row has the types of its columns: `Row` names them. */
export function select<Row>(database: DatabaseSync, sql: string, ...parameters: readonly SQLInputValue[]): Row[] {
  return database.prepare(sql).all(...parameters) as unknown as Row[]
}

/** The keys as one parameter, for `in (select value from json_each(?))`. */
export function keyList(keys: Iterable<string>): string {
  return JSON.stringify([...keys])
}
