import type { Worker } from "node:worker_threads"
import { DataError } from "../../core/errors.ts"
import type { Decision, Seed } from "../../core/rows/example.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import { IdTable } from "../../core/id-table.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { compareGroups, type ComparisonPlan } from "../../curation/rows/comparison.ts"
import type { Comparison } from "../../curation/rows/keep-best.ts"
import { Intake, type CurationOptions } from "../../curation/version/intake.ts"
import { joinByKeys, shareOut, type RowGroups } from "../../curation/rows/key-groups.ts"
import { OutputEquality } from "../../curation/rows/output-equality.ts"
import { OverlapJudge, type JudgedOverlap, type OverlapPlan } from "../../curation/leaks/overlap-judge.ts"
import { Resketcher, type ResketchPlan } from "../../curation/rows/resketch.ts"
import { rowsByPart } from "../../curation/rows/row-parts.ts"
import { head, headNumbers, type RowBatch, type Why } from "../../curation/rows/row-batch.ts"
import { rowExample, rowLines } from "../../curation/rows/row-lines.ts"
import { RowRecords, type MovedRecords, type SharedRecords } from "../../curation/rows/row-records.ts"
import { PartReader, PartWriter, type Extents, type SharedSpill } from "../../store/files/parted-spill.ts"
import { seedBytes, SeedRanges } from "../../store/rows/seed-ranges.ts"
import { writeDigested } from "../../store/files/staged-file.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Workspace } from "../../store/workspace.ts"
import { CostMeter } from "./build-costs.ts"
import type { StageContext } from "../context.ts"
import { fates } from "../standing/fates.ts"
import { reviewPlan } from "../standing/review-plan.ts"
import { witnessLines, type WitnessShare } from "./witness-lines.ts"
import type { WitnessNotes } from "../../curation/leaks/witness.ts"
import { RowPass, type PassEnd, type PassPart } from "./row-pass.ts"

/** Starts threads that do what they are sent: `workOn`. */
export interface ThreadStarter {
  /** How many work at once. */
  readonly count: number
  /** Of a smaller file of seeds the build has no threads; 8 MiB by default: they take longer to start than they save. */
  readonly leastBytes?: number | undefined
  start(): Worker
}

/** What a thread is sent: plain data. */
export type ThreadTask =
  | { readonly pass: SeedPass }
  | { readonly join: JoinShare }
  | { readonly judge: JudgeShare }
  | { readonly resketch: ResketchShare }
  | { readonly compare: ComparisonShare }
  | { readonly write: LinesFile }
  | { readonly witness: WitnessShare }

interface SeedPass {
  readonly root: string
  readonly options: CurationOptions
  /** Ids of seeds that are held out. */
  readonly held: ReadonlySet<string>
  readonly decisions: readonly (readonly [item: string, decisions: readonly Decision[]])[]
  /** Where the lines of the rows go. */
  readonly spill: SharedSpill
  /** The next range of the file that nobody has. */
  readonly next: Int32Array<SharedArrayBuffer>
}

interface JoinShare {
  readonly records: SharedRecords
  readonly rows: Uint32Array<SharedArrayBuffer>
  readonly from: number
  readonly until: number
}

/** Rows whose lines are read once more. */
interface PartsShare {
  readonly records: SharedRecords
  readonly spill: SharedSpill
  /** By the parts of the spill. */
  readonly rows: RowGroups
  /** The next part that nobody has. */
  readonly next: Int32Array<SharedArrayBuffer>
}

interface JudgeShare extends PartsShare {
  readonly plan: OverlapPlan
}

interface ResketchShare extends PartsShare {
  readonly task: TaskSpecification
  readonly plan: ResketchPlan
}

interface ComparisonShare {
  readonly task: TaskSpecification
  readonly records: SharedRecords
  /** Where the lines of the rows are. */
  readonly spill: SharedSpill
  readonly groups: RowGroups
  readonly plan: ComparisonPlan
}

interface LinesFile {
  readonly path: string
  readonly records: SharedRecords
  readonly spill: SharedSpill
  readonly rows: Uint32Array
  /** Of dropped rows, why each was. */
  readonly whys: readonly Why[] | undefined
}

/** What a thread knows at the end of its pass, and where in the spill its lines are. */
export interface ThreadEnd extends PassEnd {
  readonly extents: Extents
}

type Answer =
  | { readonly part: PassPart }
  | { readonly end: ThreadEnd; readonly isDamaged: boolean }
  | { readonly heads: Uint32Array }
  | { readonly judged: JudgedOverlap }
  | { readonly moved: MovedRecords[] }
  | { readonly comparison: Comparison }
  | { readonly digest: string }
  | { readonly notes: WitnessNotes }
  | { readonly refused: Pick<DataError, "message" | "issues" | "hint"> }

/** The threads of a build of many seeds; none where the file is small. They start at once and wait for their tasks. */
export class BuildThreads {
  readonly #workers: Worker[]
  #files = 0

