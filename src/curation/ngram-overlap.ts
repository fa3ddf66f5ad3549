import { foldForComparison } from "./normalise.ts"

/** Finds held-out texts that share `n` consecutive folded words with a text. Exact: the words themselves are compared. Texts shorter than `n`
 * words are not indexed and never found (exact and near-duplicates cover them), nor is writing without spaces. */
export class NgramIndex {
  readonly n: number
  readonly #ids = new Map<string, string>()

  constructor(n: number) {
    this.n = n
  }

  /** From now on the text is found under the id. */
  add(id: string, text: string): void {
    for (const ngram of this.#ngrams(text)) {
      const known = this.#ids.get(ngram)
      if (known === undefined || id < known) this.#ids.set(ngram, id)
    }
  }

  /** The smallest id of the texts that share an n-gram with this one, whatever the order they were added in. */
  find(text: string): string | undefined {
    let found: string | undefined
    if (this.#ids.size === 0) return undefined
    for (const ngram of this.#ngrams(text)) {
      const id = this.#ids.get(ngram)
      if (id !== undefined && (found === undefined || id < found)) found = id
    }
    return found
  }

  *#ngrams(text: string): Generator<string> {
    const words = foldForComparison(text).split(" ")
    for (let start = 0; start + this.n <= words.length; start += 1) yield words.slice(start, start + this.n).join(" ")
  }
}
