import { digits, lineageOf as digitsInLineage } from "../../curation/leaks/lineage.ts"
import { UsageError } from "../../core/errors.ts"
import type { CandidateCheck, Decision, DroppedExample, Example, Input, Output } from "../../core/rows/example.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { LedgerRequest } from "../../core/contracts/ledger.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { fates, reviewStart } from "../standing/fates.ts"
import { guidelineDigest } from "../standing/review-items.ts"
import type { Standing } from "../standing/standing.ts"

/**
 * A seed, a real input or a candidate as it stands in its file. What is sealed for the test shows neither input nor
 * output.
 */
export interface TracedRow {
  readonly id: string
  readonly kind: "seed" | "input" | "candidate"
  readonly file: string
  readonly split: Held
  readonly input?: Input
  readonly output?: Output
  readonly source?: string
  readonly key?: string
  /** Of a candidate. */
  readonly strategy?: string
  readonly model?: string
  readonly parents?: readonly string[]
  readonly checks?: readonly CandidateCheck[]
  readonly confidence?: number
  /** How many steps it is away: 0 for the row itself, 1 for what it was grown from. */
  readonly generation: number
}

/** A request that was made for the row. */
export interface TracedRequest extends Omit<LedgerRequest, "purpose"> {
  readonly row: string
  readonly strategy: string
}

/** Where an example comes from and what became of it: every file, answer, check and decision on the way. */
export interface Trace {
  readonly task: string
  readonly id: string
  /** The row of the example first, then what it was grown from. */
  readonly rows: readonly TracedRow[]
  /** Ids among its parents that no file has any more. */
  readonly missing: readonly string[]
  /**
   * What the models were asked for it and its ancestors, word for word, and what they answered, as the ledger on this
   * machine has it.
   */
  readonly requests: readonly TracedRequest[]
  /** Requests that are not in this ledger. */
  readonly requestsElsewhere: readonly string[]
  /** Decisions on the row, and on questions about it, in the order of time. */
  readonly decisions: readonly (Decision & { readonly isCurrentGuideline: boolean })[]
  readonly standing: Standing | undefined
  /** The versions that have it, or left it out, with the reason; the one that was built last comes last. */
  readonly versions: readonly {
    readonly version: string
    readonly file: string
    readonly row: Example | DroppedExample
  }[]
}

/**
 * The trace of an example of a version, a preference, a candidate, a seed or a real input, by its id; the row that it
 * was made of has the same digits. Seeds, assignments and versions are gone through one by one; memory has the real
 * inputs, candidates and decisions.
 */
export async function traceOf(context: StageContext, task: TaskSpecification, id: string): Promise<Trace> {
  const rows = new TaskRows(context.workspace, task.task)
  const heldOut = rows.heldOut()
  const heldOf = (row: string) => heldOut.get(row) ?? "train"
  const known = lineageRows(context, rows, id, heldOf)
  const found = versionsWith(new Versions(context.workspace, task.task), digits(id))
  const lineage = lineageOf(known, id)
  if (lineage.rows.length === 0 && found.length === 0)
    throw new UsageError(
      `${task.task} has no example, candidate, seed or input ${id}`,
      "The ids stand in the files under datasets/, or see: tuneloop dataset ls",
    )
  const guideline = guidelineDigest(task)
  const own = lineage.rows[0]?.id ?? id
  const asked = lineage.rows.flatMap(
    ({ id: row }) => known.get(digits(row))?.requests.map((key) => ({ row, key })) ?? [],
  )
  const recorded = await context.readLedger().requests.find(asked.map(({ key }) => key))
  const isSealed = lineage.rows.some(({ split, generation }) => split === "test" && generation === 0)
  return {
    task: task.task,
    id,
    rows: lineage.rows,
    missing: lineage.missing,
    requests: asked.flatMap(({ row, key }) => tracedRequest(recorded.get(key), row)),
    requestsElsewhere: asked.flatMap(({ key }) => (recorded.has(key) ? [] : [key])),
    decisions: rows.review
      .decisions()
      .filter(({ item, rows: about }) => digits(item) === digits(own) || about?.includes(own) === true)
      .map(({ output, ...decision }) => ({
        ...decision,
        ...(output === undefined || isSealed ? {} : { output }),
        isCurrentGuideline: decision.guideline === guideline,
      })),
    standing: isSealed ? undefined : standingOf(task, rows, own, heldOf),
    versions: found,
  }
}

