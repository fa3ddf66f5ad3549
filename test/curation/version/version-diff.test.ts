import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonicalJson } from "../../../src/core/canonical.ts"
import type { DroppedExample, Example } from "../../../src/core/rows/example.ts"
import type { DatasetManifest } from "../../../src/core/rows/manifests.ts"
import { diffVersions, type FrozenVersion } from "../../../src/curation/version/version-diff.ts"

/** What became of a row in a version: trained on with a text, dropped for a reason, or not read. */
type Outcome = { readonly text: string } | { readonly reason: "too-long" | "near-duplicate" } | undefined

const outcome = fc.option(
  fc.oneof(
    fc.record({ text: fc.constantFrom("a", "b") }),
    fc.record({ reason: fc.constantFrom("too-long" as const, "near-duplicate" as const) }),
  ),
  { nil: undefined },
)
const pairs = fc.dictionary(fc.stringMatching(/^[0-9a-f]{2}$/), fc.tuple(outcome, outcome), { maxKeys: 30 })

const example = (id: string, text: string): Example => ({
  id,
  input: { text },
  output: "y",
  provenance: { parents: [], strategy: "gold", acceptedBy: "gold" },
})

/** A version of these rows as its files are: train rows by id, dropped ones by reason and id. */
function version(outcomes: readonly (readonly [string, Outcome])[]): FrozenVersion {
  const rows = outcomes.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const train = rows.flatMap(([id, said]) => (said !== undefined && "text" in said ? [example(id, said.text)] : []))
  const dropped = rows.flatMap(([id, said]): DroppedExample[] =>
    said !== undefined && "reason" in said ? [{ ...example(id, "x"), reason: said.reason }] : [],
  )
  return {
    manifest: { id: "ds_1", task: "t", recipe: {} } as unknown as DatasetManifest,
    train,
    dropped: dropped.toSorted((a, b) => (a.reason < b.reason ? -1 : a.reason > b.reason ? 1 : 0)),
  }
}

describe("the difference of two versions", () => {
  test("tells of every row what became of it, and asks for the place of those alone that were not read again", () => {
    fc.assert(
      fc.property(pairs, (byDigits) => {
        const rows = Object.entries(byDigits).map(([name, both]) => [`ex_${name}`, both] as const)
        const [before, after] = [0, 1].map((side) =>
          version(rows.map(([id, both]) => [id, both[side as 0 | 1]] as const)),
        ) as [FrozenVersion, FrozenVersion]
        const asked: string[] = []
        const diff = diffVersions(before, after, (ids) => {
          asked.push(...ids)
          return () => "removed"
        })
        const idsWhere = (isWanted: (was: Outcome, is: Outcome) => boolean) =>
          rows.flatMap(([id, [was, is]]) => (isWanted(was, is) ? [id] : [])).sort()
        const isKept = (said: Outcome) => said !== undefined && "text" in said
        const reasonOf = (said: Outcome) => (said !== undefined && "reason" in said ? said.reason : undefined)
        const ids = (changes: readonly { readonly id: string }[]) => changes.map(({ id }) => id).sort()
        expect(ids(diff.came)).toEqual(idsWhere((was, is) => !isKept(was) && isKept(is)))
        expect(ids(diff.went)).toEqual(idsWhere((was, is) => isKept(was) && !isKept(is)))
        const isChanged = (was: Outcome, is: Outcome) =>
          isKept(was) && isKept(is) && canonicalJson(was) !== canonicalJson(is)
        expect(ids(diff.changed)).toEqual(idsWhere(isChanged))
        expect(ids(diff.out)).toEqual(
          idsWhere((was, is) => !isKept(was) && !isKept(is) && reasonOf(was) !== reasonOf(is)),
        )
        expect(diff.unchanged).toBe(
          rows.filter(([, [was, is]]) => isKept(was) && isKept(is) && !isChanged(was, is)).length,
        )
        expect(asked.sort()).toEqual(idsWhere((was, is) => was !== undefined && is === undefined))
        // What a row said before it was dropped stands beside it.
        for (const { before: said, kind } of diff.came)
          expect(said?.input).toEqual(kind === "new gold" ? undefined : { text: "x" })
      }),
    )
  })

  test("is refused where rows do not stand in order, for they would be told as both gone and new", () => {
    const first = version([["ex_0a", { text: "a" }]])
    const mixed = { ...first, train: [example("ex_0b", "b"), example("ex_0a", "a")] }
    expect(() => diffVersions(first, mixed, () => () => "train")).toThrow(
      /ds_1 do not stand in the order of their ids: ex_0a comes after ex_0b/,
    )
  })
})
