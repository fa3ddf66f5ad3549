import { expect, test } from "vitest"
import { Witness, type WitnessNotes } from "../../../src/curation/leaks/witness.ts"
import { witnessIndex } from "../../../src/curation/leaks/witness-index.ts"
import { mostMissed } from "../../../src/curation/leaks/witness-near.ts"
import { similarityOf } from "../near/made-texts.ts"
import { seeded } from "../../seeded.ts"

const random = seeded(31)
const word = () => Array.from({ length: 5 }, () => "abcdefghijklmnopqrstuvwxyz"[Math.floor(random() * 26)]).join("")
const heldOut = Array.from({ length: 20 }, (_, number) => ({
  id: `seed_${number}`,
  text: Array.from({ length: 12 }, word).join(" "),
}))
const index = witnessIndex({ heldOut, heldOutIds: new Set(), threshold: 0.7, ngram: 20 })
const textAt = (number: number) => heldOut[number % heldOut.length]?.text.split(" ") ?? []

/** Rows that lack a word of a held-out text. */
const nearRows = (count: number) =>
  rowsOf("near", count, (number) =>
    textAt(number)
      .toSpliced((number * 7) % 12, 1)
      .join(" "),
  )
/** Rows of the words of two held-out texts: they share much with both, and are near neither. */
const mixedRows = (count: number) =>
  rowsOf("mixed", count, (number) => [...textAt(number).slice(0, 6), ...textAt(number + 1).slice(6)].join(" "))
/** Rows with another letter in one to four words of a held-out text: some are near it. */
const editedRows = (count: number) =>
  rowsOf("edited", count, (number) =>
    textAt(number)
      .map((old, place) =>
        place % 3 === 1 && place <= 3 * (number % 4) + 1 ? `${old.slice(0, 2)}ø${old.slice(3)}` : old,
      )
      .join(" "),
  )

type Row = ReturnType<typeof rowsOf>[number]

function rowsOf(kind: string, count: number, textOf: (number: number) => string) {
  return Array.from({ length: count }, (_, number) => ({
    id: `ex_${kind}${number}`,
    parents: [],
    text: textOf(number),
  }))
}

function seenIn(batches: readonly (readonly Row[])[], seed: number, mostPairs?: number): WitnessNotes {
  const witness = new Witness(index, seed, mostPairs)
  for (const rows of batches) {
    for (const row of rows) witness.look(row)
    witness.endBatch()
  }
  return witness.notes()
}

const idsIn = ({ found }: WitnessNotes) => found.filter(({ check }) => check === "near").map(({ train }) => train)

test("up to the most pairs of a batch every near row is found, and none is said to be missed", () => {
  const rows = [...nearRows(100), ...mixedRows(100), ...editedRows(150)]
  const wanted = rows.filter(({ text }) => heldOut.some((held) => similarityOf(held.text, text) >= 0.7))
  const all = seenIn([rows], 1)
  expect(wanted.length).toBeGreaterThan(110)
  expect(idsIn(all)).toEqual(wanted.map(({ id }) => id))
  expect(all.near.candidates).toBeGreaterThan(wanted.length)
  expect(all.near).toMatchObject({ compared: all.near.candidates, share: 1 })
  expect(mostMissed(all.near)).toBe(0)
  expect(seenIn([rows], 2, all.near.pairs)).toEqual(all)
})

test("beyond that a sample is compared: of the share that the pairs allow, the same for the same seed alone", () => {
  const rows = nearRows(400)
  const { pairs } = seenIn([rows], 1).near
  const [first, second] = [1, 2].map((seed) => seenIn([rows], seed, pairs / 4)) as [WitnessNotes, WitnessNotes]
  for (const { near, found } of [first, second]) {
    expect(near).toEqual({ candidates: 400, compared: found.length, pairs, share: 0.25 })
    // A hundred, within four standard deviations.
    expect(Math.abs(near.compared - 100)).toBeLessThan(35)
  }
  expect(seenIn([rows.toReversed()], 1, pairs / 4).found).toEqual(first.found.toReversed())
  const inBoth = idsIn(first).filter((id) => idsIn(second).includes(id))
  // A quarter of a hundred if the samples have nothing to do with each other.
  expect(inBoth.length).toBeGreaterThan(5)
  expect(inBoth.length).toBeLessThan(45)
})

test("more near rows than are said to be missed at most stay unseen in less than one of twenty samples", () => {
  const unseen = (near: number) => {
    const rows = [...nearRows(near), ...mixedRows(5)]
    const { pairs } = seenIn([rows], 1).near
    const samples = Array.from({ length: 1000 }, (_, seed) => seenIn([rows], seed, pairs / 4))
    return samples.filter(({ found }) => found.length === 0)
  }
  const clean = unseen(11)
  expect(clean.length).toBeGreaterThan(20)
  expect(clean.length).toBeLessThan(50)
  expect(new Set(clean.map(({ near }) => mostMissed(near)))).toEqual(new Set([10]))
  // Fewer are seen less often: the bound is no larger than it must be.
  expect(unseen(9).length).toBeGreaterThan(50)
})

test("a batch below the limit is compared as a whole, and the bound is that of the one compared least", () => {
  const [small, large] = [nearRows(5), nearRows(400)]
  const { pairs } = seenIn([large], 1).near
  const both = seenIn([small, large], 1, pairs / 4)
  const alone = seenIn([large], 1, pairs / 4)
  expect(both.near).toMatchObject({ candidates: 405, compared: 5 + alone.near.compared, share: 0.25 })
  expect(mostMissed(both.near)).toBe(10)
})

test("no more rows are said to be missed than were left out", () => {
  expect(mostMissed({ candidates: 100, compared: 97, pairs: 1000, share: 0.01 })).toBe(3)
})
