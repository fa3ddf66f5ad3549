import { CommonRuns } from "./common-runs.ts"
import { HashIndex } from "../text/hash-index.ts"
import { joinHash, mixBits } from "../text/hashing.ts"
import { foldForComparison } from "../text/normalise.ts"
import type { Sketch } from "../near/similar-sets.ts"
import { Sketcher } from "../near/sketcher.ts"
import { bareWord, signedWords, tokenHash, WordHashes, wordHash } from "../text/word-hashes.ts"

/** The hashes of a text's runs of five, as a sketch has them: each with what stands for the numbers of the text. */
export interface SaltedRuns extends Pick<Sketch, "numbers" | "hashes" | "size"> {
  readonly salt: number
}

/**
 * Finds held-out texts that share `n` consecutive folded words of their own, with the signs between them, with a text:
 * words in a run that is common to many texts are a template's and do not count. Words are compared by hashes of 32
 * bits, one for each of the n.
 * Texts shorter than `n` words are not indexed and never found (exact and near-duplicates cover them), nor is writing
 * without spaces.
 */
export class NgramIndex {
  readonly n: number
  /** A text that shares an n-gram with an indexed one shares so many different runs of five tokens with it. */
  #fewestRuns = Infinity
  readonly #common: CommonRuns
  /** The hashes of the words of what is indexed: the place is what the word counts for, from 1 on. */
  readonly #numbers = new HashIndex()
  #different = 0
  /** What each word of the indexed texts counts for, one text after another; with the signs before it, and alone. */
  #words = new Int32Array(1024)
  #bare = new Int32Array(1024)
  #used = 0
  /** From the hash of an n-gram to where in `#words` it begins. */
  readonly #grams = new HashIndex()
  /** The smallest id of an n-gram, by where it begins. */
  readonly #ids = new Map<number, string>()
  // The hashes of the runs of five words or signs of what is indexed. Every n-gram has so many different ones, which a
  // text that has the n-gram shares.
  readonly #runs = new HashIndex()
  readonly #cutter = new Sketcher({ shingles: "word-5" })
  /** What a word counts for in a hash that is n - 1 words back. */
  readonly #factor: number
  readonly #hashed = new WordHashes()
  #asked = new Int32Array(256)
  #askedBare = new Int32Array(256)

  constructor(n: number, common = new CommonRuns()) {
    this.n = n
    this.#common = common
    let factor = 1
    for (let place = 1; place < n; place += 1) factor = joinHash(factor, 0)
    this.#factor = factor
  }

