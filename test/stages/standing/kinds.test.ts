import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { stringify } from "csv-stringify/sync"
import { describe, expect, it } from "vitest"
import type { Choice, ReviewKind } from "../../../src/core/contracts/review-kind.ts"
import type { Seed } from "../../../src/core/rows/example.ts"
import type { ReviewItem } from "../../../src/core/rows/review-item.ts"
import { exportReview } from "../../../src/stages/reviewing/review-export.ts"
import { importReview } from "../../../src/stages/reviewing/review-import.ts"
import { reviewQueue } from "../../../src/stages/reviewing/review-queue.ts"
import { idPattern } from "../../../src/stages/spreadsheet/found-columns.ts"
import { formColumns } from "../../../src/stages/spreadsheet/form.ts"
import { readDecision } from "../../../src/stages/spreadsheet/read-decision.ts"
import { takesOutput } from "../../../src/stages/standing/answer.ts"
import { choicesOf, kindOf, reviewKinds } from "../../../src/stages/standing/kinds.ts"
import { taskExamples } from "../../../src/stages/standing/task-examples.ts"
import { TaskRows } from "../../../src/store/rows/task-rows.ts"
import { ReviewSession } from "../../../src/web/review-session.ts"
import { json, linesOf } from "../../command-line.ts"
import { reviewWorkspace } from "../../web/sample-review.ts"
import { call, contextOf, serving } from "../../web/serving.ts"

/** The sample with a label that was split and an item that two reviewers decided on differently: every kind waits. */
const sample = sampleOfEveryKind()
const waiting = queueOf(sample)
const labels = ["calm", "happy", "content", "sad", "glad"]

describe.each(reviewKinds.map((kind) => [kind.name, kind] as const))("a review item of the kind %s", (name, kind) => {
  const item = waiting.find((each) => each.kind === name) as ReviewItem

  it("is in the sample, with an id that says what it is", () => {
    expect(item, `give sample-review.ts or this test an item of the kind ${name}`).toBeDefined()
    expect(item.id).toMatch(idPattern)
    expect(item.id.startsWith(`${kind.idPrefix}_`)).toBe(true)
    expect(reviewKinds.filter((other) => other.idPrefix === kind.idPrefix)).toEqual([kind])
    expect(queueOf(sample, name).map((each) => each.kind)).toContain(name)
  })

  it("asks something, and no word means two of its choices", () => {
    expect(kind.question).toMatch(/\?$/)
    expect(choicesOf(item).length).toBeGreaterThan(0)
    const words = kind.choices.flatMap((choice) => [choice.name, ...choice.words])
    expect(words).toEqual([...new Set(words.map((word) => word.toLowerCase()))])
  })

  it("has a button on the page only for what may be answered, and each choice in the list of the spreadsheet", () => {
    const { task } = opened(sample)
    const names = choicesOf(item).map((choice) => choice.name)
    for (const button of kindOf(item).buttons(task, item)) expect(names).toContain(button.choice)
    const [column] = formColumns(task, [item], ["decision"], () => 10)
    expect(column?.choices).toEqual(expect.arrayContaining(names))
  })

  it("is answered on the page and in a spreadsheet alike, with each of its choices, and waits no longer", async () => {
    for (const choice of choicesOf(item)) {
      const [page, sheet] = [copyOf(sample), copyOf(sample)]
      await answerOnPage(page, item, choice)
      await answerInSpreadsheet(sheet, item, choice)
      expect(said(page).length, choice.name).toBeGreaterThan(0)
      expect(said(sheet), choice.name).toEqual(said(page))
      for (const folder of [page, sheet]) expect(queueOf(folder).map(({ id }) => id)).not.toContain(item.id)
    }
  })

  it("reads every word for a choice as that choice", () => {
    const { task } = opened(sample)
    const read = (choice: Choice, decision: string) => {
      const corrected = takesOutput(choice) ? newLabel(item) : ""
      const answer = { decision, corrected, comment: "", reviewer: "cleo", corrections: [], removed: [] }
      return readDecision(task, item, answer)
    }
    for (const choice of choicesOf(item)) {
      const named = read(choice, choice.name)
      expect(named, choice.name).toMatchObject({ decision: { item: item.id, verdict: choice.verdict } })
      for (const word of choice.words) expect(read(choice, word), word).toEqual(named)
    }
  })
})

