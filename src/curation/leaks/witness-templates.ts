import { sampleOf } from "../near/boilerplate.ts"
import { leakDefinition } from "./definition.ts"
import { distinctSorted, WitnessText, type WitnessCut } from "./witness-texts.ts"
import { Pool, sequencePrint, windowHashes } from "./witness-windows.ts"

/** What the definition calls boilerplate of these texts, found anew: the hashes of its spans. */
export function boilerplateSpans(texts: readonly string[], cut: WitnessCut): Set<number> {
  const { fewestTexts, leastMass, leastFrequent } = leakDefinition.boilerplate
  const sample = sampleOf(texts)
  const reader = new WitnessText()
  const spans = sample.length < fewestTexts ? [] : differentTexts(sample, reader, (text) => reader.spans(text, cut))
  if (spans.length < fewestTexts) return new Set()
  const distinct = spans.map(distinctSorted)
  const counts = frequent(distinct, leastFrequent(spans.length))
  const all = distinct.reduce((sum, { length }) => sum + length, 0)
  if (massOf(counts) <= leastMass * all) return new Set()
  const { span } = leakDefinition.shingles.cuts[cut.shingles]
  // How much oftener each stands inside a template than over the edge of one.
  const balance = new Map<number, number>()
  for (const places of spans)
    for (const [at, isOver] of overEdges(places, counts, span).entries()) {
      const hash = places[at] as number
      if (counts.has(hash)) balance.set(hash, (balance.get(hash) ?? 0) + (isOver ? -1 : 1))
    }
  return new Set([...balance].flatMap(([hash, more]) => (more >= 0 ? [hash] : [])))
}

/** For each span of a text whether it holds the unit before a template begins or the one after it ends. */
function overEdges(spans: Uint32Array, counts: ReadonlyMap<number, number>, length: number): boolean[] {
  const { isEdge } = leakDefinition.boilerplate
  const isBeyond = new Uint8Array(spans.length + length)
  for (let at = 0; at + 1 < spans.length; at += 1) {
    const here = counts.get(spans[at] as number) ?? 0
    const next = counts.get(spans[at + 1] as number) ?? 0
    if (isEdge(here, next)) isBeyond[at + length] = 1
    if (isEdge(next, here)) isBeyond[at] = 1
  }
  // The last such unit up to each.
  let last = -1
  const lasts = Int32Array.from(isBeyond, (is, unit) => {
    if (is === 1) last = unit
    return last
  })
  return Array.from(spans, (_, at) => (lasts[at + length - 1] as number) >= at)
}

/** The common runs of the texts as the definition has them, found anew: their hashes and how many words they have. */
export function commonRunHashes(sample: readonly string[], n: number): { runs: Set<number>; length: number } {
  const { leastTexts, plainShare, leastShare, leastMass, lengthFor } = leakDefinition.commonRuns
  const length = lengthFor(n)
  const reader = new WitnessText()
  const hashes = new Uint32Array(1 << 20)
  const runsOf = () => {
    const { words, wordCount } = reader.words
    const into = wordCount > hashes.length ? new Uint32Array(wordCount) : hashes
    return into.subarray(0, windowHashes(words, wordCount, length, into))
  }
  const texts = sample.length < leastTexts ? [] : differentTexts(sample, reader, runsOf)
  const least = Math.max(leastTexts, Math.ceil(leastShare * texts.length))
  const all = texts.reduce((sum, { length: count }) => sum + count, 0)
  const counts = frequent(texts, least)
  const needed = massOf(counts) > leastMass * all ? least : Math.max(leastTexts, Math.ceil(plainShare * texts.length))
  return { length, runs: new Set([...counts].flatMap(([run, count]) => (count >= needed ? [run] : []))) }
}

/** What `hashesOf` says of the text that was read, once for each text that no other one is equal to when folded. */
function differentTexts(
  texts: readonly string[],
  reader: WitnessText,
  hashesOf: (text: string) => Uint32Array,
): Uint32Array[] {
  const seen = new Set<number>()
  return texts.flatMap((text) => {
    reader.read(text)
    const print = sequencePrint(reader.words.hashes, reader.words.count)
    if (seen.has(print)) return []
    seen.add(print)
    return [hashesOf(text).slice()]
  })
}

/** The hashes that at least so many of the texts have, with how many do. */
function frequent(texts: readonly Uint32Array[], least: number): Map<number, number> {
  const otherBits = Math.max(12, 26 - Math.ceil(Math.log2(texts.length + 1)))
  const times = timesByFirstBits(texts, otherBits)
  const all = new Pool()
  let candidates = new Uint32Array(1024)
  for (const hashes of texts) {
    if (hashes.length > candidates.length) candidates = new Uint32Array(2 * hashes.length)
    let count = 0
    for (let index = 0; index < hashes.length; index += 1) {
      const hash = hashes[index] as number
      if ((times[hash >>> otherBits] as number) >= least) candidates[count++] = hash
    }
    if (count > 0) all.add(distinctSorted(candidates.subarray(0, count)))
  }
  const sorted = new Uint32Array(all.numbers.buffer, 0, all.used).sort()
  const counts = new Map<number, number>()
  for (let from = 0, until = 0; from < sorted.length; from = until) {
    while (until < sorted.length && sorted[until] === sorted[from]) until += 1
    if (until - from >= least) counts.set(sorted[from] as number, until - from)
  }
  return counts
}

/** How often hashes come that begin with these bits: no hash that does comes more often. */
function timesByFirstBits(texts: readonly Uint32Array[], otherBits: number): Uint32Array {
  const times = new Uint32Array(2 ** (32 - otherBits))
  for (const hashes of texts)
    for (let index = 0; index < hashes.length; index += 1) {
      const first = (hashes[index] as number) >>> otherBits
      times[first] = (times[first] as number) + 1
    }
  return times
}

function massOf(counts: ReadonlyMap<number, number>): number {
  let mass = 0
  for (const count of counts.values()) mass += count
  return mass
}
