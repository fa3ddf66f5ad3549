import { existsSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type SQLOutputValue } from "node:sqlite"

/** The whole ledger as SQL text: its version, its tables and its rows, each row in the order it was written in. */
export function dumpLedger(file: string): string {
  const database = new DatabaseSync(file)
  const version = database.prepare("pragma user_version").get() as { user_version: number }
  const objects = database
    .prepare(
      "select name, type, sql from sqlite_schema where sql is not null and name not like 'sqlite_%' order by rowid",
    )
    .all() as { name: string; type: string; sql: string }[]
  const statements = objects.flatMap(({ name, type, sql }) => [
    `${sql};`,
    ...(type === "table" ? insertsOf(database, name) : []),
  ])
  database.close()
  return `${[`pragma user_version = ${version.user_version};`, ...statements].join("\n")}\n`
}

/** Makes the ledger that the SQL text describes. */
export function loadLedger(sql: string, file: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const database = new DatabaseSync(file)
  database.exec(`begin; ${sql}`)
  database.exec("commit")
  database.close()
}

/** The rows of every table, as they are in the ledger now; nothing where there is none. */
export function ledgerRows(
  file: string,
): Readonly<Record<string, readonly Readonly<Record<string, SQLOutputValue>>[]>> {
  if (!existsSync(file)) return {}
  const database = new DatabaseSync(file, { readOnly: true })
  const tables = database
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name")
    .all() as { name: string }[]
  const rows = Object.fromEntries(tables.map(({ name }) => [name, database.prepare(`select * from ${name}`).all()]))
  database.close()
  return rows
}

function insertsOf(database: DatabaseSync, table: string): string[] {
  return database
    .prepare(`select * from ${table} order by rowid`)
    .all()
    .map((row) => `insert into ${table} values (${Object.values(row).map(literal).join(", ")});`)
}

function literal(value: SQLOutputValue): string {
  if (value === null) return "null"
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`
  if (typeof value === "number" || typeof value === "bigint") return String(value)
  throw new Error("a ledger holds no bytes")
}
