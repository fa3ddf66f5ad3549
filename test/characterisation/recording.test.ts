import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { expect, it } from "vitest"
import { record } from "./recording.ts"
import { quick } from "./scenario-sample.ts"

const root = resolve(import.meta.dirname, "..", "..")
const golden = join(root, "test", "golden", "characterisation")

it("a small task goes from its gold examples to a version as it did, to the letter", { timeout: 180_000 }, async () => {
  const recording = new Map<string, string>()
  const places = { checkout: root, shared: undefined, fixtures: join(root, "test", "fixtures") }
  await record([quick], places, (recorded) => {
    for (const [name, text] of recorded.recording) recording.set(name, text)
  })
  const files = readdirSync(join(golden, "quick")).map((name) => join("quick", name))
  expect([...recording.keys()].sort()).toEqual(files.sort())
  for (const [name, text] of recording) expect(text, name).toBe(readFileSync(join(golden, name), "utf8"))
})
