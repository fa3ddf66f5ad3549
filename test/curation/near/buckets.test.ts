import { expect, test } from "vitest"
import { headerNumbers, Buckets } from "../../../src/curation/near/buckets.ts"
import { seeded } from "../../seeded.ts"

test("lists keep every header in order while they move within a memory and from one to the next", () => {
  const random = seeded(14)
  const buckets = new Buckets(1 << 17)
  const lists: { list: number; places: number[] }[] = []
  const header = Int32Array.from({ length: headerNumbers }, () => 7)
  for (let place = 0; place < 12_000; place += 1) {
    header[0] = place
    const known = lists[Math.floor(random() ** 2 * 60)]
    if (known === undefined) lists.push({ list: buckets.start(header, 0), places: [place] })
    else {
      known.list = buckets.add(known.list, header, 0)
      known.places.push(place)
    }
  }
  // More than one memory, and not much more than what the headers take.
  expect(buckets.bytes).toBeGreaterThan(2 ** 17 * 2)
  expect(buckets.bytes).toBeLessThan(12_000 * 32 * 5)
  buckets.ask(header)
  for (const { list, places } of lists) {
    const found: number[] = []
    for (let next = 0, isFirst = true; isFirst || next > 0; isFirst = false) {
      const count = buckets.scan(list, next, 0.8)
      found.push(...buckets.found.subarray(0, count))
      next = buckets.stopped(list)
    }
    expect(found).toEqual(places)
  }
})

test("the first header of a list is kept where the memory grows for it", () => {
  const buckets = new Buckets()
  const header = new Int32Array(headerNumbers)
  const lists = Array.from({ length: 5000 }, (_, place) => {
    header[0] = place
    return buckets.start(header, 0)
  })
  buckets.ask(header)
  for (const [place, list] of lists.entries()) {
    expect(buckets.scan(list, 0, 0.8)).toBe(1)
    expect(buckets.found[0]).toBe(place)
  }
})

test("a scan leaves out what sizes or bitSketch rule out, and nothing at the threshold", () => {
  const buckets = new Buckets()
  // Of 100 and 100 hashes 20 may differ at 0.8: 22 bits may, 24 may not.
  const bits = (count: number) =>
    Int32Array.from({ length: 6 }, (_, index) => (1 << Math.max(0, Math.min(8, count - 8 * index))) - 1)
  const cardOf = (place: number, size: number, differing: number) => Int32Array.of(place, size, ...bits(differing))
  const headers = [
    cardOf(0, 100, 0),
    cardOf(1, 100, 22),
    cardOf(2, 100, 24),
    cardOf(3, 80, 0),
    cardOf(4, 79, 0),
    cardOf(5, 125, 25),
    cardOf(6, 126, 0),
  ]
  let list = buckets.start(headers[0] as Int32Array, 0)
  for (const header of headers.slice(1)) list = buckets.add(list, header, 0)
  buckets.ask(cardOf(-1, 100, 0))
  const count = buckets.scan(list, 0, 0.8)
  expect([...buckets.found.subarray(0, count)]).toEqual([0, 1, 3, 5])
})
