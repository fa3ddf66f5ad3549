import { noCommonRuns, type CommonRuns } from "./common-runs.ts"
import { HashIndex } from "./hash-index.ts"
import { joinHash, mixBits } from "./hashing.ts"
import { foldForComparison } from "./normalise.ts"
import { Sketcher } from "./sketcher.ts"

/** The distinct hashes of a text's runs of five words, as they lie in an array. */
export interface WordRuns {
  readonly numbers: Int32Array
  readonly hashes: number
  readonly size: number
}

/** Finds held-out texts that share `n` consecutive folded words of their own with a text: words in a run that is common to many texts are a
 * template's and do not count. Exact: the words themselves are compared. Texts shorter than `n` words are not indexed and never found (exact and
 * near-duplicates cover them), nor is writing without spaces. */
export class NgramIndex {
  readonly n: number
  readonly #common: CommonRuns
  readonly #ids = new Map<string, string>()
  // The words of what is indexed by number, and which of them follow one another, by hash: most runs of words of other texts are passed over by these.
  readonly #numbers = new Map<string, number>()
  readonly #pairs = new HashIndex()
  // The hashes of the runs of five words of what is indexed. Every n-gram has so many different ones, which a text that has the n-gram shares.
  readonly #runs = new HashIndex()
  readonly #cutter = new Sketcher({ shingles: "word-5" })
  #fewestRuns = Infinity

  constructor(n: number, common: CommonRuns = noCommonRuns) {
    this.n = n
    this.#common = common
  }

  /** From now on the text is found under the id. */
  add(id: string, text: string): void {
    const words = wordsOf(text)
    if (words.length < this.n) return
    const numbers = words.map((word) => this.#numberOf(word))
    for (let index = 1; index < numbers.length; index += 1) addOnce(this.#pairs, pairOf(numbers[index - 1] as number, numbers[index] as number))
    for (const ngram of this.#own(words)) {
      const known = this.#ids.get(ngram)
      if (known === undefined || id < known) this.#ids.set(ngram, id)
    }
    const runs = this.#cutter.spans(text)
    for (const run of runs) addOnce(this.#runs, run)
    this.#fewestRuns = Math.min(this.#fewestRuns, runs.length === words.length - runWords + 1 ? this.n - runWords + 1 : fewestRuns(words, this.n))
  }

  /** The smallest id of the texts that share an n-gram with this one, whatever the order they were added in. The text's runs of five words need not be
   * cut again where they are known. */
  find(text: string, runs?: WordRuns): string | undefined {
    let found: string | undefined
    for (const ngram of this.met(text, runs)) {
      const id = this.#ids.get(ngram) as string
      if (found === undefined || id < found) found = id
    }
    return found
  }

  /** The n-grams of the text under which a text would be found, in their order. */
  of(text: string): string[] {
    return [...this.#own(wordsOf(text))]
  }

  /** Each n-gram of the text under which an added text is found, in their order. */
  *met(text: string, runs?: WordRuns): Generator<string> {
    if (this.#ids.size === 0 || (this.n >= runWords && !this.#sharesRuns(text, runs))) return
    const words = wordsOf(text)
    let before: number | undefined
    /** So many words up to this one follow one another in what is indexed. */
    let run = 0
    for (const [index, word] of words.entries()) {
      const number = this.#numbers.get(word)
      if (number === undefined) run = 0
      else run = before !== undefined && this.#pairs.has(pairOf(before, number)) ? run + 1 : 1
      before = number
      if (run < this.n) continue
      const ngram = this.#ngram(words, index + 1)
      if (this.#ids.has(ngram)) yield ngram
    }
  }

  /** The n-grams that are made of the text's own words. */
  *#own(words: readonly string[]): Generator<string> {
    const covered = this.#common.covered(words)
    let own = 0
    for (let end = 1; end <= words.length; end += 1) {
      own = covered[end - 1] ? 0 : own + 1
      if (own >= this.n) yield this.#ngram(words, end)
    }
  }

  #sharesRuns(text: string, known: WordRuns | undefined): boolean {
    const { numbers, hashes, size } = known ?? this.#runsOf(text)
    let shared = 0
    for (let index = hashes; index < hashes + size; index += 1)
      if (this.#runs.has(numbers[index] as number) && ++shared >= this.#fewestRuns) return true
    return false
  }

  #runsOf(text: string): WordRuns {
    const numbers = this.#cutter.spans(text)
    return { numbers, hashes: 0, size: numbers.length }
  }

  #numberOf(word: string): number {
    const known = this.#numbers.get(word)
    if (known !== undefined) return known
    this.#numbers.set(word, this.#numbers.size)
    return this.#numbers.size - 1
  }

  #ngram(words: readonly string[], end: number): string {
    return words.slice(end - this.n, end).join(" ")
  }
}

function wordsOf(text: string): string[] {
  return foldForComparison(text).split(" ")
}

const runWords = 5

/** A hash of two words that follow one another, not zero. */
function pairOf(first: number, second: number): number {
  return mixBits(joinHash(first, second)) | 0 || 1
}

function addOnce(index: HashIndex, hash: number): void {
  if (!index.has(hash)) index.add(hash, 0)
}

/** How many different runs of five words the n-gram of the words has that has the fewest. */
function fewestRuns(words: readonly string[], n: number): number {
  const runs = words.slice(runWords - 1).map((_, end) => words.slice(end, end + runWords).join(" "))
  const counts = words.slice(n - 1).map((_, start) => new Set(runs.slice(start, start + n - runWords + 1)).size)
  return counts.reduce((fewest, count) => Math.min(fewest, count), Infinity)
}
