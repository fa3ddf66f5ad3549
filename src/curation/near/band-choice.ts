import { bandChoices, bandsFor, missRateFor, type Bands } from "./bands.ts"
import { SimilarSets } from "./similar-sets.ts"
import { Sketcher, sketchPlan, type TextCut } from "./sketcher.ts"

// What a text costs, in nanoseconds as measured on one core of an AMD EPYC: a permutation of a hash, a band (its key is
// looked up and added), and a text with the same key that is looked at. Only their proportions matter.
const permutationCost = 0.11
const bandCost = 100
const lookCost = 20
// So many texts show how often keys meet, by so many bands.
const mostTried = 1000
const bandsTried = 4

/**
 * The bands for so many texts like the sample that cost least; all miss the same share of pairs right at the threshold.
 * Few rows a band need few bands and permutations, but where texts share phrases more of them meet in a band. 2 to 4
 * rows are tried: the bands of more would take too much memory.
 */
export function cheapestBands(sample: readonly string[], cut: TextCut, threshold: number, texts: number): Bands {
  const step = Math.ceil(sample.length / mostTried)
  const tried = keptOf(
    sample.filter((_, index) => index % step === 0),
    cut,
    threshold,
  )
  const choices = bandChoices(threshold, missRateFor(texts)).filter(({ rows }) => rows >= 2 && rows <= 4)
  let best = bandsFor(threshold, missRateFor(texts))
  let least = Infinity
  for (const bands of choices) {
    const { meetings, hashes } = measure(
      tried,
      new Sketcher({ ...sketchPlan(cut, threshold), bands: { ...bands, count: Math.min(bands.count, bandsTried) } }),
      bands,
    )
    const looks = (meetings * texts) / Math.max(1, tried.length) ** 2
    const cost =
      permutationCost * bands.count * bands.rows * (hashes / Math.max(1, tried.length)) +
      bandCost * bands.count +
      lookCost * looks
    if (cost < least) {
      least = cost
      best = bands
    }
  }
  return best
}

/** The texts that keep-first keeps: those that it drops are never met. */
function keptOf(texts: readonly string[], cut: TextCut, threshold: number): string[] {
  const plan = sketchPlan(cut, threshold)
  const sketcher = new Sketcher(plan)
  const sets = new SimilarSets(threshold, plan.bands.count)
  return texts.filter((text) => {
    const sketch = sketcher.sketch(text)
    let isNear = false
    sets.visit(sketch, () => {
      isNear = true
      return true
    })
    if (!isNear) sets.add(sketch)
    return !isNear
  })
}

/** How many pairs of the texts share a key, over all bands, and how many hashes they have. */
function measure(texts: readonly string[], sketcher: Sketcher, { count }: Bands): { meetings: number; hashes: number } {
  const measured = Math.min(count, bandsTried)
  const known = Array.from({ length: measured }, () => new Map<number, number>())
  let [meetings, hashes] = [0, 0]
  for (const text of texts) {
    const { numbers, keys, size } = sketcher.sketch(text)
    hashes += size
    for (const [band, counts] of known.entries()) {
      const key = numbers[keys + band] as number
      const before = counts.get(key) ?? 0
      meetings += before
      counts.set(key, before + 1)
    }
  }
  return { meetings: (meetings * count) / measured, hashes }
}
