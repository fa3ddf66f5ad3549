import { hashStart, hashText, joinCharacter, joinHash, mixBits } from "./hashing.ts"
import { foldForComparison, isSign } from "./normalise.ts"

/**
 * A folded text as hashes: `tokenHash` of each of its words and signs, and `wordHash` of each word with the signs
 * before it, in their order. Plain text is folded while it is read, and nothing is cut out of it.
 */
export class WordHashes {
  /** The words and signs: there are `count` of them; overwritten by the next text. */
  hashes = new Int32Array(256)
  count = 0
  /** Which of them have a digit, and whether any has. */
  areNumbers = new Uint8Array(256)
  hasNumbers = false
  /** The words, each with the signs between it and the word before, and alone: `wordCount` of them. */
  words = new Int32Array(256)
  bareWords = new Int32Array(256)
  wordCount = 0
  /** The signs since the last word; zero for none. */
  #signs = 0

  read(text: string): void {
    this.#start(text.length + 1)
    if (this.#readPlain(text)) return
    const tokens = foldForComparison(text).split(" ")
    this.#start(tokens.length)
    for (const token of tokens) this.#add(tokenHash(token), isSign(token), Number(hasDigit(token)))
  }

  /** False where the text is not plain, or has no words. */
  #readPlain(text: string): boolean {
    let hash = start
    let letters = 0
    let digits = 0
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index)
      const folded = code < 128 ? (folds[code] as number) : notPlain
      if (folded > sign) {
        hash = joinCharacter(hash, folded)
        letters += 1
        // Digits alone are folded to what is below a colon.
        digits |= (folded - 58) >>> 31
        continue
      }
      if (folded === notPlain) return false
      if (letters > 0) {
        this.#add(mixBits(hash) | 0 || 1, false, digits)
        hash = start
        letters = 0
        digits = 0
      }
      if (folded === sign) this.#add(signHashes[code] as number, true, 0)
    }
    if (letters > 0) this.#add(mixBits(hash) | 0 || 1, false, digits)
    return this.wordCount > 0
  }

  #add(hash: number, isOfSign: boolean, isNumber: number): void {
    this.areNumbers[this.count] = isNumber
    if (isNumber === 1) this.hasNumbers = true
    this.hashes[this.count++] = hash
    const joined = this.#signs === 0 ? hash : joinTokens(this.#signs, hash)
    if (isOfSign) this.#signs = joined
    else {
      this.bareWords[this.wordCount] = hash
      this.words[this.wordCount++] = joined
      this.#signs = 0
    }
  }

  #start(tokens: number): void {
    if (tokens > this.hashes.length) {
      this.hashes = new Int32Array(2 * tokens)
      this.words = new Int32Array(2 * tokens)
      this.bareWords = new Int32Array(2 * tokens)
      this.areNumbers = new Uint8Array(2 * tokens)
    }
    this.count = 0
    this.wordCount = 0
    this.hasNumbers = false
    this.#signs = 0
  }
}

/** Whether the word of a folded text is a number or an identifier: it has a digit. */
export function hasDigit(token: string): boolean {
  return /[0-9]/.test(token)
}

/** The words of a folded text, each with the signs between it and the word before: ["what", "is", "- 5"]. */
export function signedWords(folded: string): string[] {
  const words: string[] = []
  let signs = ""
  for (const token of folded.split(" "))
    if (isSign(token)) signs += `${token} `
    else {
      words.push(signs + token)
      signs = ""
    }
  return words
}

/** The word without the signs before it. */
export function bareWord(word: string): string {
  return word.slice(word.lastIndexOf(" ") + 1)
}

/** The hash of a folded word or sign, a signed number of 32 bits that is not zero. */
export function tokenHash(token: string): number {
  return hashText(token) | 0 || 1
}

/** The same of a word with the signs before it. */
export function wordHash(word: string): number {
  return word.split(" ").map(tokenHash).reduce(joinTokens)
}

function joinTokens(before: number, token: number): number {
  return mixBits(joinHash(before, token)) | 0 || 1
}

const start = hashStart | 0
// What stands for itself between words, is a sign, or makes a text one that is folded as a whole.
const [notPlain, between, sign] = [0, 1, 2] as const
/** What becomes of each character of ASCII. */
const folds = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code < 32 && code !== 9 && code !== 10) return notPlain
  if (code === 127) return notPlain
  const folded = foldForComparison(`a${String.fromCharCode(code)}a`)
  return folded === "a a" ? between : folded.length > 3 ? sign : folded.charCodeAt(1)
})
const signHashes = Int32Array.from({ length: 128 }, (_, code) => tokenHash(String.fromCharCode(code)))
