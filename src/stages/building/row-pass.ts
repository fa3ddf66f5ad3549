import type { Intake, IntakeBatch, SampleCounts } from "../../curation/version/intake.ts"
import type { Proposal } from "../../curation/version/preferences.ts"
import { outbound, Protection, type PrivacyReport } from "../../curation/version/personal-data-policy.ts"
import { judgeAll, type Judgement } from "../../curation/version/quality.ts"
import type { CurationRow } from "../../curation/rows/ranking.ts"
import type { FlaggedRow } from "../../core/rows/example.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { CheckTime, CostMeter } from "./build-costs.ts"
import type { Fate } from "../standing/fates.ts"

/** Rows that went through the pass since the last part. */
export interface PassPart {
  readonly batch: IntakeBatch
  /** Examples among them, and items that wait for a decision. */
  readonly read: number
  readonly open: number
  /** Rows that people wrote or accepted and in which a filter found something. */
  readonly flagged: readonly FlaggedRow[]
}

/** What is known once a pass has seen all of its rows. */
export interface PassEnd {
  readonly samples: SampleCounts
  readonly privacy: PrivacyReport
  readonly checks: readonly CheckTime[]
}

/**
 * What is done with each row of a build by itself: personal data, filters, and what the curation's intake judges. A
 * build has one, or one in each of several threads that share the rows.
 */
export class RowPass {
  /** What was proposed of the rows that a person corrected, by the id of the example. */
  readonly proposals = new Map<string, Proposal>()
  readonly protection: Protection
  readonly #task: TaskSpecification
  readonly #filters: readonly ConfiguredFilter[]
  readonly #intake: Intake
  readonly #meter: CostMeter
  #waiting: CurationRow[] = []
  #flagged: FlaggedRow[] = []
  #read = 0
  #open = 0

  constructor(task: TaskSpecification, filters: readonly ConfiguredFilter[], meter: CostMeter, intake: Intake) {
    this.#task = task
    this.#filters = filters
    this.#meter = meter
    this.#intake = intake
    this.protection = new Protection(task)
  }

  take(fate: Fate): void {
    if (fate.state === "open") this.#open += fate.asked.length
    if (fate.state === "turned-down") {
      const { reason, detail, ...example } = fate.example
      this.#intake.reject(outbound(this.#task, example), { reason, ...(detail === undefined ? {} : { detail }) })
    }
    if (fate.state !== "example") return
    this.#read += 1
    if (fate.proposal !== undefined) this.proposals.set(fate.example.id, fate.proposal)
    const { id, input, output, provenance } = fate.example
    this.#waiting.push({ id, input, output, provenance, rank: fate.rank })
    if (this.#waiting.length === rowsAtOnce) this.#judge()
  }

  /** How large the next part has become. */
  get bytes(): number {
    return this.#intake.bytes
  }

  /** The rows that were taken since the last part. */
  part(): PassPart {
    this.#judge()
    const part = { batch: this.#intake.takeBatch(), read: this.#read, open: this.#open, flagged: this.#flagged }
    this.#flagged = []
    this.#read = 0
    this.#open = 0
    return part
  }

  end(): PassEnd {
    return { samples: this.#intake.sampleCounts(), privacy: this.protection.report(), checks: this.#meter.times() }
  }

  #judge(): void {
    const rows = this.#waiting
    if (rows.length === 0) return
    this.#waiting = []
    const safe = this.#meter.check("personal-data", rows.length, () =>
      rows.map((row) => this.protection.protect(row, { isTrain: true })),
    )
    const allowed = safe.flatMap(({ row, why }) => {
      if (why !== undefined) this.#intake.reject(row, why)
      return why === undefined ? [row] : []
    })
    const judgements = judgeAll(this.#task, allowed, this.#filters, (name, count, work) =>
      this.#meter.check(name, count, work),
    )
    for (const [index, row] of allowed.entries()) {
      const { why, flagged } = judgements[index] as Judgement
      this.#flagged.push(...flagged)
      if (why === undefined) this.#intake.offer(row)
      else this.#intake.reject(row, why)
    }
  }
}

// So many rows at once, so that a check is timed as a whole.
const rowsAtOnce = 256
