import { CommonRuns } from "./common-runs.ts"
import { HashIndex } from "../text/hash-index.ts"
import { joinHash, mixBits } from "../text/hashing.ts"
import { foldForComparison } from "../text/normalise.ts"
import { Sketcher } from "../near/sketcher.ts"
import { WordHashes, wordHash } from "../text/word-hashes.ts"

/**
 * Finds held-out texts that share `n` consecutive folded words of their own with a text: words in a run that is common
 * to many texts are a template's and do not count. Words are compared by hashes of 32 bits, one for each of the n.
 * Texts shorter than `n` words are not indexed and never found (exact and near-duplicates cover them), nor is writing
 * without spaces.
 */
export class NgramIndex {
  readonly n: number
  /** A text that shares an n-gram with an indexed one shares so many different runs of five words with it. */
  fewestRuns = Infinity
  readonly #common: CommonRuns
  /** The hashes of the words of what is indexed: the place is what the word counts for, from 1 on. */
  readonly #numbers = new HashIndex()
  #different = 0
  /** What each word of the indexed texts counts for, one text after another. */
  #words = new Int32Array(1024)
  #used = 0
  /** From the hash of an n-gram to where in `#words` it begins. */
  readonly #grams = new HashIndex()
  /** The smallest id of an n-gram, by where it begins. */
  readonly #ids = new Map<number, string>()
  // The hashes of the runs of five words of what is indexed. Every n-gram has so many different ones, which a text that
  // has the n-gram shares.
  readonly #runs = new HashIndex()
  readonly #cutter = new Sketcher({ shingles: "word-5" })
  /** What a word counts for in a hash that is n words back. */
  readonly #factor: number
  readonly #hashed = new WordHashes()
  #asked = new Int32Array(256)

  constructor(n: number, common = new CommonRuns()) {
    this.n = n
    this.#common = common
    let factor = 1
    for (let place = 0; place < n; place += 1) factor = joinHash(factor, 0)
    this.#factor = factor
  }

  /** From now on the text is found under the id. */
  add(id: string, text: string): void {
    const words = wordsOf(text)
    if (words.length < this.n) return
    const start = this.#used
    this.#reserve(words.length)
    for (const word of words) this.#words[this.#used++] = this.#numberOf(word)
    const isOwn = this.#ownEnds(words)
    this.#eachGram(this.#words, start, this.#used, (from, hash) => {
      if (!isOwn(from - start + this.n)) return
      const known = this.#find(this.#words, from, hash)
      if (known < 0) this.#grams.add(hash, from)
      const [place, before] = known < 0 ? [from, undefined] : [known, this.#ids.get(known)]
      if (before === undefined || id < before) this.#ids.set(place, id)
    })
    const runs = this.#cutter.spans(text)
    for (const run of runs) addOnce(this.#runs, run)
    this.fewestRuns = Math.min(
      this.fewestRuns,
      runs.length === words.length - runWords + 1 ? this.n - runWords + 1 : fewestRuns(words, this.n),
    )
  }

