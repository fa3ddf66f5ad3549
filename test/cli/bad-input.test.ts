import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { importSeeds, sampleWorkspace, snapshot, tuneloop } from "../command-line.ts"

let workspace = ""
beforeAll(async () => {
  workspace = sampleWorkspace()
  const file = (name: string, content: string | Buffer) => writeFileSync(join(workspace, name), content)
  file("specs/broken.yaml", "task: broken\nkind: [label\n")
  file(
    "specs/wrong.yaml",
    "task: wrong\nkind: lable\ndescripton: x\ninput:\n  text: { typ: string, maxLength: long }\noutput:\n " +
      " labels: { glad: good }\n",
  )
  file(
    "jobs/wrong.yaml",
    "job: wrong\ntask: ticket-triage\nbaseModel: x\nbackend: { name: locl }\nhyperparameters: { epochs: many }\n",
  )
  file("jobs/nowhere.yaml", "job: nowhere\ntask: ticket-triage\nbaseModel: x\nbackend: { name: locl }\n")
  file("specs/alias.yaml", "task: alias\nkind: text\ndescription: *important\ninput: { text: {} }\n")
  file("specs/latin.yaml", Buffer.from("task: latin\nkind: l\u00e4bel\n", "latin1"))
  file("specs/My_Task.yaml", "task: My_Task\n")
  file("specs/renamed.yaml", "task: other\nkind: text\ndescription: x\ninput: { text: {} }\n")
  file(
    "label.jsonl",
    '{"input":{"body":"where is it"},"output":"delivery"}\n{"input":{"body":"give it back"},"output":"retrun"}\n',
  )
  file("json.jsonl", '{"input":{"body":"where is it"},"output":"delivery"}\n{"input":\n')
  file("field.jsonl", '{"input":{"bdy":"where is it"},"output":"delivery"}\n')
  file("key.jsonl", '{"inputs":{"body":"where is it"},"output":"delivery"}\n')
  file("empty.jsonl", "")
  file(
    "twice.jsonl",
    '{"id":"7","input":{"body":"one"},"output":"delivery"}\n{"id":"7","input":{"body":"two"},"output":"delivery"}\n',
  )
  file("latin.csv", Buffer.concat([Buffer.from("body,output\nhello,delivery\nna"), Buffer.from([0xef, 0x0a])]))
  file("huge.jsonl", `${JSON.stringify({ input: { body: "a".repeat(1_000_000) }, output: "delivery" })}\n`)
  file("quote.csv", 'body,output\nfine,delivery\n"open,delivery\n')
  file("columns.csv", "text,output\nhello,delivery\n")
  file("semicolons.csv", '\ufeffbody;label\r\n"two\nlines; and a semicolon";delivery\r\nplain;Return\r\n')
  file("columns-twice.csv", "body,output,body\nhello,delivery,there\n")
  file("header.csv", "body,output\n")
  file("cells.csv", "body,output\nhello,delivery\nI paid, twice,payment\n")
  file("array.json", '{"input":{"body":"where is it"},"output":"delivery"}')
  file("prototype.jsonl", '{"input":{"body":"where is it"},"output":"constructor"}\n')
  file("unknown-id.csv", "id,decision,corrected_output,comment,reviewer\ncand_0000000000000000,accept,,,amara\n")
  await importSeeds(workspace)
  expect((await tuneloop(workspace, ["expand", "ticket-triage"]).outcome).code).toBe(0)
  expect(
    (await tuneloop(workspace, ["review", "export", "ticket-triage", "--out", "open.csv", "--limit", "1"]).outcome)
      .code,
  ).toBe(0)
  const row = (readFileSync(join(workspace, "open.csv"), "utf8").split("\r\n")[1] ?? "").split(",")
  const review = (name: string, decision: string, output: string, revision = row.at(-1)) =>
    file(
      name,
      `id,decision,corrected_output,comment,reviewer,revision\n${row[0]},${decision},${output},,amara,${revision}\n`,
    )
  review("word.csv", "acept", "")
  review("no-output.csv", "edit", "")
  review("bad-output.csv", "edit", "retrun")
  review("stale.csv", "accept", "", "0123456789abcdef")
  file("nobody.csv", `id,decision\n${row[0]},accept\n`)
  file("no-decision.csv", `id,comment\n${row[0]},fine\n`)
  file("differently.csv", `id,decision,reviewer\n${row[0]},accept,amara\n${row[0]},reject,amara\n`)
})

