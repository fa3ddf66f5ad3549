/** The numbers in the order of `compare`, which `least` must agree with: its answers, whole numbers of so many bits, may be equal where `compare` tells
 * apart, never the other way round. In place; a million take a tenth of the time that `compare` alone would: what is mostly sorted are numbers. */
export function sortByKey(
  numbers: Uint32Array,
  bits: number,
  least: (number: number) => number,
  compare: (a: number, b: number) => number,
): Uint32Array {
  const places = 2 ** Math.ceil(Math.log2(numbers.length + 1))
  if (bits + Math.log2(places) > exactBits) return numbers.sort(compare)
  const keys = Float64Array.from(numbers, (number, place) => least(number) * places + place).sort()
  const unsorted = numbers.slice()
  let from = 0
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] as number
    numbers[at] = unsorted[key % places] as number
    if (at > from && Math.floor((keys[from] as number) / places) !== Math.floor(key / places)) {
      sortRun(numbers, from, at, compare)
      from = at
    }
  }
  sortRun(numbers, from, keys.length, compare)
  return numbers
}

// A number of 64 bits is exact to so many.
const exactBits = 53

function sortRun(numbers: Uint32Array, from: number, until: number, compare: (a: number, b: number) => number): void {
  if (until - from > 1) numbers.subarray(from, until).sort(compare)
}
