import type { DropReason } from "../../core/rows/drop-reasons.ts"
import type { Example, Input } from "../../core/rows/example.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { NgramIndex } from "./ngram-overlap.ts"
import { foldForComparison } from "../text/normalise.ts"
import { compareText } from "../rows/ranking.ts"
import { NearestSet } from "../near/nearest-set.ts"
import { defaultThreshold, type Shingler } from "../near/shingles.ts"
import type { Sketch } from "../near/similar-sets.ts"
import { printNumber, Sketcher, sketchPlan, type SketchPlan } from "../near/sketcher.ts"

/** A leak: how a text meets a held-out one, and which. */
export interface Leak {
  readonly reason: Extract<DropReason, "leak-exact" | "leak-near" | "leak-ngram">
  readonly witness: string
  readonly similarity?: number
}

export interface HeldOutRow {
  readonly id: string
  readonly input: Input
  /** The rows of its group must not be trained on. */
  readonly group?: string | undefined
}

/** An example that is held out. */
export function heldOutRow({ id, input, provenance: { group } }: Example): HeldOutRow {
  return { id, input, ...(group === undefined ? {} : { group }) }
}

/** Each group of which a row is held out, with the first id of such a row. */
export function heldOutGroups(rows: Iterable<Pick<HeldOutRow, "id" | "group">>): Map<string, string> {
  const groups = new Map<string, string>()
  for (const { id, group } of rows) {
    const first = group === undefined ? undefined : groups.get(group)
    if (group !== undefined && (first === undefined || id < first)) groups.set(group, id)
  }
  return groups
}

export interface HeldOutOptions {
  readonly shingler: Shingler
  readonly threshold: number | undefined
  readonly ngram: number
  /** What the bands of the sketches may miss. */
  readonly missRate: number
}

/**
 * What is held out, made ready for many texts that may meet it. Near pairs are found by an exact search, so none is
 * missed. Ties go to the smaller id, so the order of the held-out rows does not matter.
 */
export class HeldOutTexts {
  /** How the texts that are asked about are sketched; the bands are for whoever compares them with one another. */
  readonly plan: Required<SketchPlan>
  readonly #sketcher: Sketcher
  /** The folded texts and their first ids, by fingerprint. */
  readonly #exact = new Map<number, { readonly folded: string; readonly id: string }[]>()
  readonly #least: number
  /** Of equal texts the first, by the place of its id in `#nearIds`. */
  readonly #near: NearestSet
  readonly #nearIds: string[] = []
  readonly #ngrams: NgramIndex
  readonly #areRuns: boolean

  constructor(
    task: TaskSpecification,
    heldOut: readonly HeldOutRow[],
    { shingler, threshold, ngram, missRate }: HeldOutOptions,
  ) {
    const least = threshold ?? defaultThreshold(shingler.name)
    this.plan = sketchPlan(shingler, least, missRate)
    this.#sketcher = new Sketcher(this.plan)
    this.#least = least
    this.#near = new NearestSet(least)
    this.#ngrams = new NgramIndex(ngram)
    this.#areRuns = shingler.name === "word-5" && shingler.boilerplate.length === 0 && shingler.numbers === "keep"
    const texts = heldOut
      .map(({ id, input }) => ({ id, text: inputText(task, input) }))
      .sort((a, b) => compareText(a.id, b.id))
    for (const { id, text } of texts) {
      const sketch = this.sketch(text)
      this.#ngrams.add(id, text)
      const [print, folded] = [printNumber(...this.lastPrint()), foldForComparison(text)]
      const same = this.#exact.get(print) ?? []
      if (same.some((other) => other.folded === folded)) continue
      if (same.length === 0) this.#exact.set(print, same)
      same.push({ folded, id })
      this.#near.add(sketch)
      this.#nearIds.push(id)
    }
  }

  /** The text as it is asked about; overwritten by the next one. */
  sketch(text: string): Sketch {
    return this.#sketcher.sketch(text)
  }

  /** The fingerprint of the text that was sketched last. */
  lastPrint(): readonly [number, number] {
    return this.#sketcher.lastPrint()
  }

  /**
   * How the text that was sketched last leaks into the held-out ones: exact first, then near, then by n-gram, where
   * every run of words counts; undefined when it does not.
   */
  leakOf(text: string, sketch: Sketch): Leak | undefined {
    const same = this.#exact
      .get(printNumber(...this.lastPrint()))
      ?.find(({ folded }) => folded === foldForComparison(text))
    if (same !== undefined) return { reason: "leak-exact", witness: same.id }
    const leastNear = this.#least * sketch.size - 1e-6
    const shared = this.#near.countShared(sketch, leastNear)
    const near = shared >= leastNear ? this.#near.nearest(sketch) : undefined
    if (near) return { reason: "leak-near", witness: this.#nearIds[near.place] as string, similarity: near.similarity }
    const runs = this.#areRuns ? { ...sketch, salt: this.#sketcher.lastSalt() } : undefined
    const overlapping = this.#ngrams.find(text, runs)
    return overlapping === undefined ? undefined : { reason: "leak-ngram", witness: overlapping }
  }
}
