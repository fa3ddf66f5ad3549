import { joinHash, mixBits } from "../text/hashing.ts"

/** How band keys are made of a text's least permuted hashes. */
export interface Bands {
  readonly count: number
  readonly rows: number
}

// So large a share of the pairs right at the threshold may be missed where there are many texts. Of a hundred thousand
// texts of which a third are copies that is less than one in a hundred runs with one row decided otherwise.
const usualMissRate = 1e-5
// Up to so many texts more bands cost next to nothing, and no pair is missed in practice.
const fewTexts = 20_000

/** What share of the pairs right at the threshold an index of so many texts may miss. */
export function missRateFor(texts: number): number {
  return texts <= fewTexts ? 1e-9 : usualMissRate
}

// More bands than this cost more than the false candidates that fewer rows a band let through.
const mostBands = 128

/**
 * The most rows a band, up to 3, and so many bands that a pair at the threshold is missed with `missRate`: (1 −
 * t^rows)^bands (Leskovec, Rajaraman, Ullman, ch. 3). At 3 rows and 1 in 100,000: 17 bands for 0.8, 28 for 0.7; more
 * rows would need many more.
 */
export function bandsFor(threshold: number, missRate = usualMissRate): Bands {
  const choices = bandChoices(threshold, missRate)
  return choices.find(({ rows }) => rows === 3) ?? (choices.at(-1) as Bands)
}

/**
 * For each number of rows a band that makes sense so many bands that a pair at the threshold is missed with `missRate`.
 */
export function bandChoices(threshold: number, missRate = usualMissRate): Bands[] {
  const choices = [1, 2, 3, 4, 5, 6].map((rows) => ({
    rows,
    count: Math.max(1, Math.ceil(Math.log(missRate) / Math.log1p(-(threshold ** rows)))),
  }))
  return choices.filter(({ rows, count }) => rows === 1 || count <= mostBands)
}

/** The multiplier of each row of each band, odd: multiplying by it permutes the 32-bit numbers. */
export function multipliersOf({ count, rows }: Bands): Int32Array {
  return Int32Array.from({ length: count * rows }, (_, index) => mixBits(joinHash(1, index)) | 1)
}
