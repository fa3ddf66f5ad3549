import { sampleOf } from "../near/boilerplate.ts"
import type { ShinglerName } from "../near/cuts.ts"
import { leakDefinition } from "./definition.ts"
import { distinctSorted, WitnessText } from "./witness-texts.ts"
import { Pool, sequencePrint, windowHashes } from "./witness-windows.ts"

/** What the definition calls boilerplate of these texts, found anew: the hashes of its spans. */
export function boilerplateSpans(texts: readonly string[], name: ShinglerName): Set<number> {
  const { leastShare, leastTexts, leastMass } = leakDefinition.boilerplate
  const sample = sampleOf(texts)
  const reader = new WitnessText()
  const spans = sample.length < leastTexts ? [] : differentTexts(sample, reader, (text) => reader.spans(text, name))
  if (spans.length < leastTexts) return new Set()
  const distinct = spans.map(distinctSorted)
  const least = Math.max(leastTexts, Math.ceil(leastShare * spans.length))
  const counts = frequent(distinct, least)
  const all = distinct.reduce((sum, { length }) => sum + length, 0)
  return massOf(counts) > leastMass * all ? new Set(counts.keys()) : new Set()
}

/** The common runs of the texts as the definition has them, found anew: their hashes and how many words they have. */
export function commonRunHashes(sample: readonly string[], n: number): { runs: Set<number>; length: number } {
  const { leastTexts, plainShare, leastShare, leastMass, lengthFor } = leakDefinition.commonRuns
  const length = lengthFor(n)
  const reader = new WitnessText()
  const hashes = new Uint32Array(1 << 20)
  const runsOf = () => {
    const { words } = reader
    const into = words.count > hashes.length ? new Uint32Array(words.count) : hashes
    return into.subarray(0, windowHashes(words.hashes, words.count, length, into))
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
  const times = timesByFirstBits(texts)
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

const otherBits = 12

/** How often hashes come that begin with these bits: no hash that does comes more often. */
function timesByFirstBits(texts: readonly Uint32Array[]): Uint32Array {
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
