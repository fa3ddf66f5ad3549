import { expect, it } from "vitest"
import type { TaskSpecification } from "../../../src/core/task/task.ts"
import { migrate } from "../../../src/stages/arriving/migrate.ts"
import { build } from "../../../src/stages/building/build.ts"
import { Versions } from "../../../src/store/rows/versions.ts"
import { seedsOf } from "../../strategies/tasks.ts"
import { task, train } from "../growing/growing.ts"
import { workspaceWith } from "../in-process.ts"

const labels = { parcel: "where an order is", invoice: "payments", other: "anything else" }
const renamed = { ...task, output: { labels } } as unknown as TaskSpecification

it.each([1, 2])("labels that change at moment %i of a build are those of the version", async (moment) => {
  const seeds = seedsOf(task, 24)
  const splits = train(seeds).map((row, index) => ({ ...row, split: (index > 17 ? "test" : "train") as "train" }))
  const { context } = workspaceWith(task, { seeds, splits })
  let looks = 0
  const monotonicMs = () => {
    looks += 1
    if (looks === moment)
      migrate(context, renamed, [{ kind: "rename", from: ["order"], into: ["parcel"] }], { yes: true })
    return looks
  }
  const { manifest } = await build({ ...context, monotonicMs }, renamed, [])
  expect(looks).toBeGreaterThanOrEqual(moment)
  const outputs = [...new Versions(context.workspace, task.task).each(manifest.id, "train.jsonl")].map(
    (row) => row.output,
  )
  expect([outputs.includes("parcel"), outputs.includes("order")]).toEqual([true, false])
})
