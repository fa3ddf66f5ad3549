import { contentId } from "../../core/canonical.ts"
import type { Candidate, CandidateCheck } from "../../core/rows/example.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import { inputText } from "../../core/task/output.ts"
import type { Draft } from "../../core/contracts/strategy.ts"
import { hasManyAnswers, type TaskSpecification } from "../../core/task/task.ts"
import { candidateChecks } from "../../curation/review/candidate-checks.ts"
import { NearDuplicateIndex } from "../../curation/holdout/near-duplicates.ts"
import { shingler } from "../../curation/near/shingles.ts"
import { NgramIndex } from "../../curation/leaks/ngram-overlap.ts"
import { qualityChecks } from "../../curation/version/quality.ts"
import { anyInputText } from "../../curation/version/validity.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { passes, uniqueById } from "../../core/rows/candidates.ts"
import { KnownAnswers } from "./known-answers.ts"
import { lacksOpinion } from "./second-opinions.ts"

/** A draft with the request that it came from, where a model was asked. */
export type AnsweredDraft = Draft & { readonly request?: string; readonly model?: string }

/**
 * A draft as a candidate. `isNew`: no batch has it yet. `isNovel`: near nothing that was there before it, and the first
 * of its kind.
 */
export interface CheckedDraft {
  readonly candidate: Candidate
  readonly isNew: boolean
  readonly isNovel: boolean
}

/** Whose drafts are checked, and what finds something wrong in a text. */
export interface DraftSource {
  readonly task: TaskSpecification
  readonly strategy: string
  readonly filters: readonly ConfiguredFilter[]
  /** The batch whose candidates are checked again where a model that was asked about them said nothing. */
  readonly rechecked?: string | undefined
}

/** What the task has, and where each row is held. */
export interface PlacedRows {
  readonly rows: TaskRows
  readonly split: ReadonlyMap<string, Held>
}

interface KnownRow {
  readonly id: string
  readonly text: string
}

/**
 * Checks the drafts of one strategy, a round after the other, against all that the task has and all that came before.
 * Equal rows and rounds give equal checks. Held-out rows are compared with, and named by their ids alone. A candidate
 * that another batch has is taken as it stands there.
 */
export class DraftChecks {
  readonly #task: TaskSpecification
  readonly #strategy: string
  readonly #filters: readonly ConfiguredFilter[]
  readonly #existing: ReadonlyMap<string, Candidate>
  readonly #known: readonly KnownRow[]
  /** Real inputs of train: a candidate that answers one is no copy of it. */
  readonly #answerable: ReadonlySet<string>
  /** Where an input may have several outputs: those of train, for a candidate is no news that is near in both. */
  readonly #answers: KnownAnswers | undefined
  readonly #copied: { readonly heldOut: NgramIndex; readonly all: NgramIndex }
  readonly #seen = new Set<string>()
  #index: NearDuplicateIndex | undefined

  constructor({ task, strategy, filters, rechecked }: DraftSource, { rows, split }: PlacedRows) {
    this.#task = task
    this.#strategy = strategy
    this.#filters = filters
    const standing = uniqueById(rows.grown.candidates()).filter(
      (candidate) => candidate.batch !== rechecked || !lacksOpinion(candidate),
    )
    this.#existing = new Map(standing.map((candidate) => [candidate.id, candidate]))
    const inputs = rows.inputs()
    const seeds = rows.seeds()
    const source = [...seeds, ...inputs].map(({ id, input }) => ({ id, text: inputText(task, input) }))
    // What answers a real input is that input again.
    const grown = [...this.#existing.values()].filter(
      (candidate) => passes(candidate) && candidate.answers === undefined,
    )
    const answered = [...seeds.filter(({ id }) => split.get(id) === "train"), ...grown]
    const isAnswered = new Set(hasManyAnswers(task) ? answered.map(({ id }) => id) : [])
    this.#answers = hasManyAnswers(task) ? new KnownAnswers(task, answered) : undefined
    this.#known = [...source, ...grown.map(({ id, input }) => ({ id, text: inputText(task, input) }))].filter(
      ({ id }) => !isAnswered.has(id),
    )
    this.#answerable = new Set(inputs.flatMap(({ id }) => (split.get(id) === "train" ? [id] : [])))
    this.#copied = { heldOut: new NgramIndex(task.build.ngram), all: new NgramIndex(task.build.ngram) }
    for (const { id, text } of source) {
      this.#copied.all.add(id, text)
      if (split.get(id) !== "train") this.#copied.heldOut.add(id, text)
    }
  }

  /** The drafts in the order given, each with every check and what it found. */
  check(drafts: readonly AnsweredDraft[]): CheckedDraft[] {
    this.#index ??= this.#indexWith(drafts)
    const index = this.#index
    return drafts.map((draft) => {
      const id = contentId("cand", { strategy: this.#strategy, input: draft.input, output: draft.output })
      const isFirst = !this.#seen.has(id)
      this.#seen.add(id)
      const existing = this.#existing.get(id)
      const candidate = existing ?? this.#candidate(id, draft, index)
      const isNovel =
        isFirst && candidate.checks.every(({ name, ok }) => ok || (name !== "novelty" && name !== "copied"))
      if (isFirst && passes(candidate)) {
        if (this.#answers === undefined) index.add(id, anyInputText(this.#task, candidate.input))
        else this.#answers.add(candidate)
      }
      return { candidate, isNew: isFirst && existing === undefined, isNovel }
    })
  }

  #indexWith(drafts: readonly AnsweredDraft[]): NearDuplicateIndex {
    const texts = [...this.#known.map(({ text }) => text), ...drafts.map((draft) => inputText(this.#task, draft.input))]
    const { threshold, nearDuplicates } = this.#task.build
    const index = new NearDuplicateIndex(shingler(texts, nearDuplicates?.numbers), threshold)
    for (const { id, text } of this.#known) index.add(id, text)
    return index
  }

  #candidate(id: string, draft: AnsweredDraft, index: NearDuplicateIndex): Candidate {
    const { request, model, cell, answers } = draft
    const isWanted = answers === undefined ? undefined : (other: string) => !this.#answerable.has(other)
    const near = {
      findNear: (text: string) =>
        index.findNear(text, isWanted === undefined ? {} : { isWanted }) ??
        this.#answers?.findNear({ text, output: draft.output }, index),
    }
    return {
      id,
      ...(request === undefined ? {} : { request }),
      parents: [...draft.parents],
      strategy: this.#strategy,
      ...(model === undefined ? {} : { model }),
      input: draft.input,
      output: draft.output,
      checks: [
        ...candidateChecks({ task: this.#task, draft, index: near }),
        ...this.#copies(draft),
        ...qualityChecks(this.#task, draft, this.#filters),
      ],
      ...(cell === undefined ? {} : { cell: { ...cell } }),
      ...(answers === undefined ? {} : { answers }),
    }
  }

  /**
   * A check where a run of words is another row's. A real input is nobody's copy, but may be too near to a held-out
   * one.
   */
  #copies(draft: AnsweredDraft): CandidateCheck[] {
    const { all, heldOut } = this.#copied
    const mayCopy = draft.answers !== undefined || this.#answers !== undefined
    const found = (mayCopy ? heldOut : all).find(anyInputText(this.#task, draft.input))
    return found === undefined ? [] : [{ name: "copied", ok: false, detail: `${all.n} words in a row as in ${found}` }]
  }
}
