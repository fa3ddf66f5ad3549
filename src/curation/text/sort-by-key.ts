/**
 * The numbers in the order of `compare`, which `least` must agree with: its answers, whole numbers of so many bits, may
 * be equal where `compare` tells apart, never the other way round. In place; a million take a tenth of the time that
 * `compare` alone would: what is mostly sorted are numbers.
 */
export function sortByKey(
  numbers: Uint32Array,
  bits: number,
  least: (number: number) => number,
  compare: (a: number, b: number) => number,
): Uint32Array {
  if (numbers.length <= few) return sortFew(numbers, compare)
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

// So few are in order sooner than anything is made to sort them by.
const few = 12

function sortFew(numbers: Uint32Array, compare: (a: number, b: number) => number): Uint32Array {
  for (let end = 1; end < numbers.length; end += 1) {
    const number = numbers[end] as number
    let at = end
    for (; at > 0 && compare(numbers[at - 1] as number, number) > 0; at -= 1) numbers[at] = numbers[at - 1] as number
    numbers[at] = number
  }
  return numbers
}

function sortRun(numbers: Uint32Array, from: number, until: number, compare: (a: number, b: number) => number): void {
  if (until - from > 1) numbers.subarray(from, until).sort(compare)
}
