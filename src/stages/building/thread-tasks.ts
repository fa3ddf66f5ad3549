import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { Decision, Seed } from "../../core/rows/example.ts"
import { hasManyAnswers, type TaskSpecification } from "../../core/task/task.ts"
import { OverlapJudge, type JudgedOverlap, type OverlapPlan } from "../../curation/leaks/overlap-judge.ts"
import type { WitnessNotes } from "../../curation/leaks/witness.ts"
import { compareGroups, type Comparison, type ComparisonPlan } from "../../curation/rows/comparison.ts"
import { joinByKeys, type RowGroups } from "../../curation/rows/key-groups.ts"
import { compareAnswers } from "../../curation/rows/many-answers.ts"
import { OutputEquality } from "../../curation/rows/output-equality.ts"
import { Resketcher, type ResketchPlan } from "../../curation/rows/resketch.ts"
import { rowExample, rowLines } from "../../curation/rows/row-lines.ts"
import { RowRecords, type MovedRecords, type SharedRecords } from "../../curation/rows/row-records.ts"
import { Intake, type CurationOptions } from "../../curation/version/intake.ts"
import { PartReader, PartWriter, type SharedSpill } from "../../store/files/parted-spill.ts"
import { writeDigested } from "../../store/files/staged-file.ts"
import { SeedRanges } from "../../store/rows/seed-ranges.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Workspace } from "../../store/workspace.ts"
import { fates } from "../standing/fates.ts"
import { reviewPlan } from "../standing/review-plan.ts"
import { answering, type Refused } from "../threads.ts"
import { CostMeter } from "./build-costs.ts"
import type { LinesOfRows, ThreadEnd } from "./build-hands.ts"
import { RowPass, type PassPart } from "./row-pass.ts"
import { witnessLines, type WitnessShare } from "./witness-lines.ts"

/** What a thread is sent: plain data. */
export type ThreadTask =
  | { readonly pass: SeedPass }
  | { readonly join: JoinShare }
  | { readonly judge: JudgeShare }
  | { readonly resketch: ResketchShare }
  | { readonly compare: ComparisonShare }
  | { readonly write: LinesFile }
  | { readonly witness: WitnessShare }

export interface SeedPass {
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

/** Rows that are joined by some of their keys. */
interface JoinShare {
  readonly records: SharedRecords
  readonly rows: Uint32Array<SharedArrayBuffer>
  readonly from: number
  readonly until: number
}

/** Rows whose lines are read once more. */
export interface PartsShare {
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

interface LinesFile extends LinesOfRows {
  readonly records: SharedRecords
  readonly spill: SharedSpill
}

export type ThreadAnswer =
  | { readonly part: PassPart }
  | { readonly end: ThreadEnd; readonly isDamaged: boolean }
  | { readonly headers: Uint32Array }
  | { readonly judged: JudgedOverlap }
  | { readonly moved: MovedRecords[] }
  | { readonly comparison: Comparison }
  | { readonly digest: string }
  | { readonly notes: WitnessNotes }

/** What a thread does with what it is sent: sends its result, or the DataError that kept it from one. */
export function workOn(
  task: ThreadTask,
  filters: readonly ConfiguredFilter[],
  monotonicMs: () => number,
  send: (answer: ThreadAnswer | Refused) => void,
): void {
  answering(() => {
    if ("pass" in task) passSeeds(task.pass, filters, monotonicMs, send)
    else if ("join" in task) {
      const { records, rows, from, until } = task.join
      send({ headers: joinByKeys(RowRecords.from(records), rows, from, until) })
    } else if ("judge" in task) send({ judged: judgeShare(task.judge) })
    else if ("resketch" in task) send({ moved: resketchShare(task.resketch) })
    else if ("compare" in task) send({ comparison: compareShare(task.compare) })
    else if ("witness" in task) send({ notes: witnessLines(task.witness) })
    else {
      const { path, records, spill, rows, whys } = task.write
      send({ digest: writeDigested(path, rowLines(RowRecords.from(records), new PartReader(spill), rows, whys)) })
    }
  }, send)
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
  const exampleOf = (row: number) => rowExample(records, lines, row)
  if (hasManyAnswers(task)) return compareAnswers(records, groups, { task, ...plan }, exampleOf)
  return compareGroups(records, groups, new OutputEquality(task), plan, (row) => exampleOf(row).output)
}

/** Takes ranges of the seeds through the pass until there are none left, and sends what comes of them. */
function passSeeds(
  { root, options, held, decisions, spill, next }: SeedPass,
  filters: readonly ConfiguredFilter[],
  monotonicMs: () => number,
  send: (answer: ThreadAnswer) => void,
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
