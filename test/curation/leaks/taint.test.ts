import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { leakReport } from "../../../src/curation/leaks/leak-report.ts"
import { taintedRows } from "../../../src/curation/leaks/taint.ts"
import { labelTask, rowOf, textsWithCopies } from "../near/made-texts.ts"

const settings = { task: labelTask, known: [], threshold: undefined, ngram: 13 }
const run = "one two three four five six seven eight nine ten eleven twelve thirteen"

describe("test rows that a contender has seen", () => {
  const tests = [
    rowOf("ex_same", "Where is my parcel ?"),
    rowOf("ex_near", "my new bank card has not arrived after two weeks"),
    rowOf("ex_run", `quite another beginning of it all, then ${run} and no more of this`),
    rowOf("ex_a0", "please give me an invoice for the club"),
    rowOf("ex_clean", "how do I close my account"),
  ]
  const trained = [
    rowOf("ex_1", "where is my PARCEL?"),
    rowOf("ex_2", "My new bank card has not arrived after three weeks"),
    rowOf("ex_3", `${run} and something else that is rather long here`),
    rowOf("ex_4", "no word in common", "other", {
      provenance: { parents: ["cand_b0"], strategy: "evolve", acceptedBy: "ann" },
    }),
  ]
  const known = [{ id: "cand_b0", parents: ["seed_a0"] }]

  test("are named once, with the check, the training row and everybody who has seen them", () => {
    const found = taintedRows({
      ...settings,
      test: tests,
      known,
      trainings: [
        { contenders: ["tuned", "linear"], rows: trained },
        { contenders: ["few-shot"], rows: trained.slice(1, 2) },
        { contenders: ["zero-shot"], rows: [] },
      ],
    })
    expect(found).toEqual([
      { id: "ex_same", check: "exact", train: "ex_1", contenders: ["tuned", "linear"] },
      {
        id: "ex_near",
        check: "near",
        train: "ex_2",
        similarity: expect.any(Number),
        contenders: ["tuned", "linear", "few-shot"],
      },
      { id: "ex_run", check: "ngram", train: "ex_3", contenders: ["tuned", "linear"] },
      { id: "ex_a0", check: "lineage", train: "ex_4", contenders: ["tuned", "linear"] },
    ])
  })

  test("are those that a leak report finds the other way round, in whatever order the training rows come", () => {
    let seen = 0
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (seed) => {
        const texts = textsWithCopies(150, seed)
        const held = texts.slice(0, 40).map((body, place) => rowOf(`ex_t${place}`, body))
        const rows = texts.slice(40).map((body, place) => rowOf(`ex_${place}`, body))
        const taints = (order: typeof rows) =>
          taintedRows({ ...settings, ngram: 5, test: held, trainings: [{ contenders: ["tuned"], rows: order }] })
        const found = taints(rows)
        expect(taints(rows.toReversed())).toEqual(found)
        const expected = new Set(
          leakReport({ task: labelTask, train: held, heldOut: rows, ngram: 5 }).found.map(({ train }) => train),
        )
        expect(new Set(found.map(({ id }) => id))).toEqual(expected)
        seen += found.length
      }),
      { seed: 11, numRuns: 10 },
    )
    expect(seen).toBeGreaterThan(50)
  })
})
