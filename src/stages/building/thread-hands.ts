import { IdTable } from "../../core/id-table.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { JudgedOverlap, OverlapPlan } from "../../curation/leaks/overlap-judge.ts"
import type { WitnessNotes } from "../../curation/leaks/witness.ts"
import type { Comparison, ComparisonPlan } from "../../curation/rows/comparison.ts"
import { shareOut, type RowGroups } from "../../curation/rows/key-groups.ts"
import type { ResketchPlan } from "../../curation/rows/resketch.ts"
import { header, headerNumbers, type RowBatch } from "../../curation/rows/row-batch.ts"
import { rowsByPart } from "../../curation/rows/row-parts.ts"
import type { SharedRecords } from "../../curation/rows/row-records.ts"
import type { SharedSpill } from "../../store/files/parted-spill.ts"
import { seedBytes } from "../../store/rows/seed-ranges.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { ThreadPool, type ThreadStarter } from "../threads.ts"
import type {
  BuildCrew,
  BuildHands,
  BuildMaterial,
  LinesOfRows,
  PassedSeeds,
  SeedsToPass,
  ThreadEnd,
} from "./build-hands.ts"
import { ownCrew } from "./own-hands.ts"
import type { PassPart } from "./row-pass.ts"
import type { PartsShare, ThreadAnswer, ThreadTask } from "./thread-tasks.ts"
import type { WitnessShare } from "./witness-lines.ts"

type BuildPool = ThreadPool<ThreadTask, ThreadAnswer>

/** Threads for a build of many seeds, which start at once; this process alone where the file is small. */
export function crewFor(rows: TaskRows, starter: ThreadStarter | undefined): BuildCrew {
  if (starter === undefined || starter.count < 2 || seedBytes(rows) < (starter.leastBytes ?? leastBytes)) return ownCrew
  const pool: BuildPool = new ThreadPool(starter, starter.count)
  return { handsOn: (material) => new ThreadHands(pool, material), stop: () => pool.stop() }
}

const leastBytes = 1 << 23

/** The work of a build, shared out to threads. */
class ThreadHands implements BuildHands {
  readonly #pool: BuildPool
  readonly #material: BuildMaterial
  #joining: Promise<unknown> = Promise.resolve()

  constructor(pool: BuildPool, material: BuildMaterial) {
    this.#pool = pool
    this.#material = material
  }

  async passSeeds({ signal, decisions, ...task }: SeedsToPass, take: (part: PassPart) => void): Promise<PassedSeeds> {
    const { rows, spill } = this.#material
    const ids = new IdTable()
    const requireSound = (isSound: boolean) => {
      if (!isSound) rows.refuse(rows.seedsFile, rows.eachSeed())
    }
    const ofSeeds = [...decisions].filter(([item]) => !/^(cand|input)_/.test(item))
    const pass = { ...task, decisions: ofSeeds, spill: spill.share(), next: new Int32Array(new SharedArrayBuffer(4)) }
    const ends = await this.#pool.each<ThreadEnd>(
      () => ({ pass }),
      (answer) => {
        signal.throwIfAborted()
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
    return { left: [], ends }
  }

  join(rows: Uint32Array<SharedArrayBuffer>, bands: number): () => Promise<Uint32Array[]> {
    const { records } = this.#shared()
    const first = (thread: number) => Math.round((bands * thread) / this.#pool.count)
    const joining = this.#pool.each(
      (thread) => ({ join: { records, rows, from: first(thread), until: first(thread + 1) } }),
      (answer) => ("headers" in answer ? answer.headers : undefined),
    )
    // Where something else fails meanwhile, that error is the one to tell.
    joining.catch(() => undefined)
    this.#joining = joining
    return () => joining
  }

  async judge(rows: Uint32Array, plan: OverlapPlan): Promise<JudgedOverlap[]> {
    const judge = { ...this.#parts(rows), plan }
    return this.#pool.each(
      () => ({ judge }),
      (answer) => ("judged" in answer ? answer.judged : undefined),
    )
  }

  async resketch(rows: Uint32Array, plan: ResketchPlan): Promise<void> {
    // The old keys are read until then.
    await this.#joining
    const resketch = { ...this.#parts(rows), task: this.#task, plan }
    const moved = await this.#pool.each(
      () => ({ resketch }),
      (answer) => ("moved" in answer ? answer.moved : undefined),
    )
    for (const records of moved.flat()) this.#material.table.records.move(records)
  }

  async compare(groups: RowGroups, plan: ComparisonPlan): Promise<Comparison[]> {
    const shares = shareOut(groups, this.#pool.count)
    const shared = { task: this.#task, ...this.#shared(), plan }
    return this.#pool.each(
      (thread) => ({ compare: { ...shared, groups: shares[thread] as RowGroups } }),
      (answer) => ("comparison" in answer ? answer.comparison : undefined),
    )
  }

  async write(file: LinesOfRows): Promise<string> {
    return this.#pool.one({ write: { ...file, ...this.#shared() } }, (answer) =>
      "digest" in answer ? answer.digest : undefined,
    )
  }

  async witness(witness: WitnessShare): Promise<WitnessNotes[]> {
    return this.#pool.each(
      () => ({ witness }),
      (answer) => ("notes" in answer ? answer.notes : undefined),
    )
  }

  get #task(): TaskSpecification {
    return this.#material.task
  }

  #shared(): { readonly records: SharedRecords; readonly spill: SharedSpill } {
    const { table, spill } = this.#material
    return { records: table.records.share(), spill: spill.share() }
  }

  #parts(rows: Uint32Array): PartsShare {
    const next = new Int32Array(new SharedArrayBuffer(4))
    return { ...this.#shared(), rows: rowsByPart(this.#material.table.records, rows), next }
  }
}

/** False where one of the rows has an id that is there already. */
function addIds(ids: IdTable, { headers }: RowBatch): boolean {
  for (let at = 0; at < headers.length; at += headerNumbers)
    if (!ids.add(headers[at + header.idHigh] as number, headers[at + header.idLow] as number)) return false
  return true
}
