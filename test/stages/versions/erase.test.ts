import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { build } from "../../../src/stages/building/build.ts"
import { erase } from "../../../src/stages/versions/erase.ts"
import { TaskRows } from "../../../src/store/rows/task-rows.ts"
import { linesOf } from "../../command-line.ts"
import { stageContext } from "../training/workspace.ts"

const specification = `schemaVersion: 1
task: mail
description: Sort
kind: label
input: {body: {}}
output: {labels: {a: one, b: two}}
privacy: {personalData: pseudonymise}
`

it("erasing one person's row takes no other person's, though they read alike with pseudonyms", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-erase-"))
  mkdirSync(join(folder, "specs"))
  writeFileSync(join(folder, "specs", "mail.yaml"), specification)
  const context = stageContext(folder)
  const task = context.workspace.readTask("mail")
  const people = ["ada@example.com", "bob@example.com", "cyd@example.com"]
  const rows = [
    ...people.map((who) => ({ input: { body: `my lamp is broken, write to ${who}` }, output: "a", split: "train" })),
    ...Array.from({ length: 12 }, (_, n) => ({
      input: { body: `w${n}x q${n * 7}y z${n * 13}v k${n * 29}t` },
      output: n % 2 === 0 ? "a" : "b",
      split: ["train", "validation", "test"][n % 3],
    })),
  ]
  writeFileSync(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  await importSeeds(context, task, [join(folder, "rows.jsonl")], { skipInvalid: false })
  await build(context, task, [])
  const bodies = () => new TaskRows(context.workspace, "mail").seeds().map(({ input }) => String(input["body"]))
  const before = bodies()
  const options = { ids: [], matching: "ada@example.com", why: undefined }
  const plan = await erase(context, task, { ...options, yes: false })
  // The preview shows whose row it is.
  expect(plan.rows).toMatchObject([{ why: "named", text: "my lamp is broken, write to ada@example.com" }])
  expect(plan.nearCopies.length).toBeGreaterThan(0)
  const done = await erase(context, task, { ...options, yes: true })
  expect(done.rows.map((row) => "text" in row)).toEqual([false])
  expect(bodies()).toEqual(before.filter((body) => !body.includes("ada@")))
  const [tombstone, ...more] = linesOf<{ contents: string[] }>(join(folder, "datasets", "mail", "tombstones.jsonl"))
  expect([tombstone?.contents.length, more]).toEqual([1, []])
  expect(readFileSync(join(folder, "datasets", "mail", "tombstones.jsonl"), "utf8")).not.toContain("ada")
  // Whoever writes such a text now is let in.
  writeFileSync(
    join(folder, "new.jsonl"),
    `${JSON.stringify({ ...rows[1], input: { body: "my lamp is broken, write to dan@example.com" } })}\n`,
  )
  await importSeeds(context, task, [join(folder, "new.jsonl")], { skipInvalid: false })
  expect(bodies()).toHaveLength(before.length)
})

it("a held-out row is shown to nobody in the preview", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-erase-"))
  mkdirSync(join(folder, "specs"))
  writeFileSync(join(folder, "specs", "mail.yaml"), specification)
  const context = stageContext(folder)
  const task = context.workspace.readTask("mail")
  const row = { input: { body: "the kettle of Ada leaks" }, output: "a", split: "test" }
  writeFileSync(join(folder, "rows.jsonl"), `${JSON.stringify(row)}\n`)
  await importSeeds(context, task, [join(folder, "rows.jsonl")], { skipInvalid: false })
  const plan = await erase(context, task, { ids: [], matching: "kettle", why: undefined, yes: false })
  expect(plan.rows).toHaveLength(1)
  expect(JSON.stringify(plan.rows)).not.toContain("kettle")
})