function tracedRequest(recorded: LedgerRequest | undefined, row: string): TracedRequest[] {
  if (recorded === undefined) return []
  const { task, purpose: strategy, ...request } = recorded
  return [{ task, strategy, ...request, row }]
}

interface KnownRow {
  readonly row: Omit<TracedRow, "generation">
  readonly requests: readonly string[]
}

/** The row and what it was grown from, by their digits, as they stand in their files. */
function lineageRows(
  context: StageContext,
  rows: TaskRows,
  id: string,
  heldOf: (id: string) => Held,
): Map<string, KnownRow> {
  const candidates = rows.grown.candidates()
  const reached = digitsInLineage([{ id, parents: [] }], candidates)
  const isReached = (each: string) => reached.has(digits(each))
  const place = (path: string) => context.workspace.show(path)
  const known = new Map<string, KnownRow>()
  for (const candidate of candidates.filter((each) => isReached(each.id))) {
    const { id, batch, input, output, strategy, model, parents, checks, confidence, request } = candidate
    if (known.has(digits(id))) continue
    const row = {
      id,
      kind: "candidate" as const,
      file: place(rows.grown.batchFile(batch)),
      split: "train" as const,
      input,
      output,
      strategy,
      parents,
      checks,
    }
    known.set(digits(id), {
      row: { ...row, ...(model === undefined ? {} : { model }), ...(confidence === undefined ? {} : { confidence }) },
      requests: request === undefined ? [] : [request],
    })
  }
  const add = (
    kind: "seed" | "input",
    file: string,
    {
      id,
      input,
      ...row
    }: { id: string; input: Input; output?: Output; source?: string | undefined; key?: string | undefined },
  ) => {
    const split = heldOf(id)
    const said = split === "test" ? {} : { input, ...(row.output === undefined ? {} : { output: row.output }) }
    const origin = {
      ...(row.source === undefined ? {} : { source: row.source }),
      ...(row.key === undefined ? {} : { key: row.key }),
    }
    known.set(digits(id), { row: { id, kind, file: place(file), split, ...said, ...origin }, requests: [] })
  }
  for (const input of rows.eachInput(isReached)) add("input", rows.inputsFile, input)
  for (const seed of rows.eachSeed(isReached)) add("seed", rows.seedsFile, seed)
  return known
}

/** The row and all its ancestors, nearest first, each once. */
function lineageOf(known: ReadonlyMap<string, KnownRow>, id: string): { rows: TracedRow[]; missing: string[] } {
  const found = new Map<string, TracedRow>()
  const missing = new Set<string>()
  let generation = 0
  for (let wanted: readonly string[] = [id]; wanted.length > 0; generation++) {
    const next: string[] = []
    for (const each of wanted) {
      const { row } = known.get(digits(each)) ?? {}
      if (row === undefined) missing.add(each)
      else if (!found.has(row.id)) {
        found.set(row.id, { ...row, generation })
        next.push(...(row.parents ?? []))
      }
    }
    wanted = next
  }
  return { rows: [...found.values()], missing: [...missing] }
}

/** How the row stands in the review; undefined where nobody is asked about it. */
function standingOf(
  task: TaskSpecification,
  rows: TaskRows,
  own: string,
  heldOf: (id: string) => Held,
): Standing | undefined {
  for (const { row, standing } of fates(rows, reviewStart(task, rows), { heldOf, isWanted: (id) => id === own }))
    if (row === own) return standing
  return undefined
}

/** The version that was built last comes last. Held-out files are not read. */
function versionsWith(versions: Versions, wanted: string): Trace["versions"] {
  const latest = versions.latest()
  const ids = versions.ids().filter((id) => id !== latest)
  return [...ids, ...(latest === undefined ? [] : [latest])].flatMap((version) =>
    (["train.jsonl", "dropped.jsonl"] as const).flatMap((file) => {
      for (const row of versions.each(version, file)) if (digits(row.id) === wanted) return [{ version, file, row }]
      return []
    }),
  )
}
