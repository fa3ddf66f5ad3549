import { expect, test } from "vitest"
import { taskSchema } from "../../../src/core/task/task.ts"
import { candidateChecks } from "../../../src/curation/review/candidate-checks.ts"
import { NearDuplicateIndex } from "../../../src/curation/holdout/near-duplicates.ts"
import { labelTask, similarityOf } from "../near/made-texts.ts"

const known = "where is my new bank card"
const index = new NearDuplicateIndex([known])
index.add("seed_1", known)
const checks = (
  body: string,
  output: unknown = "billing",
  task: Parameters<typeof candidateChecks>[0]["task"] = labelTask,
) => candidateChecks({ task, draft: { input: { body }, output }, index })

test("a good draft passes the four checks", () => {
  expect(checks("how do I change my address?")).toEqual([
    { name: "schema", ok: true },
    { name: "novelty", ok: true },
    { name: "length", ok: true, value: 34 },
    { name: "personal-data", ok: true },
  ])
})

test("a draft that the task does not allow fails the schema, and the other checks are made all the same", () => {
  const [schema, novelty] = checks(known, "biling")
  expect(schema).toEqual({
    name: "schema",
    ok: false,
    detail: 'output: got "biling"; allowed: billing, shipping, other; did you mean "billing"?',
  })
  expect(novelty).toMatchObject({ name: "novelty", ok: false })
})

test("a draft near something known is not novel; the value is what is new about it", () => {
  const near = "where is my new bank card now"
  expect(checks(near)[1]).toEqual({
    name: "novelty",
    ok: false,
    value: expect.closeTo(1 - similarityOf(known, near), 3) as number,
    detail: "near seed_1",
  })
})

test("a draft longer than the build allows fails", () => {
  const task = taskSchema.parse({ ...labelTask, build: { maxLength: 20 } })
  expect(checks("x".repeat(14), "billing", task)[2]).toEqual({
    name: "length",
    ok: false,
    value: 21,
    detail: "21 characters; at most 20 allowed",
  })
  expect(checks("x".repeat(13), "billing", task)[2]).toMatchObject({ ok: true })
})

test("personal data is named, and refused where the task refuses it", () => {
  const body = "write to ann@example.com or +44 20 7946 0958"
  expect(checks(body)[3]).toEqual({ name: "personal-data", ok: true, detail: "email, phone" })
  expect(checks(body, "billing", taskSchema.parse({ ...labelTask, privacy: { personalData: "refuse" } }))[3]).toEqual({
    name: "personal-data",
    ok: false,
    detail: "email, phone",
  })
})

test("personal data inside a structured output counts", () => {
  const task = taskSchema.parse({
    task: "orders",
    kind: "json",
    description: "read",
    input: { body: {} },
    output: { schema: { type: "object" } },
  })
  expect(checks("a question", { contact: { mail: ["ann@example.com"] } }, task)[3]).toMatchObject({ detail: "email" })
})
