import type { NumberRule } from "../../core/task/number-rule.ts"
import { sampleOf } from "../near/boilerplate.ts"
import { compareText } from "../rows/ranking.ts"
import { leakDefinition } from "./definition.ts"
import { digits } from "./lineage.ts"
import { groupsHeldOut } from "./witness-groups.ts"
import { boilerplateSpans } from "./witness-templates.ts"
import { distinctSorted, WitnessText, type WitnessCut } from "./witness-texts.ts"
import { bucketsOf, gramHashes, Pool, sequencePrint, type HashBuckets } from "./witness-windows.ts"

export interface WitnessOptions {
  readonly heldOut: readonly { readonly id: string; readonly text: string; readonly group?: string | undefined }[]
  /** Every id that is held out, by the names that parents use. */
  readonly heldOutIds: ReadonlySet<string>
  /** The similarity of near texts; default by how they are cut. */
  readonly threshold: number | undefined
  /** What becomes of texts that differ in numbers; `keep` by default. */
  readonly numbers?: NumberRule | undefined
  readonly ngram: number
  /** Texts that say how all are cut where nothing is held out; default none. */
  readonly rows?: readonly string[] | undefined
}

/** What is held out, made ready for a witness; plain data of which threads share the most. */
export interface WitnessIndex {
  /** The ids of the held-out texts, sorted; a text is known by its place among them. */
  readonly ids: readonly string[]
  /** What is held out by the digits of its id. */
  readonly idOfDigits: ReadonlyMap<string, string>
  /** A held-out row of each group that has one. */
  readonly groups: ReadonlyMap<string, string>
  readonly cut: WitnessCut
  readonly threshold: number
  readonly ngram: number
  /** Of each text the print of its words and signs. */
  readonly prints: Float64Array
  /** The words of each text, with the signs before them, one after another, and where each text ends. */
  readonly words: Int32Array<SharedArrayBuffer>
  /** The same words without the signs. */
  readonly bare: Int32Array<SharedArrayBuffer>
  readonly wordEnds: Int32Array<SharedArrayBuffer>
  /** The distinct shingles of each text, from the least to the greatest, and where each text ends. */
  readonly sets: Uint32Array<SharedArrayBuffer>
  readonly setEnds: Int32Array<SharedArrayBuffer>
  /** The texts that have a shingle. */
  readonly near: HashBuckets
  /** Where in `words` an n-gram begins. */
  readonly grams: HashBuckets
}

/** The order of the held-out texts does not matter. */
export function witnessIndex({
  heldOut,
  heldOutIds,
  threshold,
  numbers = "keep",
  ngram,
  rows = [],
}: WitnessOptions): WitnessIndex {
  const texts = heldOut.toSorted((a, b) => compareText(a.id, b.id))
  const cut = cutFor(heldOut.length > 0 ? texts.map(({ text }) => text) : rows, numbers)
  const [words, bare, wordEnds] = [new Pool(), new Pool(), new Pool()]
  const [sets, setEnds] = [new Pool(), new Pool()]
  const prints = new Float64Array(texts.length)
  const reader = new WitnessText()
  for (const [place, { text }] of texts.entries()) {
    reader.read(text)
    prints[place] = sequencePrint(reader.words.hashes, reader.words.count)
    words.add(reader.words.words, reader.words.wordCount)
    bare.add(reader.words.bareWords, reader.words.wordCount)
    wordEnds.add([words.used])
    reader.cut(text, cut)
    const set = distinctSorted(reader.shingles.subarray(0, reader.shingleCount))
    sets.add(set)
    setEnds.add([sets.used])
  }
  return {
    ids: texts.map(({ id }) => id),
    idOfDigits: new Map(
      [...heldOutIds]
        .sort()
        .reverse()
        .map((id) => [digits(id), id]),
    ),
    groups: groupsHeldOut(heldOut),
    cut,
    threshold: threshold ?? leakDefinition.shingles.defaultThreshold(cut.shingles),
    ngram,
    prints,
    words: words.share(),
    bare: bare.share(),
    wordEnds: wordEnds.share(),
    sets: new Uint32Array(sets.share().buffer),
    setEnds: setEnds.share(),
    near: bucketsOf(sets.used, (visit) => eachShingle(sets, setEnds, visit)),
    grams: gramsOf({ words, bare }, wordEnds, ngram),
  }
}

function cutFor(texts: readonly string[], numbers: NumberRule): WitnessCut {
  const { choose, mostMeasured } = leakDefinition.shingles
  const sample = sampleOf(texts)
  const measured = sampleOf(sample, mostMeasured)
  const whole: WitnessCut = { shingles: choose(measured), boilerplate: new Set(), numbers }
  const cut = { ...whole, boilerplate: boilerplateSpans(sample, whole) }
  if (cut.shingles !== "word-5" || cut.boilerplate.size === 0) return cut
  const reader = new WitnessText()
  const shingles = choose(measured, (text) => {
    reader.read(text)
    reader.cut(text, cut)
    return distinctSorted(reader.shingles.subarray(0, reader.shingleCount)).length
  })
  return shingles === cut.shingles
    ? cut
    : { ...whole, shingles, boilerplate: boilerplateSpans(sample, { ...whole, shingles }) }
}

/** Shows `visit` every shingle of every text with the text's place. */
function eachShingle(sets: Pool, ends: Pool, visit: (hash: number, place: number) => void): void {
  for (let index = 0, place = 0; index < sets.used; index += 1) {
    while (index === ends.numbers[place]) place += 1
    visit(sets.numbers[index] as number, place)
  }
}

function gramsOf({ words, bare }: Record<"words" | "bare", Pool>, ends: Pool, ngram: number): HashBuckets {
  let count = 0
  eachText(ends, (from, until) => {
    count += Math.max(0, until - from - ngram + 1)
  })
  let hashes = new Uint32Array(1024)
  return bucketsOf(count, (visit) =>
    eachText(ends, (from, until) => {
      if (until - from > hashes.length) hashes = new Uint32Array(2 * (until - from))
      const [own, ownBare] = [words.numbers.subarray(from, until), bare.numbers.subarray(from, until)]
      const windows = gramHashes(own, ownBare, ngram, hashes)
      for (let start = 0; start < windows; start += 1) visit(hashes[start] as number, from + start)
    }),
  )
}

/** Shows `visit` where the words of each text begin and end. */
function eachText(ends: Pool, visit: (from: number, until: number) => void): void {
  for (let text = 0, from = 0; text < ends.used; text += 1) {
    visit(from, ends.numbers[text] as number)
    from = ends.numbers[text] as number
  }
}
