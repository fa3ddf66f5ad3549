import { calibrationItems } from "../../curation/review/asked-reviewers.ts"
import { canonicalJson } from "../../core/canonical.ts"
import { digitsOf } from "../../core/id-table.ts"
import type { Output } from "../../core/rows/example.ts"
import { heldNames, type Held } from "../../core/rows/holdout-refresh.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { acceptance, errorEstimate } from "../../evaluation/review/acceptance.ts"
import { foldedRows, type FoldedRows } from "../../store/rows/folded-rows.ts"
import { candidateFlags } from "../../store/rows/review-columns.ts"
import { StandingSplits } from "../../store/rows/standing-splits.ts"
import type { FileDigests } from "../../store/rows/remembered.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import type { Workspace } from "../../store/workspace.ts"
import { inputProposals } from "../standing/input-proposals.ts"
import { answersMissing, isAskedAnyway, labelsIn } from "../standing/review-plan.ts"
import type { Standing } from "../standing/standing.ts"
import { aboutRows, type RowStanding } from "./figures-about-rows.ts"
import { FoldedCandidates } from "./folded-candidates.ts"
import { FoldedDecisions, type FoldedItem } from "./folded-decisions.ts"
import { asProposed, FoldedCandidate, FoldedStandings, none } from "./folded-items.ts"
import { ReviewTally, type ReviewFigures } from "./review-tally.ts"

/**
 * The figures of a task from a few numbers a row, by the rules by which its examples are made: the same as
 * `figuresOf` of these. Undefined where its rows are to be gone through. Memory: about 400 bytes a candidate, 100 a
 * decision.
 */
export function foldedFigures(
  workspace: Workspace,
  task: TaskSpecification,
  digests?: FileDigests,
): ReviewFigures | undefined {
  const rows = new TaskRows(workspace, task.task)
  const folded = foldedRows({ workspace, task: task.task, rows, withOutputs: keepsOutputs(task), digests })
  if (folded === undefined) return undefined
  try {
    return new FoldedReview(task, rows, folded).figures()
  } finally {
    folded.close()
  }
}

/** Whether outputs are labels, of which there are few. */
export function keepsOutputs({ kind }: TaskSpecification): boolean {
  return kind === "label" || kind === "multilabel"
}

interface StandingInput {
  readonly id: string
  readonly state: Standing["state"]
  readonly missing: number
}

// How candidates stand, as numbers.
const states = ["pending", "conflict", "stale", "accepted", "rejected", "by policy"] as const
const byPolicy = states.indexOf("by policy")

class FoldedReview {
  readonly #task: TaskSpecification
  readonly #rows: TaskRows
  readonly #folded: FoldedRows
  readonly #splits: StandingSplits
  readonly #tally = new ReviewTally()
  readonly #candidates: FoldedCandidates
  readonly #decisions: FoldedDecisions
  readonly #standings: FoldedStandings
  readonly #labels = new Map<string, readonly string[]>()
  #open = 0
  #missing = 0
  // Of those that passed their checks: the number, what policies look at, how they stand, and how many answers are
  // missing; below zero where no policy answers.
  readonly #judged: FoldedCandidate[] = []
  readonly #states: Uint8Array
  readonly #waiting: Int32Array
  readonly #proposals: { readonly id: string; readonly answers: string; readonly checks: []; readonly at: number }[] =
    []
  readonly #settled = new Set<number>()

