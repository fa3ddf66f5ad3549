import { TextSample } from "../near/boilerplate.ts"
import { defaultThreshold, shingler, type Shingler } from "../near/shingles.ts"
import { SimilarSets, type Sketch } from "../near/similar-sets.ts"
import { Sketcher, sketchPlan } from "../near/sketcher.ts"
import { groupTexts } from "./text-groups.ts"

/** A text that is near another one. */
export interface Near {
  readonly id: string
  readonly similarity: number
}

/** What a question leaves out. */
export interface Wanted {
  /** Leaves texts out before they are compared. */
  readonly isWanted?: (id: string) => boolean
  /** Asks among the texts added with that group alone. */
  readonly group?: number
}

/**
 * Finds texts near those added so far. Precision is exact: every answer's Jaccard similarity is computed, none is
 * estimated. Of pairs right at the threshold a share of `missRate` is missed, of more similar ones fewer. Boilerplate
 * of the corpus is no similarity.
 *
 * Equal additions and questions give equal answers. `corpus` is a sample of the texts, by which the shingles are chosen
 * once, or a shingler.
 */
export class NearDuplicateIndex {
  readonly shingler: Shingler
  readonly threshold: number
  readonly #sketcher: Sketcher
  readonly #sets: SimilarSets
  readonly #ids: string[] = []
  #last: { readonly text: string; readonly sketch: Sketch } | undefined
  #added = -1

  constructor(corpus: readonly string[] | Shingler, threshold?: number, options: { readonly missRate?: number } = {}) {
    this.shingler = "of" in corpus && typeof corpus.of === "function" ? corpus : shingler(corpus as readonly string[])
    this.threshold = threshold ?? defaultThreshold(this.shingler.name)
    const plan = sketchPlan(this.shingler, this.threshold, options.missRate)
    this.#sketcher = new Sketcher(plan)
    this.#sets = new SimilarSets(this.threshold, plan.bands.count)
  }

  /**
   * The most similar text added so far, at or above the threshold; of equally similar ones the one with the smaller id.
   */
  findNear(text: string, wanted: Wanted = {}): Near | undefined {
    return nearest(this.findAllNear(text, wanted))
  }

  /**
   * Every text added so far that is at or above the threshold, or the first so many, in an order that follows from the
   * additions.
   */
  findAllNear(text: string, wanted: Wanted = {}, most = Infinity): Near[] {
    const found: Near[] = []
    this.visitNear(text, (near) => found.push(near) >= most, wanted)
    return found
  }

  /**
   * Shows `visit` every text added so far that is at or above the threshold, until it returns true. Not to be
   * interleaved with another question.
   */
  visitNear(text: string, visit: (near: Near) => boolean, { isWanted, group = 0 }: Wanted = {}): void {
    this.#sets.visit(this.#sketch(text), (place, similarity) => visit({ id: this.#ids[place] as string, similarity }), {
      isWanted: isWanted && ((place) => isWanted(this.#ids[place] as string)),
      group,
    })
  }

  /**
   * From now on the text is found under the id, by those who ask for the group; without one, by those who name none. A
   * text may be added to several groups.
   */
  add(id: string, text: string, group = 0): void {
    const sketch = this.#sketch(text)
    // Added again right away, it is stored once.
    this.#added = this.#added < 0 ? this.#sets.add(sketch, group) : this.#sets.addAgain(this.#added, sketch, group)
    this.#ids.push(id)
  }

  /** A text is mostly asked about and then added: the last sketch is kept. */
  #sketch(text: string): Sketch {
    if (this.#last?.text !== text) {
      this.#last = { text, sketch: this.#sketcher.sketch(text) }
      this.#added = -1
    }
    return this.#last.sketch
  }
}

/** The most similar one, of equals the one with the smaller id; undefined when there is none. */
export function nearest(found: Iterable<Near>): Near | undefined {
  let best: Near | undefined
  for (const near of found)
    if (!best || near.similarity > best.similarity || (near.similarity === best.similarity && near.id < best.id))
      best = near
  return best
}

/**
 * The groups of texts that are linked by near-duplicates, as `groupTexts` finds them, each sorted by id and in the
 * order of their first ids; every item is in one. The order of the items does not matter; ids must differ.
 */
export function clusters(
  items: readonly { readonly id: string; readonly text: string }[],
  threshold?: number,
): string[][] {
  const sorted = items.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  const sample = new TextSample()
  for (const { text } of sorted) sample.add(text)
  const groups = groupTexts(
    { count: sorted.length, text: (number) => (sorted[number] as { text: string }).text },
    sample,
    { threshold },
  )
  return [...Map.groupBy(sorted.keys(), (number) => groups.of(number)).values()].map((members) =>
    members.map((number) => (sorted[number] as { id: string }).id),
  )
}