  constructor(rows: TaskRows, starter: ThreadStarter | undefined) {
    const isWorthIt = starter !== undefined && starter.count > 1
    this.#workers =
      isWorthIt && seedBytes(rows) >= (starter.leastBytes ?? leastBytes)
        ? Array.from({ length: starter.count }, () => starter.start())
        : []
  }

  get count(): number {
    return this.#workers.length
  }

  /**
   * Takes the seeds through the pass, range by range of their file. Shows `take` every part, in no order, and resolves
   * to what each thread knows at its end. A line that is no seed is a DataError, with all the others.
   */
  async passSeeds(
    context: Pick<StageContext, "signal">,
    rows: TaskRows,
    task: Omit<SeedPass, "next">,
    take: (part: PassPart) => void,
  ): Promise<ThreadEnd[]> {
    const next = new Int32Array(new SharedArrayBuffer(4))
    const ids = new IdTable()
    const requireSound = (isSound: boolean) => {
      if (!isSound) rows.refuse(rows.seedsFile, rows.eachSeed())
    }
    return this.#each(
      () => ({ pass: { ...task, next } }),
      (answer) => {
        context.signal.throwIfAborted()
        if ("end" in answer) {
          requireSound(!answer.isDamaged)
          return answer.end
        }
        if ("part" in answer) {
          requireSound(addIds(ids, answer.part.batch))
          take(answer.part)
        }
        return undefined
      },
    )
  }

  /** Joins the rows that share one of their keys, each thread by some of these: see `joinByKeys`. */
  async join(records: SharedRecords, rows: Uint32Array<SharedArrayBuffer>, bands: number): Promise<Uint32Array[]> {
    const first = (thread: number) => Math.round((bands * thread) / this.count)
    return this.#each(
      (thread) => ({ join: { records, rows, from: first(thread), until: first(thread + 1) } }),
      (answer) => ("heads" in answer ? answer.heads : undefined),
    )
  }

  /** Judges once more the rows that share a long run of words with a held-out one. */
  async judge(records: RowRecords, spill: SharedSpill, rows: Uint32Array, plan: OverlapPlan): Promise<JudgedOverlap[]> {
    const judge = { ...partsShare(records, spill, rows), plan }
    return this.#each(
      () => ({ judge }),
      (answer) => ("judged" in answer ? answer.judged : undefined),
    )
  }

  /** Sketches the rows anew; resolves to the records that had no room where they were. */
  async resketch(
    task: TaskSpecification,
    records: RowRecords,
    spill: SharedSpill,
    rows: Uint32Array,
    plan: ResketchPlan,
  ): Promise<MovedRecords[][]> {
    const resketch = { ...partsShare(records, spill, rows), task, plan }
    return this.#each(
      () => ({ resketch }),
      (answer) => ("moved" in answer ? answer.moved : undefined),
    )
  }

  /** Compares the rows of each group, the groups shared out to the threads. */
  async compare(
    task: TaskSpecification,
    { records, spill }: Pick<ComparisonShare, "records" | "spill">,
    groups: RowGroups,
    plan: ComparisonPlan,
  ): Promise<Comparison[]> {
    const shares = shareOut(groups, this.count)
    return this.#each(
      (thread) => ({ compare: { task, records, spill, groups: shares[thread] as RowGroups, plan } }),
      (answer) => ("comparison" in answer ? answer.comparison : undefined),
    )
  }

  /**
   * The file of the rows' lines is there; resolves to its digest. Each file is written by a thread of its own, as long
   * as there are some.
   */
  async write(file: LinesFile): Promise<string> {
    const worker = this.#workers[this.#files++ % this.count] as Worker
    return this.#ask(worker, { write: file }, (answer) => ("digest" in answer ? answer.digest : undefined))
  }

  /** Has each thread look at some of the lines of a frozen file. */
  async witness(witness: WitnessShare): Promise<WitnessNotes[]> {
    return this.#each(
      () => ({ witness }),
      (answer) => ("notes" in answer ? answer.notes : undefined),
    )
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  /** Sends each thread its task and resolves to their results. */
  async #each<Result>(
    taskOf: (thread: number) => ThreadTask,
    receive: (answer: Answer) => Result | undefined,
  ): Promise<Result[]> {
    return Promise.all(this.#workers.map((worker, thread) => this.#ask(worker, taskOf(thread), receive)))
  }

  /**
   * Sends a thread its task and resolves to the result, which `receive` makes of an answer sooner or later. A thread
   * does one task at a time.
   */
  async #ask<Result>(
    worker: Worker,
    task: ThreadTask,
    receive: (answer: Answer) => Result | undefined,
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const fail = (code: unknown) =>
        reject(code instanceof Error ? code : new Error(`a thread ended with ${String(code)}`))
      const hear = (answer: Answer) => {
        try {
          // Its message tells the issues already.
          if ("refused" in answer)
            throw Object.assign(new DataError(answer.refused.message, [], answer.refused.hint), {
              issues: answer.refused.issues,
            })
          const result = receive(answer)
          if (result === undefined) return
          worker.off("message", hear).off("error", fail).off("exit", fail)
          resolve(result)
        } catch (error) {
          reject(error)
        }
      }
      worker.on("message", hear).on("error", fail).on("exit", fail)
      worker.postMessage(task)
    })
  }
}

