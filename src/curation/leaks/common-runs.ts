import { distinctTexts } from "../near/boilerplate.ts"
import { joinHash, mixBits } from "../text/hashing.ts"
import { leakDefinition } from "./definition.ts"
import { Sketcher } from "../near/sketcher.ts"
import { WordHashes, wordHash } from "../text/word-hashes.ts"

const { leastTexts, plainShare, leastShare, leastMass, lengthFor } = leakDefinition.commonRuns

/** What makes `CommonRuns`: plain data. */
export interface RunHashes {
  /** How many words a run has. */
  readonly length: number
  readonly runs: ReadonlySet<number>
}

/**
 * Runs of words that so many texts share that they say nothing about any one of them: prompts, templates, form letters.
 */
export class CommonRuns {
  readonly hashes: RunHashes

  /** Without hashes there are none. */
  constructor(hashes: RunHashes = { length: 1, runs: new Set() }) {
    this.hashes = hashes
  }

  get isEmpty(): boolean {
    return this.hashes.runs.size === 0
  }

  /** For each word, whether it stands in such a run. */
  covered(words: readonly string[]): boolean[] {
    const covered = words.map(() => false)
    if (this.isEmpty) return covered
    const { length, runs } = this.hashes
    for (const [start, run] of runsOf(Int32Array.from(words, wordHash), words.length, length).entries())
      if (runs.has(run)) covered.fill(true, start, start + length)
    return covered
  }
}

/**
 * The common runs of a sample of the texts, for a check by n consecutive words: of half as many words, so that a
 * template that is somewhat shorter than n is one as well. By the same idea as `boilerplateOf`. Copies of a text count
 * once; the order of the texts does not matter; in fewer than 20 texts nothing is common. Two runs are mistaken for one
 * another once in 4 billion.
 */
export function commonRuns(sample: readonly string[], n: number): CommonRuns {
  const length = lengthFor(n)
  const texts = sample.length < leastTexts ? [] : distinctTexts(sample, new Sketcher({ shingles: "word-5" }))
  const least = Math.max(leastTexts, Math.ceil(leastShare * texts.length))
  const counts = frequentRuns(texts, length, least)
  let mass = 0
  for (const count of counts.runs.values()) mass += count
  const needed = mass > leastMass * counts.all ? least : Math.max(leastTexts, Math.ceil(plainShare * texts.length))
  return new CommonRuns({
    length,
    runs: new Set([...counts.runs].flatMap(([run, count]) => (count >= needed ? [run] : []))),
  })
}

/** The runs that at least so many of the texts have, with how many do; and how many runs there are in all. */
function frequentRuns(
  texts: readonly string[],
  length: number,
  least: number,
): { runs: Map<number, number>; all: number } {
  const runs = new Map<number, number>()
  const words = new WordHashes()
  const runsByText = texts.map((text) => {
    words.read(text)
    return runsOf(words.words, words.wordCount, length)
  })
  const all = runsByText.reduce((sum, { length: count }) => sum + count, 0)
  // First counted by a part of the hash, so that only what may be frequent is counted one by one.
  const unused = 32 - Math.min(20, Math.max(8, Math.ceil(Math.log2(all + 1))))
  const roughly = new Uint32Array(2 ** (32 - unused))
  for (const hashes of runsByText)
    for (let index = 0; index < hashes.length; index += 1) {
      const bucket = (hashes[index] as number) >>> unused
      roughly[bucket] = (roughly[bucket] as number) + 1
    }
  if (!roughly.some((count) => count >= least)) return { runs, all }
  for (const hashes of runsByText)
    for (const run of new Set(hashes.filter((hash) => (roughly[hash >>> unused] as number) >= least)))
      runs.set(run, (runs.get(run) ?? 0) + 1)
  for (const [run, count] of runs) if (count < least) runs.delete(run)
  return { runs, all }
}

/**
 * The hash of the run that begins at each of so many words, as far as there are enough: `joinHash` over its words, gone
 * on from the run before.
 */
function runsOf(hashes: Int32Array, words: number, length: number): Uint32Array {
  const runs = new Uint32Array(Math.max(0, words - length + 1))
  if (runs.length === 0) return runs
  // What a word counts for that is `length` words back.
  let factor = 1
  for (let place = 0; place < length; place += 1) factor = joinHash(factor, 0)
  let hash = 0
  for (let place = 0; place < words; place += 1) {
    const gone = place < length ? 0 : Math.imul(factor, hashes[place - length] as number)
    hash = (joinHash(hash, hashes[place] as number) - gone) | 0
    if (place >= length - 1) runs[place - length + 1] = mixBits(hash)
  }
  return runs
}
