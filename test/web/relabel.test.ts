import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import type { Seed } from "../../src/core/rows/example.ts"
import { reviewQueue } from "../../src/stages/reviewing/review-queue.ts"
import { edit } from "../../src/stages/standing/kinds/_choices.ts"
import { taskExamples } from "../../src/stages/standing/task-examples.ts"
import { TaskRows } from "../../src/store/rows/task-rows.ts"
import { ReviewSession } from "../../src/web/review-session.ts"
import { linesOf } from "../command-line.ts"
import { reviewWorkspace } from "./sample-review.ts"
import { call, contextOf, serving } from "./serving.ts"

interface Shown {
  readonly id: string
  readonly revision: string
  readonly answers?: readonly object[]
  readonly rejected: string
  readonly buttons: readonly { readonly key: string; readonly text: string; readonly choice: string }[]
}

it("a label that was split is kept by no button: rejecting says that the row is no example any more", async () => {
  const { workspace, row } = withSplitLabel()
  const context = contextOf(workspace)
  const task = context.workspace.readTask("moods")
  const waiting = () => {
    const rows = new TaskRows(context.workspace, "moods")
    return reviewQueue(task, taskExamples(task, rows), {}).filter(({ rows: [of] = [] }) => of?.row === row)
  }
  const shown = async () => {
    const [item] = waiting()
    const answer = await serving(workspace, "moods", ({ port }) => call(port, "next", { ...cleo, item: item?.id }))
    return (answer.json as { item: Shown }).item
  }

  expect((await shown()).buttons).toEqual([{ key: "R", text: "None of them", choice: "reject", isMain: false }])
  const session = new ReviewSession(context, task, "dispute")
  const [question] = waiting()
  if (question === undefined) throw new Error("nobody is asked about the split label")
  for (const [reviewer, output] of [
    ["amara", "happy"],
    ["ben", "content"],
  ] as const)
    session.decide(reviewer, question, { choice: edit, output }, "")

  const item = await shown()
  expect(item.answers).toHaveLength(2)
  expect(item.buttons.map(({ key, text, choice }) => [key, text, choice])).toEqual([
    ["A", "A is right", "accept"],
    ["B", "B is right", "edit"],
    ["R", "None of them", "reject"],
  ])
  expect(item.rejected).toBe("none; the row is no example any more")
  const said = { ...cleo, item: item.id, revision: item.revision, choice: "reject", comment: "" }
  const { status, body } = await serving(workspace, "moods", ({ port }) => call(port, "decide", said))
  expect(status, body).toBe(200)
  expect(waiting()).toEqual([])
  const examples = taskExamples(task, new TaskRows(context.workspace, "moods"))
  expect([...examples.sources.keys()]).not.toContain(row)
})

const cleo = { reviewer: "cleo", page: "page-of-cleo" }

/** The sample with a seed whose label is now two. */
function withSplitLabel(): { readonly workspace: string; readonly row: string } {
  const workspace = reviewWorkspace(0)
  const spec = join(workspace, "specs", "moods.yaml")
  writeFileSync(spec, readFileSync(spec, "utf8").replace("glad: ", "happy: h, content: c, glad: "))
  const data = join(workspace, "datasets", "moods")
  const row = linesOf<Seed>(join(data, "seeds.jsonl")).find(({ output }) => output === "glad")?.id ?? ""
  const migration = {
    id: "migration_0123456789abcdef",
    at: "2026-11-24T10:00:00Z",
    labels: {},
    splits: { glad: ["happy", "content"] },
    rows: [row],
  }
  writeFileSync(join(data, "migrations.jsonl"), `${JSON.stringify(migration)}\n`)
  return { workspace, row }
}
