import { describe, expect, it } from "vitest"
import { givenOutput, outputIssues } from "../../../src/core/task/output.ts"
import { taskSchema } from "../../../src/core/task/task.ts"
import { guideOf } from "../../../src/stages/spreadsheet/form.ts"
import { fillIn, ReviewWorkspace } from "./review-workspace.ts"
import { failure, filled, grown, labelTask } from "./saved-sheets.ts"

const common = { task: "topics", description: "Name the topics", input: { body: {} } }
const labels = { price: "what it costs", time: "when it comes" }
const multilabel = taskSchema.parse({ ...common, kind: "multilabel", output: { labels, minimum: 0 } })
const json = (schema: object) => taskSchema.parse({ ...common, kind: "json", output: { schema } })

describe("an answer without a label is written, never fallen into", () => {
  it.each(["", "  ", "\t"])("a blank cell %j is none", (cell) => {
    const given = givenOutput(multilabel, cell)
    expect(outputIssues(multilabel, given)).toEqual([
      { path: "output", message: "empty; write [] where no label fits" },
    ])
  })

  it.each(["[]", " [] "])("%j is", (cell) => expect(givenOutput(multilabel, cell)).toEqual([]))

  it("in a sheet edit beside an empty cell is refused, and [] is taken", async () => {
    const rows = grown.map(({ input }) => ({ input, output: ["price"] }))
    const review = new ReviewWorkspace(multilabel, rows)
    const empty = await review.exported("empty.csv")
    await fillIn(empty, () => ({ decision: "edit" }))
    expect((await failure(review.imported(empty))).message).toContain("empty beside edit")
    const written = await review.exported("written.csv")
    await fillIn(written, () => ({ decision: "edit", corrected_output: "[]" }))
    expect(await review.imported(written)).toMatchObject({ added: 3 })
    expect(review.decisions().map(({ output }) => output)).toEqual([[], [], []])
  })
})

describe("the guide of a sheet says how nothing is written", () => {
  const words = (task: Parameters<typeof guideOf>[0]) =>
    guideOf(task, ["corrected.customer"])
      .map(({ cells }) => cells.join(": "))
      .join("\n")

  it.each<[string, object]>([
    ["a type", { type: "object", properties: { customer: { type: ["string", "null"] } } }],
    ["a choice", { type: "object", properties: { size: { enum: ["s", null] } } }],
    ["one of several", { type: "object", properties: { total: { anyOf: [{ type: "number" }, { type: "null" }] } } }],
    ["an element", { type: "object", properties: { items: { type: "array", items: { const: null } } } }],
  ])("null, where %s allows it", (_name, schema) => expect(words(json(schema))).toMatch(/^null: Written so/m))

  it("and not where nothing may be null, or only a text is called so", () => {
    const schema = { type: "object", properties: { customer: { type: "string", description: "never null" } } }
    expect(words(json(schema))).not.toMatch(/^null/m)
  })

  it("[], where no label may fit", () => {
    expect(words(multilabel)).toMatch(/^\[\]: Written into Corrected output/m)
    expect(words(taskSchema.parse({ ...common, ...labelTask }))).not.toContain("[]")
  })
})

it("a reviewer whose name differs in case alone from one that is known is asked about", async () => {
  const { review, file } = await filled()
  expect((await review.imported(file, { reviewer: "amara" })).notes).toEqual([])
  const again = await review.exported("again.csv", "Amara")
  await fillIn(again, () => ({ decision: "accept" }))
  expect((await review.imported(again)).notes).toEqual([
    'the reviewers "amara" and "Amara" differ in little but case; if they are one person, use one name',
  ])
})
