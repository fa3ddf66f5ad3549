import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { taskSchema } from "../../../src/core/task/task.ts"
import { findPersonalData } from "../../../src/curation/privacy/personal-data.ts"
import { outbound, Protection } from "../../../src/curation/version/personal-data-policy.ts"
import type { CurationRow } from "../../../src/curation/rows/ranking.ts"
import { pseudonymise } from "../../../src/curation/privacy/pseudonyms.ts"
import { labelTask, rowOf, textTask } from "../near/made-texts.ts"

describe("pseudonymise", () => {
  test("gives the same thing the same pseudonym in input and output, and different things different ones", () => {
    const pair = {
      input: { body: "I am ann@example.com, call +44 20 7946 0958. Not bob@example.com!" },
      output: "Dear Ann@Example.com, we rang +442079460958. Bob (bob@example.com) is told.",
    }
    expect(pseudonymise(pair)).toEqual({
      input: { body: "I am [EMAIL_1], call [PHONE_1]. Not [EMAIL_2]!" },
      output: "Dear [EMAIL_1], we rang [PHONE_1]. Bob ([EMAIL_2]) is told.",
      replaced: { email: 2, phone: 1 },
    })
  })
  test("reaches into turns and structured outputs, and leaves keys, numbers and labels alone", () => {
    const input = { messages: [{ role: "user", content: "card 4111 1111 1111 1111" }] }
    const output = { card: "4111111111111111", count: 4111, "ann@example.com": true }
    expect(pseudonymise({ input, output })).toEqual({
      input: { messages: [{ role: "user", content: "card [CARD_1]" }] },
      output: { card: "[CARD_1]", count: 4111, "ann@example.com": true },
      replaced: { card: 1 },
    })
    expect(pseudonymise({ input: { body: "x" }, output: "ask ann@example.com" }, { isFixedOutput: true }).output).toBe(
      "ask ann@example.com",
    )
  })
  test("goes on after the pseudonyms that are there, and replaces listed names", () => {
    const pair = { input: { body: "[EMAIL_3] wrote to ann@example.com, says Mei" }, output: "Mei" }
    expect(pseudonymise(pair, { names: ["Mei"] })).toMatchObject({
      input: { body: "[EMAIL_3] wrote to [EMAIL_4], says [NAME_1]" },
      output: "[NAME_1]",
    })
  })
  test("leaves nothing to be found, and changes nothing the second time", () => {
    const pieces = [
      "ann@example.com",
      "+44 20 7946 0958",
      "4111 1111 1111 1111",
      "DE89 3704 0044 0532 0130 00",
      "123-45-6789",
      "203.0.113.42",
      "12345678Z",
      "Mei",
      " ",
      ", ",
      "-",
      "order 1182",
      "[EMAIL_1]",
      "0171/1234567",
    ]
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(""))
    fc.assert(
      fc.property(text, text, (body, output) => {
        const first = pseudonymise({ input: { body }, output }, { names: ["Mei"] })
        expect(findPersonalData(`${first.input["body"] as string}\n${first.output as string}`, ["Mei"])).toEqual([])
        expect(pseudonymise(first, { names: ["Mei"] })).toMatchObject({
          input: first.input,
          output: first.output,
          replaced: {},
        })
        // Everything else stays: without what was found and its pseudonyms, the texts are as they were.
        if (Object.keys(first.replaced).length === 0) expect(first).toMatchObject({ input: { body }, output })
      }),
      { seed: 11, numRuns: 300 },
    )
  })
})

describe("the policy of the specification", () => {
  const clean = rowOf("ex_1", "where is my parcel")
  const dirty = rowOf("ex_2", "I am ann@example.com", "shipping")
  const rows = { train: [clean, dirty], validation: [rowOf("ex_3", "call +44 20 7946 0958")], test: [clean] }
  const protect = (personalData: string) => {
    const protection = new Protection(taskSchema.parse({ ...labelTask, privacy: { personalData } }))
    const all = (split: readonly CurationRow[], isTrain: boolean) =>
      split.map((row) => protection.protect(row, { isTrain }))
    const [train, validation, test] = [all(rows.train, true), all(rows.validation, false), all(rows.test, false)]
    const passed = (split: typeof train) => split.flatMap(({ row, why }) => (why === undefined ? [row] : []))
    return {
      train: passed(train),
      validation: passed(validation),
      test: passed(test),
      dropped: train.flatMap(({ row, why }) => (why === undefined ? [] : [{ ...row, ...why }])),
      report: protection.report(),
    }
  }
  const found = { rows: 2, found: { email: 1, phone: 1 } }

  test.each(["flag", "refuse"])("%s leaves rows as they are, and counts", (policy) => {
    expect(protect(policy)).toEqual({ ...rows, dropped: [], report: { policy, ...found } })
  })
  test("pseudonymise replaces in every split", () => {
    const { train, validation, dropped, report } = protect("pseudonymise")
    expect(train.map(({ input }) => input["body"])).toEqual(["where is my parcel", "I am [EMAIL_1]"])
    expect(validation.map(({ input }) => input["body"])).toEqual(["call [PHONE_1]"])
    expect([dropped, report]).toEqual([[], { policy: "pseudonymise", ...found }])
  })
  test("drop drops from train with its reason, and replaces in what is held out", () => {
    const { train, validation, dropped } = protect("drop")
    expect(train).toEqual([clean])
    expect(validation[0]?.input).toEqual({ body: "call [PHONE_1]" })
    expect(dropped).toMatchObject([
      { id: "ex_2", reason: "personal-data", detail: "email", input: { body: "I am [EMAIL_1]" } },
    ])
  })
  test("what goes to a model goes as it would into a version", () => {
    const pair = { input: { body: "ann@example.com" }, output: "ask ann@example.com" }
    const task = (personalData: string) => taskSchema.parse({ ...textTask, privacy: { personalData } })
    expect(outbound(task("flag"), pair)).toBe(pair)
    for (const policy of ["drop", "pseudonymise"])
      expect(outbound(task(policy), pair)).toEqual({ input: { body: "[EMAIL_1]" }, output: "ask [EMAIL_1]" })
  })
})
