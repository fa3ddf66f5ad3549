import type { NumberRule } from "../../core/task/number-rule.ts"
import { IdTable } from "../../core/id-table.ts"
import { missRateFor } from "../near/bands.ts"
import type { TextSample } from "../near/boilerplate.ts"
import { Groups } from "../rows/groups.ts"
import { groupsOf, joinKeys, shareOut } from "../rows/key-groups.ts"
import { defaultThreshold, shingler } from "../near/shingles.ts"
import { SimilarSets } from "../near/similar-sets.ts"
import { Sketcher, sketchPlan } from "../near/sketcher.ts"

/** Texts that are known by their numbers, from zero on. */
export interface NumberedTexts {
  readonly count: number
  /** May read the text anew whenever it is asked for. */
  text(number: number): string
}

/** What makes two texts near-duplicates. */
export interface GroupingOptions {
  /** Default by how texts are cut. */
  readonly threshold?: number | undefined
  /** `keep` by default. */
  readonly numbers?: NumberRule | undefined
}

/**
 * The groups of texts that are linked by near-duplicates. For the unit of splitting only: two members of a group may be
 * far from each other. The order of the texts does not matter; `sample` has seen all of them.
 *
 * Each text is read once, and those that share a key with another one once more. Memory: 4 bytes a text and band, 30
 * bytes a text, and what near-duplicates need for a part of them.
 */
export function groupTexts(texts: NumberedTexts, sample: TextSample, options: GroupingOptions = {}): Groups {
  const grouping = groupingOf(texts, sample, options)
  for (;;) {
    const step = grouping.next()
    if (step.done) return step.value
  }
}

/** The same in pieces: it yields after every 1024 texts. */
export function* groupingOf(
  texts: NumberedTexts,
  sample: TextSample,
  { threshold, numbers }: GroupingOptions = {},
): Generator<void, Groups> {
  const groups = new Groups(texts.count)
  const cut = shingler(sample.texts(), numbers)
  const least = threshold ?? defaultThreshold(cut.name)
  const plan = sketchPlan(cut, least, missRateFor(texts.count))
  const sketcher = new Sketcher(plan)
  const bands = plan.bands.count
  const prints = new IdTable()
  // The first text with each print.
  const firsts = new Uint32Array(texts.count)
  const keys = Array.from({ length: bands }, () => new Int32Array(texts.count))
  for (let number = 0; number < texts.count; number += 1) {
    if (number % textsAPiece === 0) yield
    const sketch = sketcher.sketch(texts.text(number))
    const print = sketcher.lastPrint()
    const place = prints.size
    if (!prints.add(...print)) {
      groups.join(firsts[prints.find(...print)] as number, number)
      continue
    }
    firsts[place] = number
    for (let band = 0; band < bands; band += 1)
      (keys[band] as Int32Array)[place] = sketch.numbers[sketch.keys + band] as number
  }
  const parts = Math.min(mostParts, Math.ceil(prints.size / textsAPart))
  const joined = joinKeys(keys.map((all) => all.subarray(0, prints.size)))
  const places = Uint32Array.from({ length: prints.size }, (_, place) => place)
  for (const { rows: part } of shareOut(
    groupsOf(places, [joined], () => true),
    parts,
  )) {
    const sets = new SimilarSets(least, bands, part.length)
    const numbers: number[] = []
    for (const place of part) {
      if (numbers.length % textsAPiece === 0) yield
      const number = firsts[place] as number
      const sketch = sketcher.sketch(texts.text(number))
      const join = (other: number) => {
        groups.join(numbers[other] as number, number)
        return false
      }
      sets.visit(sketch, join, { isWanted: (other) => groups.of(numbers[other] as number) !== groups.of(number) })
      sets.add(sketch)
      numbers.push(number)
    }
  }
  return groups
}

const [textsAPart, mostParts, textsAPiece] = [1 << 14, 64, 1024] as const
