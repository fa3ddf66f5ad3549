import type { DatabaseSync } from "node:sqlite"
import type { ModelAnswer } from "../../core/contracts/model.ts"
import { parseJson } from "../../core/json-text.ts"
import { idDigest } from "../../core/rows/erasure.ts"
import { TextSearch, withoutTexts } from "../../core/text-search.ts"
import { erasedRequest, parseAnswer } from "./request-texts.ts"
import { inTransaction, keyList, select } from "./sqlite-statements.ts"

/** See `RequestLedger.saying`. */
export function keysSaying(
  database: DatabaseSync,
  {
    task,
    texts,
    withoutRows,
  }: { readonly task: string; readonly texts: readonly string[]; readonly withoutRows: boolean },
): string[] {
  const search = new TextSearch(texts)
  if (search.isEmpty) return []
  const which = withoutRows ? "and key not in (select key from request_rows)" : ""
  return select<{ key: string; request: string; answer: string | null }>(
    database,
    `select key, request, answer from requests where task = ? ${which} order by key`,
    task,
  ).flatMap(({ key, request, answer }) => (search.isIn(`${request}\n${answer ?? ""}`) ? [key] : []))
}

/** See `RequestLedger.showing`. */
export function keysShowing(database: DatabaseSync, task: string, rows: Iterable<string>): string[] {
  return select<{ key: string }>(
    database,
    `select distinct key from request_rows join requests using (key)
     where row in (select value from json_each(?)) and task = ? and request <> ? order by key`,
    keyList(new Set(Array.from(rows, idDigest))),
    task,
    erasedRequest,
  ).map(({ key }) => key)
}

/**
 * See `RequestLedger.erase`. That pages are to be scrubbed is known with the same transaction: a kill forgets nothing.
 */
export function eraseRequests(database: DatabaseSync, keys: readonly string[]): void {
  if (keys.length === 0) return
  inTransaction(database, () => {
    const read = database.prepare("select answer from requests where key = ?")
    const update = database.prepare("update requests set request = ?, answer = ? where key = ?")
    for (const key of keys) {
      const answer = read.get(key)?.["answer"]
      const left = typeof answer === "string" ? withoutWords(parseAnswer(database, key, answer)) : undefined
      update.run(erasedRequest, left === undefined ? null : JSON.stringify(left), key)
    }
    database.exec("insert or ignore into scrubs (due) values (1)")
  })
}

/** See `RunLedger.eraseTexts`. */
export function eraseInEvents(database: DatabaseSync, run: string, texts: readonly string[]): number {
  const search = new TextSearch(texts)
  if (search.isEmpty) return 0
  return inTransaction(database, () => {
    const update = database.prepare("update run_events set body = ? where run = ? and sequence = ?")
    let changed = 0
    for (const { sequence, body } of select<{ sequence: number; body: string }>(
      database,
      "select sequence, body from run_events where run = ? order by sequence",
      run,
    )) {
      const left = search.isIn(body) ? JSON.stringify(withoutTexts(parseJson(body), search)) : body
      if (left === body) continue
      update.run(left, run, sequence)
      changed += 1
    }
    if (changed > 0) database.exec("insert or ignore into scrubs (due) values (1)")
    return changed
  })
}

/** See `RequestLedger.forbid`. */
export function forbidRequests(
  database: DatabaseSync,
  task: string,
  { rows, keys }: { readonly rows: Iterable<string>; readonly keys: Iterable<string> },
): void {
  inTransaction(database, () => {
    const insert = database.prepare("insert or ignore into forbidden (task, name) values (?, ?)")
    for (const name of [...Array.from(rows, idDigest), ...keys]) insert.run(task, name)
  })
}

/** See `Ledger.scrub`. Rewritten, a database has no page left over; then its journal is emptied. */
export function scrubDatabase(database: DatabaseSync): "clean" | "busy" {
  if (select(database, "select 1 from scrubs").length === 0) return "clean"
  try {
    database.exec("vacuum")
    const done = database.prepare("pragma wal_checkpoint(truncate)").get()
    if (Number(done?.["busy"]) !== 0) return "busy"
    database.exec("delete from scrubs")
    return "clean"
  } catch (error) {
    if (/locked|busy/.test((error as Error).message)) return "busy"
    throw error
  }
}

/** Of an answer what it took, and nothing that it said, thought or refused. */
function withoutWords({ inputTokens, outputTokens, finish, schemaRefused, countsRefused }: ModelAnswer): ModelAnswer {
  return {
    text: "",
    inputTokens,
    outputTokens,
    ...(finish === undefined ? {} : { finish }),
    ...(schemaRefused === undefined ? {} : { schemaRefused }),
    ...(countsRefused === undefined ? {} : { countsRefused }),
  }
}
