import type { Decision, Seed } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { JudgedOverlap, OverlapPlan } from "../../curation/leaks/overlap-judge.ts"
import type { WitnessNotes } from "../../curation/leaks/witness.ts"
import type { Comparison, ComparisonPlan } from "../../curation/rows/comparison.ts"
import type { RowGroups } from "../../curation/rows/key-groups.ts"
import type { ResketchPlan } from "../../curation/rows/resketch.ts"
import type { Why } from "../../curation/rows/row-batch.ts"
import type { RowTable } from "../../curation/rows/row-table.ts"
import type { CurationOptions } from "../../curation/version/intake.ts"
import type { Extents, PartedSpill } from "../../store/files/parted-spill.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import type { PassEnd, PassPart } from "./row-pass.ts"
import type { WitnessShare } from "./witness-lines.ts"

/** What the work of a build is done on. */
export interface BuildMaterial {
  readonly task: TaskSpecification
  readonly rows: TaskRows
  readonly table: RowTable
  readonly spill: PartedSpill
}

/** Those who do the work of a build: this process, or threads beside it. What comes of it is the same. */
export interface BuildCrew {
  handsOn(material: BuildMaterial): BuildHands
  /** Nobody works any more; may be called twice. */
  stop(): Promise<void>
}

/** The work of a build that may be done elsewhere, in the order in which it is asked for. */
export interface BuildHands {
  /**
   * Takes seeds through passes of their own. Shows `take` every part, in no order. `left` are the seeds that the
   * caller's pass takes: all of them where it is undefined. A line that is no seed is a DataError, with all the others.
   */
  passSeeds(pass: SeedsToPass, take: (part: PassPart) => void): Promise<PassedSeeds>
  /**
   * Joins the rows that share one of their recorded keys: see `joinByKeys`. May be at it from now on; what is returned
   * gives the answer, for so many of the keys at least.
   */
  join(rows: Uint32Array<SharedArrayBuffer>, recordedBands: number): (bands: number) => Promise<Uint32Array[]>
  /** Judges once more the rows that share a long run of words with a held-out one. */
  judge(rows: Uint32Array, plan: OverlapPlan): Promise<JudgedOverlap[]>
  /** Sketches the rows anew. */
  resketch(rows: Uint32Array, plan: ResketchPlan): Promise<void>
  /** Compares the rows of each group. */
  compare(groups: RowGroups, plan: ComparisonPlan): Promise<Comparison[]>
  /** The file of the rows' lines is there; resolves to its digest. */
  write(file: LinesOfRows): Promise<string>
  /** Looks at the lines of a frozen file. */
  witness(share: WitnessShare): Promise<WitnessNotes[]>
}

export interface SeedsToPass {
  readonly root: string
  readonly options: CurationOptions
  /** Ids of seeds that are held out. */
  readonly held: ReadonlySet<string>
  readonly decisions: ReadonlyMap<string, readonly Decision[]>
  readonly signal: AbortSignal
}

export interface PassedSeeds {
  readonly left: Iterable<Seed> | undefined
  readonly ends: readonly ThreadEnd[]
}

/** What a thread knows at the end of its pass, and where in the spill its lines are. */
export interface ThreadEnd extends PassEnd {
  readonly extents: Extents
}

export interface LinesOfRows {
  readonly path: string
  readonly rows: Uint32Array
  /** Of dropped rows, why each was. */
  readonly whys: readonly Why[] | undefined
}
