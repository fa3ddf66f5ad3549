import { existsSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import { ToolkitError } from "../../core/errors.ts"
import { digest } from "../../core/canonical.ts"
import type { ModelAnswer, ModelRequest } from "../../core/contracts/model.ts"
import type { RunEvent, RunEventBody } from "../../core/training/run.ts"
import { Attempts, erasedRequest } from "./attempts.ts"
import { Batches } from "./batches.ts"
import { inTransaction } from "./transaction.ts"

/** Each migration runs once, in order, in one transaction with the version it leads to; append, never edit. */
const migrations: readonly string[] = [
  `create table runs (run text primary key, job text not null, task text not null, plan text not null, created_at text not null) strict;
   create table run_events (run text not null references runs(run), sequence integer not null, at text not null, type text not null, body text not null, primary key (run, sequence)) strict;
   create table run_cursors (run text primary key references runs(run), cursor text not null) strict;
   create table requests (key text primary key, task text not null, strategy text not null, request text not null, sent_at text not null, attempts integer not null, answered_at text, answer text) strict;
   create table holdout_openings (opening integer primary key, at text not null, task text not null, holdout text not null, evaluation text not null, purpose text not null, unique (holdout, evaluation)) strict;`,
  `create table exports (export integer primary key, at text not null, task text not null, version text not null, holdout text not null, format text not null, split text not null, path text not null, rows integer not null, digest text not null, unique (path, digest, version)) strict;`,
  `create table batches (batch integer primary key, task text not null, strategy text not null, submission_key text not null unique, base_url text not null, state text not null, remote text, created_at text not null, ended_at text) strict;
   create table attempts (attempt integer primary key, key text not null references requests(key), task text not null, strategy text not null, batch integer references batches(batch), state text not null, sent_at text not null, settled_at text, worst_usd real, cost_usd real, input_tokens integer, output_tokens integer) strict;
   create index attempts_by_key on attempts (key);
   create index attempts_by_task on attempts (task, state, cost_usd, worst_usd);`,
]

/**
 * What the machine did and must not do twice. Every write is durable when the call returns. Several processes may use
 * it at once.
 */
export class Ledger {
  /** Whether it can only be read: nobody may write where it lies. */
  readonly isReadOnly: boolean
  /** How often and at what cost requests were sent. */
  readonly attempts: Attempts
  /** The batches that were given to a provider. */
  readonly batches: Batches
  private readonly database: DatabaseSync
  private readonly now: () => Date

  private constructor(database: DatabaseSync, now: () => Date, isReadOnly = false) {
    this.database = database
    this.now = now
    this.isReadOnly = isReadOnly
    this.attempts = new Attempts(database, now)
    this.batches = new Batches(database, now)
  }

  /** The ledger of the file, which is made where there is none. */
  static open(file: string, now: () => Date): Ledger {
    const existed = existsSync(file)
    try {
      mkdirSync(dirname(file), { recursive: true })
      const database = new DatabaseSync(file)
      database.exec(
        "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;",
      )
      migrate(database)
      return new Ledger(database, now)
    } catch (error) {
      if (error instanceof ToolkitError) throw error
      throw new ToolkitError(`cannot open the ledger ${file}: ${(error as Error).message}`, {
        code: "ledger",
        hint:
          !existed || isWriteForbidden(error)
            ? "Check that you may write the file and its folder, and that the disk is not full."
            : "It may be damaged: keep a copy, then `tuneloop ledger verify` says more.",
        cause: error,
      })
    }
  }

  /**
   * The ledger of the file to read from: an empty one where there is none, which is then not made; the file as it is
   * where nobody may write.
   */
  static read(file: string, now: () => Date): Ledger {
    if (!existsSync(file)) {
      const database = new DatabaseSync(":memory:")
      migrate(database)
      return new Ledger(database, now)
    }
    try {
      return Ledger.open(file, now)
    } catch (error) {
      // A log beside it holds what the file itself does not have yet: then it takes the right to write to read it.
      if (!(error instanceof ToolkitError) || !isWriteForbidden(error.cause) || existsSync(`${file}-wal`)) throw error
      const database = openUnchanged(file)
      if (database === undefined) throw error
      requireVersion(database, (version) => version === migrations.length)
      return new Ledger(database, now, true)
    }
  }

  close(): void {
    this.database.close()
  }

  /** Names a run of the plan, once: a second call with the same id changes nothing. */
  createRun(run: { run: string; job: string; task: string; plan: string }): void {
    inTransaction(this.database, () => {
      const inserted = this.database
        .prepare("insert or ignore into runs (run, job, task, plan, created_at) values (?, ?, ?, ?, ?)")
        .run(run.run, run.job, run.task, run.plan, this.timestamp())
      if (inserted.changes > 0) this.insertEvents(run.run, [{ type: "planned", plan: run.plan }])
    })
  }

  /** The runs, newest first. */
  runs(filter: { plan?: string; job?: string; task?: string } = {}): LedgerRun[] {
    const rows = this.database
      .prepare("select run, job, task, plan, created_at as createdAt from runs order by created_at desc, run desc")
      .all() as unknown as LedgerRun[]
    return rows.filter((row) =>
      Object.entries(filter).every(([key, value]) => value === undefined || row[key as keyof LedgerRun] === value),
    )
  }

  events(run: string): RunEvent[] {
    const rows = this.database
      .prepare("select sequence, at, type, body from run_events where run = ? order by sequence")
      .all(run) as {
      sequence: number
      at: string
      type: string
      body: string
    }[]
    return rows.map(
      (row) =>
        ({ run, sequence: row.sequence, at: row.at, type: row.type, ...(JSON.parse(row.body) as object) }) as RunEvent,
    )
  }

  /**
   * Appends events and moves the poll's cursor in one step, so that a crash between never repeats or loses one. When
   * `expected` is given and the cursor is another by now (a second watcher was faster), nothing is written and false is
   * returned.
   */
  appendEvents(
    run: string,
    bodies: readonly RunEventBody[],
    cursor?: { expected: string | undefined; next: string },
  ): boolean {
    return inTransaction(this.database, () => {
      if (cursor && this.cursor(run) !== cursor.expected) return false
      this.insertEvents(run, bodies)
      if (cursor)
        this.database
          .prepare(
            "insert into run_cursors (run, cursor) values (?, ?) on conflict (run) do update set cursor = excluded.cursor",
          )
          .run(run, cursor.next)
      return true
    })
  }

  /** Appends the event of a submit when no other process did: two commands at once never start the same attempt. */
  beginSubmission(run: string, submissionKey: string, attempt: number): boolean {
    return inTransaction(this.database, () => {
      const taken = this.events(run).some((event) => event.type === "submitting" && event.attempt >= attempt)
      if (taken) return false
      this.insertEvents(run, [{ type: "submitting", submissionKey, attempt }])
      return true
    })
  }

  cursor(run: string): string | undefined {
    return (
      this.database.prepare("select cursor from run_cursors where run = ?").get(run) as { cursor: string } | undefined
    )?.cursor
  }

  /** The recorded answer to the request, if it was answered. */
  answer(key: string): ModelAnswer | undefined {
    const row = this.database.prepare("select answer from requests where key = ?").get(key) as
      | { answer: string | null }
      | undefined
    return row?.answer ? (JSON.parse(row.answer) as ModelAnswer) : undefined
  }

  /** The request as it was sent, and its answer, if there is one; an erasure may have taken what it said. */
  request(key: string): LedgerRequest | undefined {
    const row = this.database
      .prepare(
        "select task, strategy, request, sent_at as sentAt, attempts, answered_at as answeredAt, answer from requests where key = ?",
      )
      .get(key) as
      | {
          task: string
          strategy: string
          request: string
          sentAt: string
          attempts: number
          answeredAt: string | null
          answer: string | null
        }
      | undefined
    if (row === undefined) return undefined
    const { request, answer, answeredAt, ...sent } = row
    const isErased = request === erasedRequest
    return {
      ...sent,
      key,
      isErased,
      ...(isErased ? {} : { request: JSON.parse(request) as ModelRequest }),
      ...(answer === null ? {} : { answer: JSON.parse(answer) as ModelAnswer }),
      ...(answeredAt === null ? {} : { answeredAt }),
    }
  }

  /** What a task's model was asked and answered, in the order of asking; without what was erased. */
  recording(task: string): { request: ModelRequest; answer: ModelAnswer }[] {
    const rows = this.database
      .prepare(
        "select request, answer from requests where task = ? and answer is not null and request <> ? order by rowid",
      )
      .all(task, erasedRequest) as { request: string; answer: string }[]
    return rows.map(({ request, answer }) => ({
      request: JSON.parse(request) as ModelRequest,
      answer: JSON.parse(answer) as ModelAnswer,
    }))
  }

  requestTotals(task?: string): {
    requests: number
    sent: number
    answered: number
    inputTokens: number
    outputTokens: number
  } {
    const rows = this.database.prepare("select task, attempts, answer from requests").all() as {
      task: string
      attempts: number
      answer: string | null
    }[]
    const mine = rows.filter((row) => task === undefined || row.task === task)
    const answers = mine.flatMap((row) => (row.answer === null ? [] : [JSON.parse(row.answer) as ModelAnswer]))
    return {
      requests: mine.length,
      sent: mine.reduce((sum, row) => sum + row.attempts, 0),
      answered: answers.length,
      inputTokens: answers.reduce((sum, answer) => sum + (answer.inputTokens ?? 0), 0),
      outputTokens: answers.reduce((sum, answer) => sum + (answer.outputTokens ?? 0), 0),
    }
  }

  /** Records that the test rows of a holdout were opened for an evaluation; the same evaluation opens them once. */
  recordOpening(opening: { task: string; holdout: string; evaluation: string; purpose: string }): void {
    this.database
      .prepare("insert or ignore into holdout_openings (at, task, holdout, evaluation, purpose) values (?, ?, ?, ?, ?)")
      .run(this.timestamp(), opening.task, opening.holdout, opening.evaluation, opening.purpose)
  }
  openings(holdout: string): { at: string; evaluation: string; purpose: string }[] {
    return this.database
      .prepare("select at, evaluation, purpose from holdout_openings where holdout = ? order by opening")
      .all(holdout) as {
      at: string
      evaluation: string
      purpose: string
    }[]
  }

  /** The keys of the task's requests whose prompt or answer says one of the texts. */
  requestsSaying(task: string, texts: readonly string[]): string[] {
    const wanted = texts.map((text) => JSON.stringify(text).slice(1, -1)).filter((text) => text !== "")
    const rows = this.database
      .prepare("select key, request, answer from requests where task = ? order by key")
      .all(task) as {
      key: string
      request: string
      answer: string | null
    }[]
    // An answer that is JSON itself is escaped twice.
    const escaped = wanted.map((text) => JSON.stringify(text).slice(1, -1))
    return rows.flatMap(({ key, request, answer }) => {
      const said = `${request}\n${answer ?? ""}`
      return [...wanted, ...escaped].some((text) => said.includes(text)) ? [key] : []
    })
  }
  /**
   * Nothing of what the requests said is left, not in the free pages of the file either; their tokens are, and that
   * they were sent.
   */
  eraseRequests(keys: readonly string[]): void {
    if (keys.length === 0) return
    this.database.exec("pragma secure_delete = on")
    inTransaction(this.database, () => {
      for (const key of keys) {
        const answer = this.answer(key)
        this.database
          .prepare("update requests set request = ?, answer = ? where key = ?")
          .run(erasedRequest, answer === undefined ? null : JSON.stringify({ ...answer, text: "" }), key)
      }
    })
    this.database.exec("pragma wal_checkpoint(truncate)")
  }

  /**
   * Records that rows of a version were written to a file outside the versions' folders; the same file with the same
   * bytes once. Called before the file has its name: an erasure must know of every copy.
   */
  recordExport(entry: Omit<LedgerExport, "at">): void {
    this.database
      .prepare(
        "insert or ignore into exports (at, task, version, holdout, format, split, path, rows, digest) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      )
      .run(
        this.timestamp(),
        entry.task,
        entry.version,
        entry.holdout,
        entry.format,
        entry.split,
        entry.path,
        entry.rows,
        entry.digest,
      )
  }
  /** The exports of a task, oldest first. */
  exports(task: string): LedgerExport[] {
    return this.database
      .prepare(
        "select at, task, version, holdout, format, split, path, rows, digest from exports where task = ? order by export",
      )
      .all(task) as unknown as LedgerExport[]
  }

  /**
   * What is wrong with the ledger; empty when it is sound: the database's own check, sequences without gaps, requests
   * under the digest of their content.
   */
  verify(): string[] {
    const integrity = (this.database.prepare("pragma integrity_check").all() as { integrity_check: string }[])
      .map((row) => row.integrity_check)
      .filter((line) => line !== "ok")
    const foreign = this.database
      .prepare("pragma foreign_key_check")
      .all()
      .map((row) => `an event of an unknown run: ${JSON.stringify(row)}`)
    const gaps = this.runs().flatMap(({ run }) =>
      this.events(run)
        .flatMap((event, index) =>
          event.sequence === index + 1 ? [] : [`run ${run}: event ${event.sequence} stands where ${index + 1} should`],
        )
        .slice(0, 1),
    )
    const requests = (
      this.database.prepare("select key, request from requests").all() as { key: string; request: string }[]
    ).flatMap((row) =>
      row.request === erasedRequest || digest(JSON.parse(row.request)) === row.key
        ? []
        : [`request ${row.key} is not the digest of its content`],
    )
    return [...integrity, ...foreign, ...gaps, ...requests]
  }

  private insertEvents(run: string, bodies: readonly RunEventBody[]): void {
    const last =
      (
        this.database.prepare("select max(sequence) as last from run_events where run = ?").get(run) as {
          last: number | null
        }
      ).last ?? 0
    const insert = this.database.prepare(
      "insert into run_events (run, sequence, at, type, body) values (?, ?, ?, ?, ?)",
    )
    for (const [index, { type, ...body }] of bodies.entries())
      insert.run(run, last + 1 + index, this.timestamp(), type, JSON.stringify(body))
  }

  private timestamp(): string {
    return this.now().toISOString()
  }
}

export interface LedgerRun {
  readonly run: string
  readonly job: string
  readonly task: string
  readonly plan: string
  readonly createdAt: string
}

/** A request to a model. */
export interface LedgerRequest {
  readonly key: string
  readonly task: string
  readonly strategy: string
  readonly sentAt: string
  readonly attempts: number
  readonly answeredAt?: string
  /** An erasure took what it said, and what was answered. */
  readonly isErased: boolean
  readonly request?: ModelRequest
  readonly answer?: ModelAnswer
}

/** A file that rows of a version were exported to; `path` is relative to the workspace where it lies in it. */
export interface LedgerExport {
  readonly at: string
  readonly task: string
  readonly version: string
  readonly holdout: string
  readonly format: string
  readonly split: string
  readonly path: string
  readonly rows: number
  readonly digest: string
}

function migrate(database: DatabaseSync): void {
  requireVersion(database, (version) => version <= migrations.length)
  while (versionOf(database) < migrations.length) {
    database.exec("begin immediate")
    const from = versionOf(database)
    if (from < migrations.length) database.exec(`${migrations[from]} pragma user_version = ${from + 1};`)
    database.exec("commit")
  }
}

/** The database as a file that nobody changes; undefined when it cannot be read either. */
function openUnchanged(file: string): DatabaseSync | undefined {
  const address = pathToFileURL(file)
  address.search = "immutable=1"
  try {
    return new DatabaseSync(address, { readOnly: true })
  } catch {
    return undefined
  }
}

function versionOf(database: DatabaseSync): number {
  return (database.prepare("pragma user_version").get() as { user_version: number }).user_version
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

/** SQLite's codes for "read-only" and "cannot open", or the system's for a folder. */
function isWriteForbidden(error: unknown): boolean {
  const { errcode, code } = error as { errcode?: number; code?: string }
  return (
    (errcode !== undefined && [8, 14].includes(errcode & 0xff)) || ["EACCES", "EPERM", "EROFS"].includes(code ?? "")
  )
}
