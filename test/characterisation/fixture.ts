import { cpSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { loadLedger } from "./ledger-dump.ts"

export const fixtureFolder = join(import.meta.dirname, "..", "fixtures", "workspace-50f4575")

/** The ids of the fixture's runs, by their jobs. */
export const fixtureRuns = {
  finished: "finished-20261130T123924Z-390a65",
  killed: "killed-20261130T124018Z-b57bde",
  unseen: "unseen-20261130T124028Z-494826",
} as const

/** Fills the folder with the workspace that commit 50f4575 left, its ledger included. */
export function copyFixture(workspace: string): void {
  cpSync(fixtureFolder, workspace, { recursive: true })
  loadLedger(readFileSync(join(workspace, "ledger.sql"), "utf8"), join(workspace, ".tuneloop", "ledger.db"))
  rmSync(join(workspace, "ledger.sql"))
}