it("review import takes a decision on an item of every kind", async () => {
  const workspace = copyOf(sample)
  const rows = reviewKinds.map(({ name }) => {
    const item = waiting.find((each) => each.kind === name) as ReviewItem
    const [choice] = choicesOf(item)
    return [item.id, choice?.name, choice && takesOutput(choice) ? newLabel(item) : "", "cleo"]
  })
  const file = join(workspace, "filled.csv")
  writeFileSync(file, stringify([["id", "decision", "corrected_output", "reviewer"], ...rows]))
  expect(await json(workspace, "review", "import", "moods", file)).toMatchObject({ added: reviewKinds.length })
})

function sampleOfEveryKind(): string {
  const workspace = reviewWorkspace(4)
  const spec = join(workspace, "specs", "moods.yaml")
  writeFileSync(spec, readFileSync(spec, "utf8").replace("glad: ", "happy: h, content: c, glad: "))
  const data = join(workspace, "datasets", "moods")
  const split = linesOf<Seed>(join(data, "seeds.jsonl")).find(({ output }) => output === "glad")
  const migration = {
    id: "migration_0123456789abcdef",
    at: "2026-11-24T10:00:00Z",
    labels: {},
    splits: { glad: ["happy", "content"] },
    rows: [split?.id],
  }
  writeFileSync(join(data, "migrations.jsonl"), `${JSON.stringify(migration)}\n`)
  const { context, task } = opened(workspace)
  const session = new ReviewSession(context, task, "dispute")
  const disputed = queueOf(workspace).find(({ kind }) => kind === "candidate") as ReviewItem
  for (const [reviewer, choice] of [
    ["amara", "accept"],
    ["ben", "reject"],
  ] as const)
    session.decide(reviewer, disputed, { choice: named(disputed, choice) }, "")
  return workspace
}

function named(item: ReviewItem, name: string): Choice {
  return choicesOf(item).find((choice) => choice.name === name) as Choice
}

async function answerOnPage(workspace: string, item: ReviewItem, choice: Choice): Promise<void> {
  await serving(workspace, "moods", async ({ port }) => {
    const { status, body } = await call(port, "decide", {
      reviewer: "cleo",
      page: "page-of-cleo",
      item: item.id,
      revision: item.revision,
      choice: choice.name,
      ...(takesOutput(choice) ? { output: newLabel(item) } : {}),
      comment: "unclear text",
    })
    expect(status, `${choice.name}: ${body}`).toBe(200)
  })
}

async function answerInSpreadsheet(workspace: string, item: ReviewItem, choice: Choice): Promise<void> {
  const { context, task } = opened(workspace)
  const file = join(workspace, "review.csv")
  await exportReview(context, task, { out: file, limit: undefined, reviewer: "cleo", only: item.kind })
  const rows = parse(readFileSync(file), { columns: true, bom: true }) as Record<string, string>[]
  const row = rows.find(({ id }) => id === item.id)
  expect(row, `${item.id} is exported`).toBeDefined()
  const filled = {
    ...row,
    decision: choice.name,
    corrected_output: takesOutput(choice) ? newLabel(item) : "",
    comment: "unclear text",
  }
  writeFileSync(file, stringify([filled], { header: true, columns: Object.keys(filled) }))
  expect(await importReview(context, task, file, { reviewer: undefined, dryRun: false })).toMatchObject({ added: 1 })
}

/** A label that the item does not name. */
function newLabel({ output, current }: ReviewItem): string {
  return labels.find((label) => label !== output && label !== current) ?? ""
}

/** What cleo decided, and what that says of rows and other items. */
function said(workspace: string): unknown[] {
  const { rows } = opened(workspace)
  return rows.review
    .decisions()
    .filter(({ reviewer }) => reviewer === "cleo")
    .map(({ at: _at, source: _source, ...line }) => line)
}

function queueOf(workspace: string, only?: ReviewKind["name"]): ReviewItem[] {
  const { task, rows } = opened(workspace)
  return reviewQueue(task, taskExamples(task, rows), { only })
}

function opened(workspace: string) {
  const context = contextOf(workspace)
  const task = context.workspace.readTask("moods")
  return { context, task, rows: new TaskRows(context.workspace, "moods") }
}

function copyOf(workspace: string): string {
  const copy = mkdtempSync(join(tmpdir(), "tuneloop-kind-"))
  cpSync(workspace, copy, { recursive: true })
  return copy
}
