import { checkRank, type FoundLeak } from "./definition.ts"
import { digits } from "./lineage.ts"
import { GramWitness } from "./witness-grams.ts"
import type { WitnessIndex } from "./witness-index.ts"
import type { ParentedRow } from "./witness-lineage.ts"
import { mostPairs, NearWitness, sampled, type NearCandidate, type NearCount } from "./witness-near.ts"
import { WitnessText } from "./witness-texts.ts"
import { sequencePrint } from "./witness-windows.ts"

/** A row as it is read back. */
export interface WitnessedRow {
  readonly id: string
  readonly parents: readonly string[]
  readonly text: string
  readonly group?: string | undefined
}

/** What a witness noted of the rows it saw; plain data. */
export interface WitnessNotes {
  readonly rows: number
  /** By lineage and group at first sight, exact and near. */
  readonly found: readonly FoundLeak[]
  /** The rows that have parents: what they descend from follows once all rows are known. */
  readonly parented: readonly ParentedRow[]
  /** The n-grams that rows share with held-out texts: see `GramWitness`. */
  readonly grams: readonly number[]
  readonly near: NearCount
}

/**
 * The second implementation of the definition of leaks: looks at rows as they were frozen, and knows nothing of how the
 * build came to keep them. It shares the definition with the build, the form in which texts are compared, and how a
 * sample of texts is drawn; no index, no candidates, no guard. Lineage, group, exact and n-gram miss nothing; near
 * misses nothing up to `mostPairs` pairs of a batch, and of a batch with more a sample is compared.
 */
export class Witness {
  readonly #index: WitnessIndex
  readonly #seed: number
  readonly #mostPairs: number
  readonly #text = new WitnessText()
  readonly #near: NearWitness
  readonly #grams: GramWitness
  readonly #placeOfPrint: ReadonlyMap<number, number>
  readonly #met = new Set<number>()
  readonly #found: FoundLeak[] = []
  readonly #parented: ParentedRow[] = []
  #candidates: NearCandidate[] = []
  #rows = 0
  #count: NearCount = noneCompared

  /** Of a batch with more pairs than `most` the seed says which rows are compared. */
  constructor(index: WitnessIndex, seed: number, most = mostPairs) {
    this.#index = index
    this.#seed = seed
    this.#mostPairs = most
    this.#near = new NearWitness(index)
    this.#grams = new GramWitness(index)
    this.#placeOfPrint = new Map(Array.from(index.prints, (print, place) => [print, place] as const).reverse())
  }

  look({ id, parents, text, group }: WitnessedRow): void {
    this.#rows += 1
    if (parents.length > 0) this.#parented.push([id, parents])
    const itself = this.#index.idOfDigits.get(digits(id))
    if (itself !== undefined) this.#found.push({ check: "lineage", train: id, heldOut: itself })
    const together = group === undefined ? undefined : this.#index.groups.get(group)
    if (together !== undefined) this.#found.push({ check: "group", train: id, heldOut: together })
    if (this.#index.ids.length === 0) return
    const { words } = this.#text
    this.#text.read(text)
    const equal = this.#placeOfPrint.get(sequencePrint(words.hashes, words.count))
    if (equal !== undefined) this.#found.push({ check: "exact", train: id, heldOut: this.#index.ids[equal] as string })
    this.#grams.eachMet(words, (gram) => this.#met.add(gram))
    this.#text.cut(text, this.#index.cut)
    const candidate = this.#near.candidate(id, this.#text.shingles.subarray(0, this.#text.shingleCount))
    if (candidate !== undefined) this.#candidates.push(candidate)
  }

  /** Whether the text has one of the n-grams; the first of them in its order. */
  gramOf(text: string, wanted: ReadonlyMap<number, string>): string | undefined {
    this.#text.read(text)
    const met: string[] = []
    this.#grams.eachMet(this.#text.words, (gram) => {
      const heldOut = wanted.get(gram)
      if (heldOut !== undefined) met.push(heldOut)
    })
    return met.sort()[0]
  }

  /** The rows since the last batch are compared with the texts that they may be near. */
  endBatch(): void {
    const pairs = this.#candidates.reduce((sum, candidate) => sum + candidate.pairs, 0)
    const share = Math.min(1, this.#mostPairs / Math.max(1, pairs))
    const chosen = sampled(this.#candidates, share, this.#seed)
    for (const candidate of chosen) {
      const near = this.#near.nearest(candidate)
      if (near === undefined) continue
      const { similarity, place } = near
      this.#found.push({ check: "near", train: candidate.id, heldOut: this.#index.ids[place] as string, similarity })
    }
    this.#count = addCounts(this.#count, {
      candidates: this.#candidates.length,
      compared: chosen.length,
      pairs,
      share,
    })
    this.#candidates = []
  }

  notes(): WitnessNotes {
    return {
      rows: this.#rows,
      found: this.#found,
      parented: this.#parented,
      grams: [...this.#met],
      near: this.#count,
    }
  }
}

const noneCompared: NearCount = { candidates: 0, compared: 0, pairs: 0, share: 1 }

/** What several witnesses noted of the rows they shared. */
export function joinNotes(notes: readonly WitnessNotes[]): WitnessNotes {
  return {
    rows: notes.reduce((sum, { rows }) => sum + rows, 0),
    found: notes.flatMap(({ found }) => found),
    parented: notes.flatMap(({ parented }) => parented),
    grams: [...new Set(notes.flatMap(({ grams }) => grams))],
    near: notes.reduce((sum, { near }) => addCounts(sum, near), noneCompared),
  }
}

function addCounts(a: NearCount, b: NearCount): NearCount {
  return {
    candidates: a.candidates + b.candidates,
    compared: a.compared + b.compared,
    pairs: a.pairs + b.pairs,
    share: Math.min(a.share, b.share),
  }
}

/** Sorted by check and row, each row once for a check. */
export function inOrder(found: readonly FoundLeak[]): FoundLeak[] {
  const first = new Map(found.toReversed().map((leak) => [`${leak.check} ${leak.train}`, leak]))
  const rank = ({ check }: FoundLeak) => checkRank(check)
  return [...first.values()].sort((a, b) => rank(a) - rank(b) || (a.train < b.train ? -1 : a.train > b.train ? 1 : 0))
}
