import fc from "fast-check"
import { expect, test } from "vitest"
import { digits } from "../../../src/curation/leaks/lineage.ts"
import { erasureReach, type PlacedRow } from "../../../src/curation/leaks/erasure-reach.ts"

const id = fc
  .tuple(fc.constantFrom("seed", "cand", "ex"), fc.integer({ min: 0, max: 9 }))
  .map(([kind, number]) => `${kind}_${number}`)
const row: fc.Arbitrary<PlacedRow> = fc.record({
  id,
  place: fc.constantFrom("seeds.jsonl", "versions/ds_1/train.jsonl"),
  input: fc.option(fc.constantFrom("a", "b", "c", "d", "e", "f"), { nil: undefined }),
  parents: fc.array(id, { maxLength: 2 }),
  witness: fc.option(id, { nil: undefined }),
})

test(
  "what goes is closed: no row that stays has the content of one that goes or was grown from it, and none " +
    "goes without such a reason",
  () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 25 }), fc.uniqueArray(id, { maxLength: 2 }), (rows, named) => {
        // The rows come anew each time, as from a file.
        const { reached, nearCopies } = erasureReach(
          { [Symbol.iterator]: () => rows[Symbol.iterator]() },
          new Set(named),
        )
        const gone = new Set(reached.map((each) => digits(each.id)))
        const isNamed = (each: PlacedRow) => named.some((name) => digits(name) === digits(each.id))
        const going = rows.filter((each) => gone.has(digits(each.id)))
        const contents = new Set(going.flatMap(({ input }) => (input === undefined ? [] : [input])))
        const isKin = (each: PlacedRow) =>
          each.parents.some(
            (parent) => gone.has(digits(parent)) || named.some((name) => digits(name) === digits(parent)),
          )
        for (const each of rows)
          if (!gone.has(digits(each.id)))
            expect(isNamed(each) || isKin(each) || (each.input !== undefined && contents.has(each.input))).toBe(false)
        for (const { id: name, why, places, contents: told } of reached) {
          const own = rows.filter((each) => digits(each.id) === digits(name))
          expect(places).toEqual([...new Set(own.map(({ place }) => place))].sort())
          expect(told).toHaveLength(new Set(own.flatMap(({ input }) => (input === undefined ? [] : [input]))).size)
          if (why === "named") expect(own.some(isNamed)).toBe(true)
          if (why === "descendant") expect(own.some(isKin)).toBe(true)
          const others = new Set(
            rows.flatMap((each) => (gone.has(digits(each.id)) && digits(each.id) !== digits(name) ? [each.input] : [])),
          )
          if (why === "same content")
            expect(own.some(({ input }) => input !== undefined && others.has(input))).toBe(true)
        }
        const isGone = (name: string | undefined) => name !== undefined && gone.has(digits(name))
        const near = rows.flatMap(({ id: name, witness }) =>
          witness === undefined || isGone(name) === isGone(witness) ? [] : [isGone(name) ? witness : name],
        )
        expect(nearCopies).toEqual([...new Set(near)].sort())
        if (named.length === 0) expect(reached).toEqual([])
      }),
    )
  },
)

test("a row is reached through rows that stand behind it", () => {
  const placed = (name: string, input: string, parents: string[] = []): PlacedRow => ({
    id: name,
    place: "p",
    input,
    parents,
  })
  const rows = [
    placed("ex_1", "a", ["cand_2"]),
    placed("cand_2", "b"),
    placed("cand_3", "b", ["cand_4"]),
    placed("cand_4", "c", ["seed_5"]),
  ]
  const { reached } = erasureReach(rows, new Set(["seed_5"]))
  expect(reached.map(({ id: name, why }) => `${name} ${why}`)).toEqual([
    "cand_2 same content",
    "cand_3 descendant",
    "cand_4 descendant",
    "ex_1 descendant",
  ])
})

// Two people wrote the same to different addresses: in a version with pseudonyms their rows are alike.
test.each<[string, unknown]>([
  ["an address", { body: "write to [EMAIL_1] please" }],
  ["two numbers", { body: "call [PHONE_1] or [PHONE_2]" }],
  ["a name in a turn of a chat", { messages: [{ role: "user", content: "I am [NAME_1]" }] }],
  ["a secret below the first field", { order: { note: ["[SECRET_1]"] } }],
])("with %s replaced, another person's row stays and is named as a near copy", (_name, replaced) => {
  const row = (id: string, input: unknown, place = "seeds.jsonl"): PlacedRow => ({ id, place, input, parents: [] })
  const rows = [
    row("seed_1", { body: "write to a@example.com please" }),
    row("seed_2", { body: "write to b@example.com please" }),
    row("seed_3", { body: "write to a@example.com please" }),
    row("ex_1", replaced, "versions/ds_1/train.jsonl"),
    { ...row("ex_2", replaced, "versions/ds_1/dropped.jsonl"), witness: "ex_1" },
  ]
  const { reached, nearCopies } = erasureReach(rows, new Set(["seed_1"]))
  // The same person's second row goes by what was written, and every place by its id.
  expect(reached.map(({ id, why, places }) => [id, why, places])).toEqual([
    ["seed_1", "named", ["seeds.jsonl", "versions/ds_1/train.jsonl"]],
    ["seed_3", "same content", ["seeds.jsonl"]],
  ])
  expect(nearCopies).toEqual(["ex_2"])
  // Nor does the tombstone name what they have in common, so that no import of it is refused.
  expect(reached[0]?.contents).toHaveLength(1)
})
