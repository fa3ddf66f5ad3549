import { expect, test } from "vitest"
import { cardNumbers, Crowds } from "../../../src/curation/near/crowds.ts"
import { seeded } from "../../seeded.ts"

test("lists keep every card in order while they move within a memory and from one to the next", () => {
  const random = seeded(14)
  const crowds = new Crowds(1 << 17)
  const lists: { list: number; places: number[] }[] = []
  const card = Int32Array.from({ length: cardNumbers }, () => 7)
  for (let place = 0; place < 12_000; place += 1) {
    card[0] = place
    const known = lists[Math.floor(random() ** 2 * 60)]
    if (known === undefined) lists.push({ list: crowds.start(card, 0), places: [place] })
    else {
      known.list = crowds.add(known.list, card, 0)
      known.places.push(place)
    }
  }
  // More than one memory, and not much more than what the cards take.
  expect(crowds.bytes).toBeGreaterThan(2 ** 17 * 2)
  expect(crowds.bytes).toBeLessThan(12_000 * 32 * 5)
  crowds.ask(card)
  for (const { list, places } of lists) {
    const found: number[] = []
    for (let next = 0, isFirst = true; isFirst || next > 0; isFirst = false) {
      const count = crowds.scan(list, next, 0.8)
      found.push(...crowds.found.subarray(0, count))
      next = crowds.stopped(list)
    }
    expect(found).toEqual(places)
  }
})

test("the first card of a list is kept where the memory grows for it", () => {
  const crowds = new Crowds()
  const card = new Int32Array(cardNumbers)
  const lists = Array.from({ length: 5000 }, (_, place) => {
    card[0] = place
    return crowds.start(card, 0)
  })
  crowds.ask(card)
  for (const [place, list] of lists.entries()) {
    expect(crowds.scan(list, 0, 0.8)).toBe(1)
    expect(crowds.found[0]).toBe(place)
  }
})

test("a scan leaves out what sizes or parities rule out, and nothing at the threshold", () => {
  const crowds = new Crowds()
  // Of 100 and 100 hashes 20 may differ at 0.8: 22 bits may, 24 may not.
  const bits = (count: number) =>
    Int32Array.from({ length: 6 }, (_, index) => (1 << Math.max(0, Math.min(8, count - 8 * index))) - 1)
  const cardOf = (place: number, size: number, differing: number) => Int32Array.of(place, size, ...bits(differing))
  const cards = [
    cardOf(0, 100, 0),
    cardOf(1, 100, 22),
    cardOf(2, 100, 24),
    cardOf(3, 80, 0),
    cardOf(4, 79, 0),
    cardOf(5, 125, 25),
    cardOf(6, 126, 0),
  ]
  let list = crowds.start(cards[0] as Int32Array, 0)
  for (const card of cards.slice(1)) list = crowds.add(list, card, 0)
  crowds.ask(cardOf(-1, 100, 0))
  const count = crowds.scan(list, 0, 0.8)
  expect([...crowds.found.subarray(0, count)]).toEqual([0, 1, 3, 5])
})