/** The words, the exit code, and what the message must say: the place, the value, the remedy. */
const cases: [string, string[], number, (string | RegExp)[]][] = [
  ["a missing file", ["seed", "import", "ticket-triage", "nope.csv"], 1, ["nope.csv", "Check the path"]],
  ["broken YAML", ["spec", "check", "broken"], 2, [/specs\/broken\.yaml:\d+/, "not valid YAML"]],
  [
    "every problem of a specification at once",
    ["spec", "check", "wrong"],
    2,
    [
      "wrong.yaml:2",
      'did you mean "label"',
      "wrong.yaml:3",
      'did you mean "description"',
      'did you mean "type"',
      "expected a number",
      "at least two labels",
    ],
  ],
  ["YAML that reads a text as an alias", ["spec", "check", "alias"], 2, ["specs/alias.yaml:3", "quote a text"]],
  ["a specification that is not UTF-8", ["spec", "check", "latin"], 1, [/specs\/latin\.yaml:2/, "UTF-8"]],
  [
    "a specification under another name",
    ["spec", "check", "renamed"],
    2,
    ["specs/renamed.yaml", '"other"', '"renamed"'],
  ],
  ["a wrong type in a job", ["train", "wrong"], 2, ["jobs/wrong.yaml:5", "hyperparameters.epochs", '"many"']],
  ["an unknown backend", ["train", "nowhere"], 2, ['"locl"', "local"]],
  [
    "a label outside the set",
    ["seed", "import", "ticket-triage", "label.jsonl"],
    1,
    ["label.jsonl:2", '"retrun"', 'did you mean "return"', "--skip-invalid"],
  ],
  [
    "a label that every object inherits",
    ["seed", "import", "ticket-triage", "prototype.jsonl"],
    1,
    ["prototype.jsonl:1", "constructor"],
  ],
  ["a line that is not JSON", ["seed", "import", "ticket-triage", "json.jsonl"], 1, ["json.jsonl:2", "not valid JSON"]],
  ["an unknown field", ["seed", "import", "ticket-triage", "field.jsonl"], 1, ["field.jsonl:1", 'did you mean "body"']],
  ["an unknown key", ["seed", "import", "ticket-triage", "key.jsonl"], 1, ["key.jsonl:1", 'did you mean "input"']],
  ["an empty file", ["seed", "import", "ticket-triage", "empty.jsonl"], 1, ["empty.jsonl has no rows"]],
  [
    "an id that comes twice",
    ["seed", "import", "ticket-triage", "twice.jsonl"],
    1,
    ["twice.jsonl:2", 'id "7"', "twice.jsonl:1"],
  ],
  ["invalid UTF-8", ["seed", "import", "ticket-triage", "latin.csv"], 1, ["latin.csv:3", "UTF-8"]],
  [
    "a cell of a megabyte",
    ["seed", "import", "ticket-triage", "huge.jsonl"],
    1,
    ["huge.jsonl:1", "1000000 characters", "4000"],
  ],
  ["an open quote in CSV", ["seed", "import", "ticket-triage", "quote.csv"], 1, ["quote.csv:3", "quote"]],
  ["a missing column", ["seed", "import", "ticket-triage", "columns.csv"], 1, ["columns.csv:1", '"body"']],
  [
    "a column that comes twice",
    ["seed", "import", "ticket-triage", "columns-twice.csv"],
    1,
    ["columns-twice.csv", '"body"', "Rename"],
  ],
  [
    "a CSV with nothing but its header",
    ["seed", "import", "ticket-triage", "header.csv"],
    1,
    ["header.csv has no rows"],
  ],
  [
    "a comma in a cell without quotes",
    ["seed", "import", "ticket-triage", "cells.csv"],
    1,
    ["cells.csv:3", "3 cells", "quote cells"],
  ],
  ["JSON that is no list", ["input", "import", "ticket-triage", "array.json"], 1, ["array.json", "array", ".jsonl"]],
  ["an unknown file format", ["seed", "import", "ticket-triage", "specs"], 1, [".jsonl"]],
  ["an unknown task", ["build", "ticket-triag"], 2, ['did you mean "ticket-triage"']],
  ["an unknown job", ["train", "ticket-triagee"], 2, ['did you mean "ticket-triage"']],
  [
    "a task that is a way to another file",
    ["build", "../jobs/ticket-triage"],
    2,
    ['no task "../jobs/ticket-triage"', "lower-case", "ticket-triage"],
  ],
  [
    "a task that is a path to its file",
    ["spec", "check", "specs/ticket-triage.yaml"],
    2,
    ['no task "specs/ticket-triage.yaml"', 'did you mean "ticket-triage"'],
  ],
  [
    "a job that is a way to another file",
    ["train", "../specs/ticket-triage"],
    2,
    ['no job "../specs/ticket-triage"', "lower-case"],
  ],
  ["a job option that is a way out", ["run", "ticket-triage", "--job", "../../etc/x"], 2, ['no job "../../etc/x"']],
  ["a task that is nothing", ["status", ""], 2, ['no task ""']],
  [
    "a specification whose file no task can have",
    ["spec", "check", "My_Task"],
    2,
    ["specs/My_Task.yaml", "lower-case", "Rename the file"],
  ],
  ["a dataset that is a way to another folder", ["dataset", "show", "ds_/../../../specs"], 2, ["dataset ls"]],
  ["an unknown run", ["runs", "show", "nothing"], 2, ['"nothing"', "the workspace has none"]],
  ["an unknown strategy", ["expand", "ticket-triage", "--strategy", "recombin"], 2, ['did you mean "recombine"']],
  [
    "a strategy without a model",
    ["expand", "ticket-triage", "--strategy", "self-instruct"],
    2,
    ["expand.model.model", "TUNELOOP_MODEL"],
  ],
  ["an unknown dataset", ["dataset", "show", "ds_0123456789abcdef"], 2, ["dataset ls"]],
  [
    "an unknown item in a review",
    ["review", "import", "ticket-triage", "unknown-id.csv"],
    1,
    ["unknown-id.csv:2", "cand_0000000000000000"],
  ],
  [
    "an unknown decision",
    ["review", "import", "ticket-triage", "word.csv"],
    1,
    ["word.csv:2", '"acept"', 'did you mean "accept"'],
  ],
  [
    "an edit without an output",
    ["review", "import", "ticket-triage", "no-output.csv"],
    1,
    ["no-output.csv:2", "corrected_output"],
  ],
  [
    "a wrong corrected output",
    ["review", "import", "ticket-triage", "bad-output.csv"],
    1,
    ["bad-output.csv:2", 'did you mean "return"'],
  ],
  ["a stale review", ["review", "import", "ticket-triage", "stale.csv"], 1, ["stale.csv:2", "export it again"]],
  [
    "a review by nobody",
    ["review", "import", "ticket-triage", "nobody.csv"],
    1,
    ["nobody.csv:2", "reviewer", "--reviewer"],
  ],
  [
    "a review without decisions",
    ["review", "import", "ticket-triage", "no-decision.csv"],
    1,
    ["no-decision.csv", '"decision"', "review export"],
  ],
  [
    "a review that contradicts itself",
    ["review", "import", "ticket-triage", "differently.csv"],
    1,
    ["differently.csv:3", "row 2"],
  ],
  ["a review that is not there", ["review", "import", "ticket-triage", "nope.csv"], 1, ["nope.csv", "Check the path"]],
  ["a number that is none", ["expand", "ticket-triage", "--count", "0"], 2, ["--count", "whole number", "--help"]],
  ["a folder that is not there", ["status", "--workspace", "nowhere"], 1, ["nowhere", "tuneloop init"]],
  [
    "a workspace that is a file",
    ["status", "--workspace", "json.jsonl"],
    1,
    ["json.jsonl is a file, not a folder", "specs/"],
  ],
  ["an unknown option", ["build", "ticket-triage", "--fast"], 2, ["--fast", "--help"]],
  ["a missing argument", ["seed", "import"], 2, ["task", "--help"]],
  ["an unknown command", ["biuld"], 2, ["build"]],
  ["a training without a dataset", ["train", "ticket-triage"], 1, ["tuneloop build ticket-triage"]],
]

