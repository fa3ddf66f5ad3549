import fc from "fast-check"
import { expect, test } from "vitest"
import { foldForComparison } from "../../../src/curation/text/normalise.ts"
import { bareWord, signedWords, tokenHash, WordHashes, wordHash } from "../../../src/curation/text/word-hashes.ts"

test("gives the hashes of the words and signs that folding the text gives, and which are numbers", () => {
  const hashes = new WordHashes()
  const plain = fc.string({ unit: fc.constantFrom(..."aBz09 \t\n.,;:!?'\"()[]{}_-+$^`~|<>=#%&*@/\\"), maxLength: 60 })
  const any = fc.string({
    unit: fc.oneof(
      fc.constantFrom(..." aZ.\u0000\u007f\r\v"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    ),
    maxLength: 40,
  })
  fc.assert(
    fc.property(fc.oneof(plain, any, fc.string({ unit: "binary" })), (text) => {
      hashes.read(text)
      const folded = foldForComparison(text)
      const tokens = folded.split(" ")
      expect([...hashes.hashes.subarray(0, hashes.count)]).toEqual(tokens.map(tokenHash))
      expect([...hashes.words.subarray(0, hashes.wordCount)]).toEqual(signedWords(folded).map(wordHash))
      expect([...hashes.bareWords.subarray(0, hashes.wordCount)]).toEqual(
        signedWords(folded).map(bareWord).map(tokenHash),
      )
      expect([...hashes.areNumbers.subarray(0, hashes.count)]).toEqual(
        tokens.map((token) => Number(/[0-9]/.test(token))),
      )
      expect(hashes.hasNumbers).toBe(/[0-9]/.test(folded))
    }),
    { seed: 12, numRuns: 3000 },
  )
})

test("reads a text of many words after one of few", () => {
  const hashes = new WordHashes()
  hashes.read("one")
  hashes.read("a ".repeat(5000))
  expect(hashes.count).toBe(5000)
  expect(new Set(hashes.hashes.subarray(0, 5000)).size).toBe(1)
})
