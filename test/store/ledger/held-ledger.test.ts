import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { expect, it } from "vitest"
import { damagedHint, unopenedHint } from "../../../src/store/ledger/sqlite-ledger.ts"

it("a ledger that another command holds is not taken for a damaged one", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tuneloop-held-")), "ledger.db")
  const [holder, other] = [new DatabaseSync(file), new DatabaseSync(file)]
  holder.exec("begin exclusive")
  let held: unknown
  try {
    other.exec("create table t (a text)")
  } catch (error) {
    held = error
  }
  expect(String(held)).toContain("locked")
  expect(unopenedHint(held, true)).toMatch(/it is whole\. Run this again/)
  expect(unopenedHint(held, false)).toMatch(/it is whole\. Run this again/)
  expect(unopenedHint(new Error("file is not a database"), true)).toBe(damagedHint)
  holder.close()
  other.close()
})
