import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { importReview } from "../../../src/stages/reviewing/review-import.ts"
import { importInputs } from "../../../src/stages/arriving/import-rows.ts"
import { caseFile, caseText, describeCase } from "../../shared-cases.ts"
import { stageContext } from "../training/workspace.ts"

describeCase("27-review", () => {
  /** What a dry run makes of a saved sheet of the task. */
  async function read(task: string, sheet: string) {
    const folder = mkdtempSync(join(tmpdir(), "tuneloop-sheets-"))
    mkdirSync(join(folder, "specs"))
    writeFileSync(join(folder, "specs", `${task}.yaml`), caseText("27-review", `specs/${task}.yaml`))
    const context = stageContext(folder)
    const specification = context.workspace.readTask(task)
    await importInputs(context, specification, [caseFile("27-review", "inputs.jsonl")], { skipInvalid: false })
    return importReview(context, specification, caseFile("27-review", sheet), { reviewer: "ann", dryRun: true })
  }

  it("takes true and false as labels, however the sheet wrote them", async () => {
    const { changes, notes } = await read("flag", "e-flag.xlsx")
    expect(changes.map(({ after }) => after)).toEqual(["true", "false", "true"])
    expect(notes).toEqual([])
  })

  it("names every cell that a spreadsheet changed, and writes nothing", async () => {
    await expect(read("code", "b-date.xlsx")).rejects.toThrow(
      /:2: .*made a date of it \(45000\)[\s\S]*:3: .*#N\/A[\s\S]*:4: .*made a date of it \(2024-01-02\)/,
    )
    await expect(read("code", "a-code.xlsx")).rejects.toThrow(/:6: .*may have cut digits of 1234567890123460/)
  })
})
