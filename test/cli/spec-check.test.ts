import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { tuneloop } from "../command-line.ts"

const good = "kind: label\ndescription: d\ninput: { text: {} }\noutput: { labels: { a: x, b: y } }\n"

function workspaceWith(specs: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(tmpdir(), "tuneloop-specs-"))
  mkdirSync(join(home, "specs"))
  for (const [name, text] of Object.entries(specs)) writeFileSync(join(home, "specs", `${name}.yaml`), text)
  return home
}

test("spec check lists what is wrong with all files, by the schema and beyond it, each with its line", {
  timeout: 30_000,
}, async () => {
  const home = workspaceWith({
    fine: `task: fine\n${good}`,
    order: `task: order
kind: json
descriptoin: d
input: { text: {} }
output: { schema: { type: object, propertys: {} } }
verdict: { metric: acuracy, margin: much }
filters: { special-tokns: {} }
`,
    mail: `task: mail\n${good}prompt: { user: "{txt}" }\n`,
    none: "task: none\n  kind: label\n",
  })
  const { code, stdout, stderr } = await tuneloop(home, ["spec", "check"]).outcome
  expect(code).toBe(2)
  expect(stdout).toContain("specs/fine.yaml is valid")
  expect(stderr).toContain("3 of 4 files are invalid")
  for (const problem of [
    /specs\/order\.yaml:3: descriptoin: unknown key/,
    /specs\/order\.yaml:1: description: missing/,
    /specs\/order\.yaml:6: verdict\.margin: /,
    /specs\/order\.yaml:5: output\.schema\.propertys: unknown keyword/,
    /specs\/order\.yaml:6: verdict\.metric: got "acuracy"/,
    /specs\/order\.yaml:7: filters\.special-tokns: /,
    /specs\/mail\.yaml:6: prompt\.user: got "txt"; allowed: text/,
    /specs\/none\.yaml:\d: /,
  ])
    expect(stderr).toMatch(problem)
})

test("status shows the tasks that can be read, and names the file that cannot; a broken job keeps it from nothing", {
  timeout: 30_000,
}, async () => {
  const home = workspaceWith({ fine: `task: fine\n${good}`, mail: `task: mail\n${good}colour: red\n` })
  mkdirSync(join(home, "jobs"))
  writeFileSync(join(home, "jobs", "broken.yaml"), "job: broken\nbase: 7\n")
  const { code, stdout, stderr } = await tuneloop(home, ["status"]).outcome
  expect(code).toBe(2)
  expect(stdout).toMatch(/^fine\n {2}gold/)
  expect(stderr).toMatch(/specs\/mail\.yaml:6: colour: unknown key/)
})

test("an import counts rows, not issues, and one that skips ends well and says so", { timeout: 30_000 }, async () => {
  const home = workspaceWith({
    fine: "task: fine\nkind: label\ndescription: d\ninput: { a: {}, b: {} }\noutput: { labels: { x: x, y: y } }\n",
  })
  const rows = ['{"a":"1","b":"2","label":"x"}', '{"a":"","b":"","label":"z"}', '{"a":"","b":"","label":"z"}']
  writeFileSync(join(home, "rows.jsonl"), rows.join("\n"))
  const refused = await tuneloop(home, ["seed", "import", "fine", "rows.jsonl"]).outcome
  expect([refused.code, refused.stderr]).toMatchObject([1, expect.stringContaining("2 of 3 rows cannot be imported")])
  expect(refused.stderr.match(/rows\.jsonl:[23]: /g)).toHaveLength(6)
  const skipped = await tuneloop(home, ["seed", "import", "fine", "rows.jsonl", "--skip-invalid"]).outcome
  expect([skipped.code, skipped.stdout]).toMatchObject([
    0,
    expect.stringContaining("1 added, 0 corrected, 0 unchanged, 2 skipped (2 invalid, as --skip-invalid asks)"),
  ])
  expect(skipped.stderr).toContain("skipped ")
})