  /**
   * The smallest id of the texts that share an n-gram with this one, whatever the order they were added in. Where it is
   * known how many different runs of five words of the text are in any of them, the text is not cut again to count
   * them.
   */
  find(text: string, sharedRuns = this.#countRuns(text)): string | undefined {
    let found: string | undefined
    this.#eachMet(text, sharedRuns, (place) => {
      const id = this.#ids.get(place) as string
      if (found === undefined || id < found) found = id
    })
    return found
  }

  /** The n-grams of the text under which a text would be found, in their order. */
  of(text: string): string[] {
    const words = wordsOf(text)
    const isOwn = this.#ownEnds(words)
    return words.flatMap((_, index) => (isOwn(index + 1) ? [this.#ngram(words, index + 1)] : []))
  }

  /** Each n-gram of the text under which an added text is found, in their order. */
  met(text: string): string[] {
    const met: string[] = []
    let words: string[] | undefined
    this.#eachMet(text, this.#countRuns(text), (_, start) => {
      words ??= wordsOf(text)
      met.push(this.#ngram(words, start + this.n))
    })
    return met
  }

  /**
   * Shows `visit` where in `#words` each n-gram of the text that is indexed begins, and with which word of the text.
   */
  #eachMet(text: string, sharedRuns: number, visit: (place: number, start: number) => void): void {
    if (this.#ids.size === 0 || (this.n >= runWords && sharedRuns < this.fewestRuns)) return
    this.#hashed.read(text)
    const { hashes, count } = this.#hashed
    if (count > this.#asked.length) this.#asked = new Int32Array(2 * count)
    const asked = this.#asked
    for (let index = 0; index < count; index += 1) {
      const entry = this.#numbers.last(hashes[index] as number)
      asked[index] = entry === 0 ? 0 : this.#numbers.placeOf(entry)
    }
    this.#eachGram(asked, 0, count, (start, hash) => {
      const place = this.#find(asked, start, hash)
      if (place >= 0) visit(place, start)
    })
  }

  /** Shows `visit` where each n-gram of known words begins, with its hash. */
  #eachGram(numbers: Int32Array, from: number, until: number, visit: (start: number, hash: number) => void): void {
    const { n } = this
    const factor = this.#factor
    let hash = 0
    let known = 0
    for (let index = from; index < until; index += 1) {
      const number = numbers[index] as number
      const gone = known < n ? 0 : Math.imul(factor, numbers[index - n] as number)
      known = number === 0 ? 0 : known + 1
      hash = number === 0 ? 0 : (joinHash(hash, number) - gone) | 0
      if (known >= n) visit(index - n + 1, mixBits(hash) | 0 || 1)
    }
  }

  /** Where the n-gram is indexed that begins there; below zero for one that is not. */
  #find(numbers: Int32Array, start: number, hash: number): number {
    const words = this.#words
    for (let entry = this.#grams.last(hash); entry > 0; entry = this.#grams.before(entry)) {
      const place = this.#grams.placeOf(entry)
      let word = 0
      while (word < this.n && words[place + word] === numbers[start + word]) word += 1
      if (word === this.n) return place
    }
    return -1
  }

  /** Whether the n-gram that ends before that word is made of the text's own words. */
  #ownEnds(words: readonly string[]): (end: number) => boolean {
    const covered = this.#common.covered(words)
    let own = 0
    const ends = covered.map((isCovered) => {
      own = isCovered ? 0 : own + 1
      return own >= this.n
    })
    return (end) => ends[end - 1] === true
  }

  #countRuns(text: string): number {
    if (this.n < runWords || this.#ids.size === 0) return 0
    const runs = this.#cutter.spans(text)
    return this.#runs.countIn(runs, 0, runs.length, this.fewestRuns)
  }

  #numberOf(word: string): number {
    const hash = wordHash(word)
    const entry = this.#numbers.last(hash)
    if (entry > 0) return this.#numbers.placeOf(entry)
    this.#numbers.add(hash, ++this.#different)
    return this.#different
  }

  #reserve(words: number): void {
    if (this.#used + words <= this.#words.length) return
    const longer = new Int32Array(2 * (this.#used + words))
    longer.set(this.#words)
    this.#words = longer
  }

  #ngram(words: readonly string[], end: number): string {
    return words.slice(end - this.n, end).join(" ")
  }
}

function wordsOf(text: string): string[] {
  return foldForComparison(text).split(" ")
}

const runWords = 5

function addOnce(index: HashIndex, hash: number): void {
  if (!index.has(hash)) index.add(hash, 0)
}

/** How many different runs of five words the n-gram of the words has that has the fewest. */
function fewestRuns(words: readonly string[], n: number): number {
  const runs = words.slice(runWords - 1).map((_, end) => words.slice(end, end + runWords).join(" "))
  const counts = words.slice(n - 1).map((_, start) => new Set(runs.slice(start, start + n - runWords + 1)).size)
  return counts.reduce((fewest, count) => Math.min(fewest, count), Infinity)
}
