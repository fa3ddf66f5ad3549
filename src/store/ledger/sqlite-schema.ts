import type { DatabaseSync } from "node:sqlite"
import { ToolkitError } from "../../core/errors.ts"

/** Each migration runs once, in order, in one transaction with the version it leads to; append, never edit. */
const migrations: readonly string[] = [
  `create table runs (run text primary key, job text not null, task text not null, plan text not null, created_at text not null) strict;
   create table run_events (run text not null references runs(run), sequence integer not null, at text not null, type text not null, body text not null, primary key (run, sequence)) strict;
   create table run_cursors (run text primary key references runs(run), cursor text not null) strict;
   create table requests (key text primary key, task text not null, strategy text not null, request text not null, sent_at text not null, attempts integer not null, answered_at text, answer text) strict;
   create table holdout_openings (opening integer primary key, at text not null, task text not null, holdout text not null, evaluation text not null, purpose text not null, unique (holdout, evaluation)) strict;`,
  "create table exports (export integer primary key, at text not null, task text not null, version text " +
    "not null, holdout text not null, format text not null, split text not null, path text not null, rows " +
    "integer not null, digest text not null, unique (path, digest, version)) strict;",
  `create table batches (batch integer primary key, task text not null, strategy text not null, submission_key text not null unique, base_url text not null, state text not null, remote text, created_at text not null, ended_at text) strict;
   create table attempts (attempt integer primary key, key text not null references requests(key), task text not null, strategy text not null, batch integer references batches(batch), state text not null, sent_at text not null, settled_at text, worst_usd real, cost_usd real, input_tokens integer, output_tokens integer) strict;
   create index attempts_by_key on attempts (key);
   create index attempts_by_task on attempts (task, state, cost_usd, worst_usd);`,
  `create table request_rows (
     key text not null references requests(key), row text not null, primary key (key, row)
   ) strict, without rowid;
   create index request_rows_by_row on request_rows (row);
   create table forbidden (task text not null, name text not null, primary key (task, name)) strict, without rowid;
   create table scrubs (due integer primary key) strict;`,
]

/** The database has the tables that this code knows. Throws where a newer Tuneloop made them. */
export function migrate(database: DatabaseSync): void {
  requireVersion(database, (version) => version <= migrations.length)
  while (versionOf(database) < migrations.length) {
    database.exec("begin immediate")
    const from = versionOf(database)
    if (from < migrations.length) database.exec(`${migrations[from]} pragma user_version = ${from + 1};`)
    database.exec("commit")
  }
}

/** Throws where the database is another program's: no table is made in it. */
export function requireLedger(database: DatabaseSync): void {
  const tables = database
    .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    .all()
  const isOurs = versionOf(database) === 0 ? tables.length === 0 : tables.some(({ name }) => name === "run_events")
  if (isOurs) return
  throw new ToolkitError(`${database.location() ?? "the file"} is a database of another program, not a ledger`, {
    code: "ledger",
    hint: "Name another file as `ledger` in tuneloop.yaml; nothing was written to this one.",
  })
}

/** Throws where the tables are not just those that this code knows: nobody may change them. */
export function requireCurrent(database: DatabaseSync): void {
  requireVersion(database, (version) => version === migrations.length)
}

function versionOf(database: DatabaseSync): number {
  const row = database.prepare("pragma user_version").get()
  return Number(row?.["user_version"])
}

function requireVersion(database: DatabaseSync, isKnown: (version: number) => boolean): void {
  const version = versionOf(database)
  if (isKnown(version)) return
  throw new ToolkitError(`the ledger is of version ${version}; this Tuneloop knows ${migrations.length}`, {
    code: "ledger",
    hint:
      version > migrations.length
        ? "Use the newer Tuneloop that wrote it."
        : "Whoever may write the ledger brings it up to date with any command.",
  })
}
