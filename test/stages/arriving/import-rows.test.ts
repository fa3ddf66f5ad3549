import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import fc from "fast-check"
import { expect, it } from "vitest"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { labelTask } from "../../curation/near/made-texts.ts"
import { workspaceWith } from "../in-process.ts"

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

const given = fc.record({
  key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  body: fc.constantFrom(
    "Where is my parcel?",
    "Wo bleibt mein Päckchen?",
    "I was charged twice; write to me@example.org",
  ),
  split: fc.option(fc.constantFrom("train", "validation", "test"), { nil: undefined }),
})

it("an import adds, corrects and leaves alone what its rows say, whatever comes again, and the first split stays", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(given, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
      async (imports) => {
        const { context, rows, folder } = workspaceWith(labelTask, { seeds: [] })
        const bodies = new Map<string, string>()
        const held = new Map<string, string>()
        for (const [number, all] of imports.entries()) {
          // In two files, of which the second may have what the first has.
          const files = [all.slice(0, all.length / 2), all.slice(all.length / 2)].flatMap((part, index) => {
            const file = join(folder, `${number}-${index}.jsonl`)
            const lines = part.map(
              ({ key, body, split }) => `${JSON.stringify({ id: key, input: { body }, output: "shipping", split })}\n`,
            )
            writeFileSync(file, lines.join(""))
            return part.length === 0 ? [] : [file]
          })
          const result = await importSeeds(context, labelTask, files, { skipInvalid: true })

          const firsts = new Map<string, string>()
          for (const { key, body } of all) if (!firsts.has(key)) firsts.set(key, body)
          const valid = all.filter(({ key, body }) => firsts.get(key) === body)
          const added = [...firsts.keys()].filter((key) => !bodies.has(key))
          const corrected = [...firsts].filter(([key, body]) => bodies.has(key) && bodies.get(key) !== body)
          expect(result).toMatchObject({ read: all.length, added: added.length, corrected: corrected.length })
          expect([result.unchanged, result.invalid.length]).toEqual([
            valid.length - added.length - corrected.length,
            all.length - valid.length,
          ])
          expect(result.personalData.length).toBe(valid.filter(({ body }) => body.includes("@")).length)
          for (const [key, body] of firsts) bodies.set(key, body)
          expect(rows.seeds().map(({ key, input }) => [key, input["body"]])).toEqual([...bodies])

          const idOf = new Map(rows.seeds().map(({ key, id }) => [key as string, id]))
          const splitOf = new Map(rows.assignments().map(({ id, split }) => [id, split as string]))
          const said = new Map<string, string[]>()
          for (const { key, split } of valid) if (split !== undefined) said.set(key, [...(said.get(key) ?? []), split])
          const elsewhere: unknown[] = []
          for (const key of firsts.keys()) {
            const [most] = ["test", "validation", "train"].filter((split) => said.get(key)?.includes(split))
            const before = held.get(key)
            if (before !== undefined && most !== undefined && before !== most)
              elsewhere.push({ id: idOf.get(key), split: before, asked: most })
            const now = splitOf.get(idOf.get(key) as string)
            expect(now).toBe(before ?? most ?? now)
            held.set(key, now as string)
          }
          expect(result.heldElsewhere).toEqual(elsewhere)
          const across = [...said].filter(([, splits]) => new Set(splits).size > 1)
          expect(result.acrossSplits.map(({ id, places }) => [id, places.map(({ split }) => split)])).toEqual(
            across.map(([key, splits]) => [idOf.get(key), splits]),
          )
        }
      },
    ),
    { numRuns: 40 },
  )
})