  /** From now on the text is found under the id. */
  add(id: string, text: string): void {
    const words = wordsOf(text)
    if (words.length < this.n) return
    const start = this.#used
    this.#reserve(words.length)
    for (const word of words) {
      this.#bare[this.#used] = this.#numberOf(tokenHash(bareWord(word)))
      this.#words[this.#used++] = this.#numberOf(wordHash(word))
    }
    const isOwn = this.#ownEnds(words)
    this.#eachGram(this.#words, this.#bare, { from: start, until: this.#used }, (from, hash) => {
      if (!isOwn(from - start + this.n)) return
      const known = this.#find(this.#words, this.#bare, from, hash)
      if (known < 0) this.#grams.add(hash, from)
      const [place, before] = known < 0 ? [from, undefined] : [known, this.#ids.get(known)]
      if (before === undefined || id < before) this.#ids.set(place, id)
    })
    const runs = this.#cutter.spans(text)
    for (const run of runs) addOnce(this.#runs, run)
    const tokens = foldForComparison(text).split(" ")
    this.#fewestRuns = Math.min(
      this.#fewestRuns,
      runs.length === tokens.length - runWords + 1 ? this.n - runWords + 1 : fewestRuns(tokens, this.n),
    )
  }

  /**
   * The smallest id of the texts that share an n-gram with this one, whatever the order they were added in. `runs` are
   * the hashes of the text's runs of five words and signs, where it has been cut into them.
   */
  find(text: string, runs?: SaltedRuns): string | undefined {
    let found: string | undefined
    this.#eachMet(text, runs, (place) => {
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
    this.#eachMet(text, undefined, (_, start) => {
      words ??= wordsOf(text)
      met.push(this.#ngram(words, start + this.n))
    })
    return met
  }

  /**
   * Shows `visit` where in `#words` each n-gram of the text that is indexed begins, and with which word of the text.
   */
  #eachMet(text: string, runs: SaltedRuns | undefined, visit: (place: number, start: number) => void): void {
    if (this.#ids.size === 0 || (this.n >= runWords && this.#countRuns(text, runs) < this.#fewestRuns)) return
    this.#hashed.read(text)
    const { words, bareWords, wordCount: count } = this.#hashed
    if (count > this.#asked.length) {
      this.#asked = new Int32Array(2 * count)
      this.#askedBare = new Int32Array(2 * count)
    }
    const [asked, bare] = [this.#asked, this.#askedBare]
    for (let index = 0; index < count; index += 1) {
      const [word, alone] = [words[index] as number, bareWords[index] as number]
      bare[index] = this.#knownNumber(alone)
      asked[index] = word === alone ? (bare[index] as number) : this.#knownNumber(word)
    }
    this.#eachGram(asked, bare, { from: 0, until: count }, (start, hash) => {
      const place = this.#find(asked, bare, start, hash)
      if (place >= 0) visit(place, start)
    })
  }

  /**
   * Shows `visit` where each n-gram of known words begins, with its hash: of its first word alone, and of the others
   * with the signs before them.
   */
  #eachGram(
    numbers: Int32Array,
    bare: Int32Array,
    { from, until }: { readonly from: number; readonly until: number },
    visit: (start: number, hash: number) => void,
  ): void {
    const rest = this.n - 1
    const factor = this.#factor
    let hash = 0
    let known = 0
    for (let index = from + 1; index < until; index += 1) {
      const number = numbers[index] as number
      const gone = known < rest ? 0 : Math.imul(factor, numbers[index - rest] as number)
      known = number === 0 ? 0 : known + 1
      hash = number === 0 ? 0 : (joinHash(hash, number) - gone) | 0
      const first = known < rest ? 0 : (bare[index - rest] as number)
      if (first !== 0) visit(index - rest, mixBits(joinHash(hash, first)) | 0 || 1)
    }
  }

  /** Where the n-gram is indexed that begins there; below zero for one that is not. */
  #find(numbers: Int32Array, bare: Int32Array, start: number, hash: number): number {
    const words = this.#words
    for (let entry = this.#grams.last(hash); entry > 0; entry = this.#grams.before(entry)) {
      const place = this.#grams.placeOf(entry)
      if (this.#bare[place] !== bare[start]) continue
      let word = 1
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

  #countRuns(text: string, known: SaltedRuns | undefined): number {
    const least = this.#fewestRuns
    if (known !== undefined) {
      const { numbers, hashes, size, salt } = known
      return this.#runs.countIn(numbers, hashes, hashes + size, least, salt)
    }
    const runs = this.#cutter.spans(text)
    return this.#runs.countIn(runs, 0, runs.length, least)
  }

  /** What the word counts for; zero for one that is not indexed. */
  #knownNumber(hash: number): number {
    const entry = this.#numbers.last(hash)
    return entry === 0 ? 0 : this.#numbers.placeOf(entry)
  }

  #numberOf(hash: number): number {
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
    const longerBare = new Int32Array(longer.length)
    longerBare.set(this.#bare)
    this.#bare = longerBare
  }

  #ngram(words: readonly string[], end: number): string {
    const [first = "", ...others] = words.slice(end - this.n, end)
    return [bareWord(first), ...others].join(" ")
  }
}

function wordsOf(text: string): string[] {
  return signedWords(foldForComparison(text))
}

const runWords = 5

function addOnce(index: HashIndex, hash: number): void {
  if (!index.has(hash)) index.add(hash, 0)
}

/** How many different runs of five tokens those n of them have that have the fewest; n words have as many at least. */
function fewestRuns(tokens: readonly string[], n: number): number {
  const runs = tokens.slice(runWords - 1).map((_, end) => tokens.slice(end, end + runWords).join(" "))
  const counts = tokens.slice(n - 1).map((_, start) => new Set(runs.slice(start, start + n - runWords + 1)).size)
  return counts.reduce((fewest, count) => Math.min(fewest, count), Infinity)
}
