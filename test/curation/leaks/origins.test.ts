import fc from "fast-check"
import { expect, test } from "vitest"
import { notStated } from "../../../src/core/task/rights.ts"
import { type Ancestor, originsOf } from "../../../src/curation/leaks/origins.ts"

const digits = fc.integer({ min: 0, max: 9 }).map(String)
const source = fc.option(fc.constantFrom("letters", "forum", "chat"), { nil: undefined })
const parents = fc.array(digits, { maxLength: 3 })
const graph = fc.dictionary(digits, fc.record({ source, parents }), { maxKeys: 10 })
const trained = fc.dictionary(
  digits,
  fc.record({ source, parents, model: fc.option(fc.constantFrom("m:one", "m:two"), { nil: undefined }) }),
)

test("a row counts once for each source that anything it was grown from has, whatever the paths and circles", () => {
  fc.assert(
    fc.property(trained, graph, (rows, ancestors) => {
      const expected: Record<string, number> = {}
      for (const [id, row] of Object.entries(rows)) {
        const reached = new Set(row.parents)
        for (const each of reached)
          for (const parent of each === id ? [] : (ancestors[each]?.parents ?? [])) reached.add(parent)
        reached.delete(id)
        const found = new Set(
          [row.source, ...[...reached].map((each) => ancestors[each]?.source)].filter((name) => name !== undefined),
        )
        for (const name of found.size === 0 ? [notStated] : found) expected[name] = (expected[name] ?? 0) + 1
      }
      let asked = 0
      const origins = originsOf(
        Object.entries(rows).map(([id, { source: own, model, parents: of }]) => ({
          id: `ex_${id}`,
          provenance: {
            strategy: "x",
            acceptedBy: "x",
            parents: of.map((parent) => `cand_${parent}`),
            ...(own === undefined ? {} : { source: own }),
            ...(model === undefined ? {} : { model }),
          },
        })),
        () => {
          asked++
          return Object.entries(ancestors).map(([id, row]): Ancestor => ({ id: `seed_${id}`, ...row }))
        },
      )
      expect(Object.fromEntries(origins.sources)).toEqual(expected)
      const models = Object.values(rows).flatMap(({ model }) => model ?? [])
      expect([...origins.generators.values()].reduce((sum, count) => sum + count, 0)).toBe(models.length)
      // Where nothing was grown no other row is read.
      expect(asked).toBe(Object.values(rows).some(({ parents: of }) => of.length > 0) ? 1 : 0)
    }),
  )
})
