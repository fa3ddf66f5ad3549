import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readCheckedJob } from "../../src/cli/plugins.ts"
import { safeJson, safeText } from "../../src/core/safe-text.ts"
import { neutralise, restore } from "../../src/stages/spreadsheet/cells.ts"
import { SqliteLedger } from "../../src/store/ledger/sqlite-ledger.ts"
import { Workspace } from "../../src/store/workspace.ts"
import { trainableWorkspace } from "../stages/training/workspace.ts"

const text = fc.array(fc.constantFrom("a", "\n", "\u001b[2J", "\u001b]0;t\u0007", "\u009b31m", "\u202e", "\u0000", "é"))

describe("what data says to a terminal", () => {
  it("steers nothing: no escape, no other control character and no turned direction is left", () => {
    fc.assert(
      fc.property(text, fc.boolean(), (parts, colour) => {
        const shown = safeText(parts.join(""), { colour })
        expect(shown).not.toMatch(/[\0-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
        expect(shown.split("\n")).toHaveLength(parts.join("").split("\n").length)
      }),
    )
    expect(safeText("\u001b[1;31mours\u001b[0m \u001b[8mhidden", { colour: true })).toBe(
      "\u001b[1;31mours\u001b[0m \\x1b[8mhidden",
    )
  })

  it("is the same JSON, with nothing in it that steers", () => {
    fc.assert(
      fc.property(text, (parts) => {
        const json = safeJson({ said: parts.join("") })
        expect(json).not.toMatch(/[\0-\u001f\u007f-\u009f\u202a-\u202e]/)
        expect(JSON.parse(json)).toEqual({ said: parts.join("") })
      }),
    )
  })
})

it("no cell is a formula to a spreadsheet, whatever stands before its sign, and each text comes back", () => {
  for (const before of ["", "\0", "\ufeff", "\v", "\u00a0", " ", "' ", "\u200b", " \t"])
    for (const sign of ["=1+1", "+1", "@SUM(A1)", "-cmd", "＝1"]) {
      const given = `${before}${sign}`
      expect([neutralise(given), restore(neutralise(given))], JSON.stringify(given)).toEqual([`'${given}`, given])
    }
  for (const harmless of ["-5", "a = b", " plain", "'quoted'"]) expect(neutralise(harmless)).toBe(harmless)
})

it("another program's database gets no table of the ledger", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tuneloop-hostile-")), "theirs.db")
  const theirs = new DatabaseSync(file)
  theirs.exec("create table accounts (name text); insert into accounts values ('ada')")
  theirs.close()
  const before = readFileSync(file)
  for (const open of [SqliteLedger.open, SqliteLedger.read])
    expect(() => open(file, () => new Date(0))).toThrow(/is a database of another program, not a ledger/)
  expect(readFileSync(file).equals(before)).toBe(true)
})

it("a job that names a contender that nobody knows is refused before anything is trained", async () => {
  const folder = await trainableWorkspace({ evaluation: { contenders: ["zero-shot", "few-shots"] } })
  await expect(readCheckedJob(Workspace.open(folder), "mood")).rejects.toMatchObject({
    issues: [{ path: "evaluation.contenders[1]", message: expect.stringContaining('did you mean "few-shot"') }],
  })
  writeFileSync(
    join(folder, "jobs", "mood.yaml"),
    readFileSync(join(folder, "jobs", "mood.yaml"), "utf8").replace("shots", "shot"),
  )
  await expect(readCheckedJob(Workspace.open(folder), "mood")).resolves.toBeDefined()
})
