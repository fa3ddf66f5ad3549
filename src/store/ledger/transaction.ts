import type { DatabaseSync } from "node:sqlite"

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