  constructor(task: TaskSpecification, rows: TaskRows, folded: FoldedRows) {
    this.#task = task
    this.#rows = rows
    this.#folded = folded
    this.#splits = new StandingSplits(rows)
    this.#candidates = new FoldedCandidates(folded.candidates)
    this.#states = new Uint8Array(this.#candidates.size)
    this.#waiting = new Int32Array(this.#candidates.size)
    const isInput = ({ high, low }: FoldedItem) => this.#splits.inputs.find(high, low) >= 0
    this.#decisions = new FoldedDecisions(folded.decisions, (item) =>
      item.kind === "input" ? isInput(item) : this.#candidates.find(item.high, item.low) >= 0,
    )
    const calibration = task.review.reviewers.length < 2 ? new Set<string>() : this.#drawCalibration()
    this.#standings = new FoldedStandings(task.review, this.#decisions, calibration)
  }

  figures(): ReviewFigures {
    const { review } = this.#task
    this.#decisions.tellTo(this.#tally)
    const inputs = this.#standInputs()
    for (let number = 0; number < this.#candidates.size; number += 1) this.#standCandidate(number)
    const accepted = acceptance(review, this.#judged)
    const left = this.#applyPolicies(accepted)
    const testInputs = this.#ask(inputs)
    const plan = { strata: accepted.strata, estimate: errorEstimate(review, this.#judged), waiting: left }
    const about = aboutRows({
      ...{ task: this.#task, rows: this.#rows, decisions: this.#decisions.others, grown: this.#candidates.size },
      heldOf: (id) => this.#heldOf(id),
      isKnown: (id) => this.#candidates.numberOf(id) !== undefined || this.#splits.rowOf(id) >= 0,
      rowOf: (id) => this.#rowStanding(id, accepted.acceptedBy),
    })
    const goldTest = this.#splits.held.subarray(0, this.#splits.seeds.size).reduce((sum, held) => sum + isTest(held), 0)
    return {
      tally: this.#tally,
      grown: this.#candidates.rows,
      open: this.#open,
      testRows: goldTest + testInputs,
      counts: about.counts,
      missing: this.#missing + about.missing,
      plan,
      gold: about.gold,
      goldDecisions: about.goldDecisions,
    }
  }

  #drawCalibration(): ReadonlySet<string> {
    const inputs = Array.from(
      { length: this.#splits.inputs.size },
      (_, row) => `input_${this.#splits.inputs.digits(row)}`,
    )
    const candidates = Array.from({ length: this.#candidates.size }, (_, number) => {
      const { columns, row } = this.#candidates.at(number)
      return (columns.at("flags", row) & candidateFlags.passes) === 0 ? [] : [`cand_${this.#candidates.digits(number)}`]
    })
    return calibrationItems(this.#task.review, [...inputs, ...candidates.flat()])
  }

  /** How the inputs stand by their decisions, in the order of their file, with how many answers are missing. */
  #standInputs(): StandingInput[] {
    const file = this.#folded.inputs
    return Array.from({ length: file.columns.count }, (_, row) => {
      const [high, low] = [file.columns.at("high", row), file.columns.at("low", row)]
      const id = `input_${digitsOf(high, low)}`
      const { standing, asked } = this.#standings.of({ kind: "input", high, low, confidence: undefined }, { file, row })
      this.#tally.item(standing)
      return { id, state: standing.state, missing: asked === undefined ? 0 : answersMissing(asked) }
    })
  }

  #standCandidate(number: number): void {
    const { file, columns, row } = this.#candidates.at(number)
    const flags = columns.at("flags", row)
    if ((flags & candidateFlags.passes) === 0) return
    const candidate = new FoldedCandidate(number, file.name, columns, row)
    const { standing, asked } = this.#standings.of(candidate, { file, row })
    candidate.labels = this.#labelsOf(columns.text("output", row))
    candidate.isRight = this.#isRight(standing, number)
    const at = this.#judged.push(candidate) - 1
    this.#states[at] = states.indexOf(standing.state)
    this.#waiting[at] = asked === undefined ? 0 : answersMissing(asked) * (isAskedAnyway(asked.need) ? -1 : 1)
    if ((flags & candidateFlags.hasAnswers) !== 0) {
      const answers = `input_${digitsOf(columns.at("answersHigh", row), columns.at("answersLow", row))}`
      this.#proposals.push({ id: candidate.id, answers, checks: [], at })
    }
    if (asked === undefined) this.#count(candidate, standing)
  }

  /** What people found: whether the candidate is right as it was proposed; undefined where they did not decide. */
  #isRight(standing: Standing, number: number): boolean | undefined {
    if (standing.state === "rejected") return false
    if (standing.state !== "accepted") return undefined
    if (standing.output === asProposed) return true
    const { file, columns, row } = this.#candidates.at(number)
    const kept = columns.text("output", row)
    const output: Output = kept === undefined ? file.read(row).output : JSON.parse(kept)
    return canonicalJson(standing.output) === canonicalJson(output)
  }

  #labelsOf(output: string | undefined): readonly string[] {
    if (output === undefined) return none
    const labels = this.#labels.get(output) ?? labelsIn(this.#task, JSON.parse(output))
    this.#labels.set(output, labels)
    return labels
  }

  /** Counts the candidate as it stands for good. */
  #count(candidate: FoldedCandidate, standing: Standing): void {
    this.#tally.item(standing)
    this.#tally.candidate(candidate, standing, candidate.isRight === false)
  }

  /** As `reviewPlan` does: returns of how many candidates nobody is asked yet. */
  #applyPolicies({ acceptedBy, asked }: ReturnType<typeof acceptance>): number {
    let left = 0
    for (let at = 0; at < this.#judged.length; at += 1) {
      const candidate = this.#judged[at] as FoldedCandidate
      const waiting = this.#waiting[at] as number
      if (waiting === 0) continue
      const by = waiting < 0 ? undefined : acceptedBy.get(candidate.id)
      if (by !== undefined) this.#states[at] = byPolicy
      else if (waiting > 0 && !asked.has(candidate.id)) left += 1
      if (waiting > 0 && (by !== undefined || !asked.has(candidate.id))) this.#waiting[at] = 0
      const state = states[this.#states[at] as number] as (typeof states)[number]
      this.#count(candidate, by === undefined ? ({ state } as Standing) : { state: "accepted", output: asProposed, by })
    }
    return left
  }

  /**
   * Counts what is asked: of an input and what is proposed for it as `fates` does. Returns how many answered inputs the
   * test set has.
   */
  #ask(inputs: readonly StandingInput[]): number {
    let testInputs = 0
    const places = new Map(this.#proposals.map(({ id, at }) => [id, at]))
    const lastPlace = ({ at }: { at: number }) =>
      this.#candidates.lastPlace((this.#judged[at] as FoldedCandidate).number)
    const proposals = this.#proposals.toSorted((a, b) => lastPlace(b) - lastPlace(a))
    const offered = inputProposals(proposals, (id) => this.#standingAt(places.get(id) as number))
    for (const { id, state, missing } of inputs) {
      if (state === "accepted" || state === "rejected") offered.settle(id)
      else if (missing > 0 && !offered.hasOpen(id)) this.#askOne(missing)
      if (state === "accepted" && this.#heldOf(id) === "test") testInputs += 1
    }
    for (let at = 0; at < this.#judged.length; at += 1) {
      if (this.#waiting[at] === 0 || (places.size > 0 && places.has((this.#judged[at] as FoldedCandidate).id))) continue
      this.#askOne(Math.abs(this.#waiting[at] as number))
    }
    for (const proposal of offered.inOrder(proposals)) {
      const { at, answers } = proposal
      const { state } = this.#standingAt(at)
      if (state === "rejected") continue
      if (offered.isSettled(proposal)) this.#settled.add(at)
      else if (state === "accepted") offered.settle(answers)
      else if (this.#waiting[at] !== 0) this.#askOne(Math.abs(this.#waiting[at] as number))
    }
    return testInputs
  }

  #askOne(missing: number): void {
    this.#open += 1
    this.#missing += missing
  }

  #standingAt(at: number): { readonly state: Standing["state"]; readonly by?: string } {
    const state = states[this.#states[at] as number] as (typeof states)[number]
    return state === "by policy" ? { state: "accepted", by: "policy:" } : { state }
  }

  /** The row as a whole, with how it stands; undefined for one that failed a check, or is settled by another. */
  #rowStanding(id: string, acceptedBy: ReadonlyMap<string, string>): RowStanding | undefined {
    const { inputs, seeds } = this.#splits
    const place = this.#splits.rowOf(id) - seeds.size
    if (place >= 0 && place < inputs.size) return this.#inputStanding(id, place)
    const number = this.#candidates.numberOf(id)
    const at = number === undefined ? -1 : this.#judged.findIndex((judged) => judged.number === number)
    const judged = this.#judged[at]
    if (number === undefined || judged === undefined || this.#settled.has(at)) return undefined
    const { file, row } = this.#candidates.at(number)
    const candidate = file.read(row)
    const by = this.#states[at] === byPolicy ? acceptedBy.get(id) : undefined
    const { standing } = this.#standings.of(judged, { file, row })
    const accepted = (output: unknown) => (output === asProposed ? candidate.output : output)
    if (by !== undefined) return { candidate, standing: { state: "accepted", output: candidate.output, by } }
    return {
      candidate,
      standing: standing.state === "accepted" ? { ...standing, output: accepted(standing.output) } : standing,
    }
  }

  #inputStanding(_id: string, row: number): RowStanding {
    const file = this.#folded.inputs
    const [high, low] = [file.columns.at("high", row), file.columns.at("low", row)]
    const { standing } = this.#standings.of({ kind: "input", high, low, confidence: undefined }, { file, row })
    return { input: file.read(row), standing }
  }

  #heldOf(id: string): Held {
    return heldNames[this.#splits.held[this.#splits.rowOf(id)] ?? 0] ?? "train"
  }
}

function isTest(held: number): number {
  return heldNames[held] === "test" ? 1 : 0
}
