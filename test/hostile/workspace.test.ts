import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeBase } from "../fuzz/base-workspace.ts"
import { CommandHost } from "../fuzz/command-host.ts"

// A workspace that somebody else wrote, or that something went over: what it holds keeps no command for ever, and ends
// none in a bug.
const host = new CommandHost()
const root = mkdtempSync(join(tmpdir(), "tuneloop-hostile-"))
const base = join(root, "base")
let count = 0
let workspace = ""
beforeAll(async () => {
  mkdirSync(base)
  await makeBase(base, host)
}, 60_000)
afterAll(() => {
  host.stop()
  rmSync(root, { recursive: true })
})

const fresh = () => {
  workspace = join(root, String(count++))
  cpSync(base, workspace, { recursive: true })
}
const at = (path: string) => join(workspace, path)
const run = (...words: string[]) => host.run(["--workspace", workspace, ...words])

/** Ways in which a file or folder is not what it must be. */
const replaced: Readonly<Record<string, (path: string) => void>> = {
  "a folder": (path) => mkdirSync(path),
  "a file": (path) => writeFileSync(path, "not what belongs here\n"),
  "a link to itself": (path) => symlinkSync(path, path),
}
const commands = [
  "status",
  "build mood",
  "seed import mood FILE",
  "dataset erase mood --matching garden",
  "runs show finished",
]

describe.each(Object.keys(replaced))("%s in the place of what belongs there is said with its path", (way) => {
  it.each([
    ...["specs", "jobs/runs", "datasets", "datasets/mood/seeds.jsonl", "datasets/mood/splits.jsonl"],
    ...["datasets/mood/candidates", "datasets/mood/versions", "datasets/mood/tombstones.jsonl"],
  ])("%s", async (path) => {
    fresh()
    rmSync(at(path), { recursive: true })
    replaced[way]?.(at(path))
    for (const command of commands) {
      const { code, stderr } = await run(
        ...command.split(" ").map((word) => (word === "FILE" ? at("rows.jsonl") : word)),
      )
      expect([command, code, stderr]).toEqual([
        command,
        expect.toBeOneOf([0, 1, 2, 3, 4]),
        expect.not.stringMatching(/ bug /),
      ])
    }
  })
})

const specified = (more: string) => {
  fresh()
  const head = "task: mood\nkind: label\ndescription: x\ninput: { text: {} }\n"
  writeFileSync(at("specs/mood.yaml"), `${head}${more}\n`)
}
const labels = "output: { labels: { glad: a, sad: b } }\n"

it.each([
  ["a strategy", `${labels}expand: { strategies: { constructor: {} } }`, "expand.strategies.constructor"],
  ["a filter", `${labels}filters: { constructor: {} }`, "filters.constructor"],
  ["a metric", `${labels}verdict: { metric: constructor }`, "verdict.metric"],
  ["a label", "output: { labels: { glad: a, sad: b, __proto__: c } }", "output.labels.__proto__"],
  ["a power that no test set has", `${labels}verdict: { power: 0.99999999999999 }`, "verdict.power"],
  ["resamples without end", `${labels}verdict: { bootstrap: 1000000000000 }`, "verdict.bootstrap"],
])("a name or number that leads astray is refused with its place: %s", async (_name, text, place) => {
  specified(text)
  const { code, stderr } = await run("spec", "check", "mood")
  expect([code, stderr]).toEqual([2, expect.stringContaining(place)])
})

it("labels that are called as what every object has are counted as any other", async () => {
  specified("output: { labels: { constructor: a, toString: b } }")
  rmSync(at("datasets/mood"), { recursive: true })
  const rows = Array.from({ length: 24 }, (_, row) => ({
    input: { text: `text ${(row * 7919).toString(36)} of ${(row * 104_729).toString(36)}` },
    output: row % 2 === 0 ? "constructor" : "toString",
  }))
  writeFileSync(at("rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  expect((await run("seed", "import", "mood", at("rows.jsonl"))).code).toBe(0)
  expect((await run("build", "mood")).code).toBe(0)
  const { stdout } = await run("dataset", "card", "mood")
  expect(stdout).toMatch(/^\| constructor \| [1-9]\d* \| [1-9]\d* \| [1-9]\d* \|$/m)
})
