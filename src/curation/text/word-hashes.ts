import { hashStart, hashText, joinCharacter, mixBits } from "./hashing.ts"
import { foldForComparison } from "./normalise.ts"

/**
 * The words of a folded text as hashes: `wordHash` of each word of `foldForComparison`, in their order. Plain text is
 * folded while it is read, and nothing is cut out of it.
 */
export class WordHashes {
  /** There are `count` of them; overwritten by the next text. */
  hashes = new Int32Array(256)
  count = 0

  read(text: string): void {
    if (this.#readPlain(text)) return
    const words = foldForComparison(text).split(" ")
    this.#reserve(words.length)
    for (const [index, word] of words.entries()) this.hashes[index] = wordHash(word)
    this.count = words.length
  }

  /** False where the text is not plain, or has no words. */
  #readPlain(text: string): boolean {
    this.#reserve(text.length / 2 + 1)
    const hashes = this.hashes
    let count = 0
    let hash = start
    let letters = 0
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index)
      const folded = code < 128 ? (folds[code] as number) : notPlain
      if (folded > between) {
        hash = joinCharacter(hash, folded)
        letters += 1
      } else if (folded === notPlain) return false
      else if (letters > 0) {
        hashes[count++] = mixBits(hash) | 0 || 1
        hash = start
        letters = 0
      }
    }
    if (letters > 0) hashes[count++] = mixBits(hash) | 0 || 1
    this.count = count
    return count > 0
  }

  #reserve(words: number): void {
    if (words > this.hashes.length) this.hashes = new Int32Array(2 * words)
  }
}

/** The hash of a folded word, a signed number of 32 bits that is not zero. */
export function wordHash(word: string): number {
  return hashText(word) | 0 || 1
}

const start = hashStart | 0
// What stands for itself between words, or makes a text one that is folded as a whole.
const [notPlain, between] = [0, 1] as const
/** What becomes of each character of ASCII. */
const folds = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code < 32 && code !== 9 && code !== 10) return notPlain
  if (code === 127) return notPlain
  const folded = foldForComparison(`a${String.fromCharCode(code)}a`)
  return folded === "a a" ? between : folded.charCodeAt(1)
})
