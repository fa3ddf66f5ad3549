import { readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { compiledModule, sources } from "../../../assembly/compile.ts"
import { foldForComparison } from "../../../src/curation/text/normalise.ts"
import { lengthProblem, mostCharacters, Sketcher, type ShinglerName } from "../../../src/curation/near/sketcher.ts"
import { textsWithCopies } from "./made-texts.ts"
import { seeded } from "../../seeded.ts"

test.each(sources)("the committed WebAssembly is what %s.ts compiles to (npm run wasm)", async (source) => {
  const committed = readFileSync(
    join(import.meta.dirname, "..", "..", "..", "src", "curation", "near", `${source}-code.ts`),
    "utf8",
  )
  expect(committed === (await compiledModule(source))).toBe(true)
})

describe.each(["word-5", "char-4"] as const)("%s", (shingles) => {
  const sketcher = new Sketcher({ shingles, bands: { count: 16, rows: 4 } })

  // A hash stands for one gram and a gram for one hash, in the order of the text: what is compared is what the
  // normaliser says.
  test.each([
    ["words and punctuation", fc.string({ unit: fc.constantFrom(..."aAbZz09 \t\n\r.,;-_'\"$+<%©é"), maxLength: 90 })],
    ["any characters", fc.string({ unit: "binary", maxLength: 40 })],
    ["any writing", fc.string({ unit: "grapheme", maxLength: 40 })],
    [
      "what depends on neighbours",
      fc.string({
        unit: fc.constantFrom(..."ΣσΑa \u0301\u0327\u00adeＡ½…ﬁ각가한ﾞカ👍🏽\ufe0f\u200d\u0000\u001f\u007f\ud800"),
        maxLength: 40,
      }),
    ],
    [
      "long words",
      fc
        .array(fc.string({ unit: fc.constantFrom(..."abcdé"), minLength: 6, maxLength: 40 }), { maxLength: 12 })
        .map((words) => words.join(" ")),
    ],
  ])("%s are cut as strings are", (_name, texts) => {
    const hashOf = new Map<string, number>()
    const gramOf = new Map<number, string>()
    fc.assert(
      fc.property(texts, (text) => {
        const grams = gramsOf(text, shingles)
        const { hashes } = sketchOf(sketcher, text)
        expect(hashes.length, JSON.stringify(text)).toBe(grams.length)
        for (const [index, gram] of grams.entries()) {
          const hash = hashes[index] as number
          expect([hashOf.get(gram) ?? hash, gramOf.get(hash) ?? gram], JSON.stringify(text)).toEqual([hash, gram])
          hashOf.set(gram, hash)
          gramOf.set(hash, gram)
        }
      }),
      { seed: 9, numRuns: 400 },
    )
    expect(hashOf.size).toBeGreaterThan(200)
  })

  test("a text beyond the memory is refused, and the next one has its sketch", () => {
    const sketcher = new Sketcher({ shingles })
    expect(lengthProblem("é".repeat(100))).toBeUndefined()
    expect(lengthProblem("x".repeat(mostCharacters + 1))).toContain("at most 33554432 can be compared")
    expect(() => sketcher.sketch("x".repeat(3 * mostCharacters))).toThrow("too long to be compared")
    expect(sketcher.sketch("one short text").size).toBeGreaterThan(0)
  })

  test("a text of any length has its sketch, and the next one is not touched by it", () => {
    const long = Array.from({ length: 3000 }, (_, n) => `word${n} é`).join(" ")
    const before = sketchOf(sketcher, "where is my card ?")
    expect(sketchOf(sketcher, long).hashes.length).toBe(gramsOf(long, shingles).length)
    expect(sketchOf(sketcher, " \u0000 ").hashes.length).toBe(1)
    expect(sketchOf(sketcher, "Where is my card?")).toEqual(before)
  })

  test("the fingerprint tells folded texts apart", () => {
    const prints = (text: string) => sketcher.fingerprint(text).join()
    expect(prints("Where is “my” CARD?")).toBe(prints('where is "my" card ?'))
    expect(prints("What is -5?")).not.toBe(prints("What is 5?"))
    expect(new Set(textsWithCopies(500, 3).map(prints)).size).toBe(
      new Set(textsWithCopies(500, 3).map(foldForComparison)).size,
    )
  })
})

test("so many pairs share a band key as their similarity says", () => {
  const random = seeded(5)
  const sketcher = new Sketcher({ shingles: "word-5", bands: { count: 128, rows: 1 } })
  const word = () =>
    Math.floor(random() * 1e9)
      .toString(26)
      .replace(/[0-9]/g, (digit) => "qrstuvwxyz"[Number(digit)] as string)
  for (const shared of [20, 60, 90]) {
    // Runs of whole words in common: the similarity follows from the counts.
    const common = Array.from({ length: shared + 4 }, word)
    const own = () => Array.from({ length: 100 - shared }, word)
    let hits = 0
    for (let round = 0; round < 40; round += 1) {
      const [a, b] = [[...common, ...own()].join(" "), [...common, ...own()].join(" ")]
      const keys = sketchOf(sketcher, a, 128).keys
      const others = sketchOf(sketcher, b, 128).keys
      hits += keys.filter((key, band) => key === others[band]).length
    }
    expect(hits / (40 * 128)).toBeCloseTo(shared / (200 - shared), 1)
  }
})

/** A copy of the sketch. */
function sketchOf(sketcher: Sketcher, text: string, bands = 16): { hashes: number[]; keys: number[] } {
  const { numbers, hashes, size, keys } = sketcher.sketch(text)
  return { hashes: [...numbers.subarray(hashes, hashes + size)], keys: [...numbers.subarray(keys, keys + bands)] }
}

/**
 * The distinct grams of the folded text in order, with its numbers; one of the whole for a short text, none told apart
 * for an empty one.
 */
function gramsOf(text: string, shingles: ShinglerName): string[] {
  const folded = foldForComparison(text)
  const numbers = folded.split(" ").filter((word) => /[0-9]/.test(word))
  return plainGrams(folded, shingles).map((gram) => [gram, ...numbers].join("|"))
}

function plainGrams(folded: string, shingles: ShinglerName): string[] {
  const [units, size, glue] = shingles === "word-5" ? [folded.split(" "), 5, " "] : [[...folded], 4, ""]
  if (units.length <= size) return [folded]
  return [
    ...new Set(
      Array.from({ length: units.length - size + 1 }, (_, start) => units.slice(start, start + size).join(glue)),
    ),
  ]
}