describe("bad input", () => {
  it.concurrent.each(cases)("%s: one clear message, nothing changed", async (_name, words, code, expected) => {
    const before = snapshot(workspace, isNotLedger)
    const result = await tuneloop(workspace, words).outcome
    for (const part of expected)
      expect(result.stderr).toMatch(part instanceof RegExp ? part : new RegExp(literal(part)))
    expect(result.code).toBe(code)
    expect(result.stdout).toBe("")
    expect(result.stderr).not.toMatch(/^\s+at |this is a bug/m)
    expect(result.stderr.match(/^error: /gm)).toHaveLength(1)
    // The last line says what to do next.
    expect(result.stderr.trimEnd().split("\n").at(-1)).toMatch(/^ {2}\S|--help/)
    expect(result.stderr.length).toBeLessThan(2500)
    expect(snapshot(workspace, isNotLedger)).toEqual(before)
  })

  it("leaves no file that was on its way", () => {
    expect(Object.keys(snapshot(workspace, isOnItsWay))).toEqual([])
  })

  it.each([
    ["an unknown option", ["build", "ticket-triage", "--fast"], "--fast"],
    ["a missing argument", ["seed", "import"], "missing required argument"],
    ["a missing word", ["review"], "a command is missing"],
    ["an unknown command", ["biuld"], "biuld"],
  ])("is one JSON object on stderr under --json for %s as well", async (_name, words, part) => {
    const { stderr, stdout, code } = await tuneloop(workspace, [...words, "--json"]).outcome
    expect(JSON.parse(stderr)).toMatchObject({
      schemaVersion: 1,
      error: { code: "usage", message: expect.stringContaining(part), hint: expect.stringContaining("--help") },
    })
    expect([stdout, code]).toEqual(["", 2])
  })

  it("is one JSON object on stderr under --json", async () => {
    const { stderr, stdout, code } = await tuneloop(workspace, [
      "seed",
      "import",
      "ticket-triage",
      "label.jsonl",
      "--json",
    ]).outcome
    expect(JSON.parse(stderr)).toMatchObject({
      schemaVersion: 1,
      error: {
        code: "invalid-data",
        message: expect.stringContaining("label.jsonl:2"),
        hint: expect.stringContaining("--skip-invalid"),
      },
    })
    expect([stdout, code]).toEqual(["", 1])
  })

  it("is none when a CSV has a byte order mark, semicolons and line breaks in cells", async () => {
    const own = sampleWorkspace()
    const { code, stdout, stderr } = await tuneloop(own, [
      "seed",
      "import",
      "ticket-triage",
      join(workspace, "semicolons.csv"),
      "--json",
    ]).outcome
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ read: 2, added: 2 })
  })

  it("is none when every setting of the workspace is commented out", async () => {
    const own = sampleWorkspace()
    writeFileSync(join(own, "tuneloop.yaml"), "# schemaVersion: 1\n\n  # ledger: x\n")
    const { code, stderr } = await tuneloop(own, ["config", "show"]).outcome
    expect(code, stderr).toBe(0)
    writeFileSync(join(own, "tuneloop.yaml"), "ledgr: x\n")
    const wrong = await tuneloop(own, ["config", "show"]).outcome
    expect([wrong.code, wrong.stdout]).toEqual([2, ""])
    expect(wrong.stderr).toMatch(/tuneloop\.yaml:1: ledgr: unknown key; did you mean "ledger"/)
  })

  it("can be left out when asked for: the valid rows go in, the others are named, and all is well", async () => {
    const own = sampleWorkspace()
    const { code, stdout, stderr } = await tuneloop(own, [
      "seed",
      "import",
      "ticket-triage",
      join(workspace, "label.jsonl"),
      "--skip-invalid",
      "--json",
    ]).outcome
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ read: 2, added: 1, invalid: [{ line: 2 }] })
    expect(stderr).toContain("label.jsonl:2")
  })
})

/** Reading the ledger may touch its own files, which nobody edits. */
/** The cases run side by side: another's output on its way is none of this one's. */
function isNotLedger(path: string): boolean {
  return !path.includes("ledger.db") && !isOnItsWay(path)
}

function isOnItsWay(path: string): boolean {
  return /(^|\/)\.[0-9a-f-]+\.tmp$/.test(path)
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
}
