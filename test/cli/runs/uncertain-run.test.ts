import { expect, it } from "vitest"
import { Workspace } from "../../../src/store/workspace.ts"
import { planTraining } from "../../../src/stages/training/plan-training.ts"
import { runFiles, writeRun } from "../../../src/store/rows/run-files.ts"
import { stageContext, trainableWorkspace } from "../../stages/training/workspace.ts"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { json, tuneloop } from "../../command-line.ts"

/** A run of which it is not known whether it has a job, as a command that lost its connection leaves it. */
async function uncertainRun(): Promise<string> {
  const folder = await trainableWorkspace()
  const context = stageContext(folder)
  const workspace = Workspace.open(folder)
  const { plan, digest, rendered } = planTraining(context, workspace.readJob("mood"), workspace.readTask("mood"))
  writeRun(runFiles(workspace, "r"), plan, rendered)
  const { runs } = context.ledger()
  await runs.create({ run: "r", job: "mood", task: "mood", plan: digest })
  await runs.beginSubmission("r", "key", 1)
  const hint = "Run it again: tuneloop train mood."
  await runs.appendEvents("r", [{ type: "state-changed", state: "uncertain", message: "the line was cut", hint }])
  return folder
}

it("a run that may have a job is shown as uncertain, with the reason and the next command", async () => {
  const folder = await uncertainRun()
  expect(await json(folder, "runs", "ls")).toMatchObject({ runs: [{ run: "r", state: "uncertain" }] })
  expect(await json(folder, "runs", "show", "r")).toMatchObject({ state: "uncertain", message: "the line was cut" })
  const shown = await tuneloop(folder, ["runs", "show", "r"]).outcome
  expect(shown.stdout).toContain("uncertain")
  expect(shown.stdout).toContain("the line was cut\nRun it again: tuneloop train mood.")
  expect(await json(folder, "status", "mood")).toMatchObject({
    tasks: [{ run: { id: "r", state: "uncertain" }, next: "tuneloop train mood --wait" }],
  })
  const doctor = await tuneloop(folder, ["doctor"]).outcome
  expect(doctor.stdout).toMatch(
    /FAILED +runs: without a remote job: r \(uncertain\)\n +Run `tuneloop train <job>` again/,
  )
  // It does not wait for what never comes by itself.
  const watched = await tuneloop(folder, ["runs", "watch", "r"]).outcome
  expect(watched.code).toBe(1)
  expect(watched.stdout).toContain("r is uncertain and has no job to wait for\nthe line was cut\n")
})

it("a run whose backend cannot be asked is shown as it was last known", async () => {
  const folder = await uncertainRun()
  rmSync(join(folder, "jobs", "runs", "r", "plan.json"))
  const { code, stdout, stderr } = await tuneloop(folder, ["runs", "ls"]).outcome
  expect([code, stdout]).toEqual([0, expect.stringContaining("uncertain")])
  expect(stderr).toContain("warning: r is shown as it was last known: r has no plan in jobs/runs/r")
  expect((await tuneloop(folder, ["runs", "watch", "r"]).outcome).stderr).toContain("has no plan")
})