/** What a thread does with what it is sent. Sends its result, or the DataError that kept it from one. */
export function workOn(
  task: ThreadTask,
  filters: readonly ConfiguredFilter[],
  monotonicMs: () => number,
  send: (answer: Answer) => void,
): void {
  try {
    if ("pass" in task) passSeeds(task.pass, filters, monotonicMs, send)
    else if ("join" in task) {
      const { records, rows, from, until } = task.join
      send({ heads: joinByKeys(RowRecords.from(records), rows, from, until) })
    } else if ("judge" in task) send({ judged: judgeShare(task.judge) })
    else if ("resketch" in task) send({ moved: resketchShare(task.resketch) })
    else if ("compare" in task) send({ comparison: compareShare(task.compare) })
    else if ("witness" in task) send({ notes: witnessLines(task.witness) })
    else {
      const { path, records, spill, rows, whys } = task.write
      send({ digest: writeDigested(path, rowLines(RowRecords.from(records), new PartReader(spill), rows, whys)) })
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    const { message, issues, hint } = error
    send({ refused: { message, issues, hint } })
  }
}

function partsShare(records: RowRecords, spill: SharedSpill, rows: Uint32Array): PartsShare {
  return {
    records: records.share(),
    spill,
    rows: rowsByPart(records, rows),
    next: new Int32Array(new SharedArrayBuffer(4)),
  }
}

/** Shows `visit` the rows of one part after the other, until there are none left. */
function eachPart({ rows: { rows, ends }, next }: PartsShare, visit: (part: number, rows: Uint32Array) => void): void {
  for (let part = Atomics.add(next, 0, 1); part < ends.length; part = Atomics.add(next, 0, 1))
    visit(part, rows.subarray(part === 0 ? 0 : ends[part - 1], ends[part]))
}

function judgeShare(share: JudgeShare): JudgedOverlap {
  const judge = new OverlapJudge(RowRecords.from(share.records), new PartReader(share.spill), share.plan)
  eachPart(share, (part, rows) => judge.judge(part, rows))
  return judge.end()
}

function resketchShare(share: ResketchShare): MovedRecords[] {
  const sketcher = new Resketcher(RowRecords.from(share.records), new PartReader(share.spill), share.task, share.plan)
  const moved: MovedRecords[] = []
  eachPart(share, (part, rows) => {
    const found = sketcher.sketch(part, rows)
    if (found.rows.length > 0) moved.push(found)
  })
  return moved
}

function compareShare({ task, records: shared, spill, groups, plan }: ComparisonShare): Comparison {
  const records = RowRecords.from(shared)
  const lines = new PartReader(spill)
  const outputText = (row: number) => String(rowExample(records, lines, row).output)
  return compareGroups(records, groups, new OutputEquality(task), plan, outputText)
}

/** Takes ranges of the seeds through the pass until there are none left, and sends what comes of them. */
function passSeeds(
  { root, options, held, decisions, spill, next }: SeedPass,
  filters: readonly ConfiguredFilter[],
  monotonicMs: () => number,
  send: (answer: Answer) => void,
): void {
  const { task } = options
  const rows = new TaskRows(Workspace.open(root), task.task)
  const ranges = new SeedRanges(rows)
  const start = seedStart(task, new Map(decisions))
  const writer = new PartWriter(spill)
  const pass = new RowPass(task, filters, new CostMeter(monotonicMs), new Intake(options, writer))
  const isWanted = (id: string) => !held.has(id)
  for (let range = Atomics.add(next, 0, 1); range < ranges.count; range = Atomics.add(next, 0, 1)) {
    const seeds: Iterable<Seed> = ranges.seeds(range, isWanted)
    for (const fate of fates(rows, start, { heldOf: () => "train", seeds })) pass.take(fate)
    send({ part: pass.part() })
  }
  ranges.close()
  send({ end: { ...pass.end(), extents: writer.flush() }, isDamaged: ranges.isDamaged })
}

/** What is known of the review where only seeds are looked at. */
function seedStart(task: TaskSpecification, decisions: ReadonlyMap<string, readonly Decision[]>) {
  return { task, candidates: [], inputs: [], decisions, plan: reviewPlan(task, [], [], decisions) }
}

/** False where one of the rows has an id that is there already. */
function addIds(ids: IdTable, { heads }: RowBatch): boolean {
  for (let at = 0; at < heads.length; at += headNumbers)
    if (!ids.add(heads[at + head.idHigh] as number, heads[at + head.idLow] as number)) return false
  return true
}

const leastBytes = 1 << 23
