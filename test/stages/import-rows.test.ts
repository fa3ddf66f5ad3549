import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { expect, it } from "vitest"
import { importSeeds } from "../../src/stages/import-rows.ts"
import { labelTask } from "../curation/made-texts.ts"
import { workspaceWith } from "./in-process.ts"

it("an import has held its rows out before another command may change the task: it never fails with its rows written", {
  timeout: 60_000,
}, async () => {
  const { context, rows, folder } = workspaceWith(labelTask, { seeds: [] })
  const file = join(folder, "rows.jsonl")
  writeFileSync(file, `${JSON.stringify({ input: { body: "Where is my parcel?" }, output: "shipping" })}\n`)
  // Somebody who takes the lock as soon as the import has let go of it once, and keeps it.
  const lockFile = context.workspace.lockFile(labelTask.task)
  mkdirSync(dirname(lockFile), { recursive: true })
  const other = new DatabaseSync(lockFile)
  let asked = 0
  const workspace = new Proxy(context.workspace, {
    get(target, name) {
      if (name === "lockFile" && ++asked === 2) other.exec("begin exclusive")
      const value: unknown = Reflect.get(target, name)
      return typeof value === "function" ? (value.bind(target) as unknown) : value
    },
  })
  try {
    const result = await importSeeds({ ...context, workspace }, labelTask, [file], { skipInvalid: false })
    expect(result.split.train).toBe(1)
    expect(rows.assignments().map(({ id }) => id)).toEqual(rows.seeds().map(({ id }) => id))
  } finally {
    other.close()
  }
})
