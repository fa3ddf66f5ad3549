import { existsSync } from "node:fs"
import { join } from "node:path"
import { copyFixture } from "./fixture.ts"
import { type Places, type Scenario, step } from "./scenario.ts"

/** Goes on with the workspace that an earlier commit made. */
export const fixture: Scenario = {
  name: "fixture",
  missing: ({ fixtures }: Places) =>
    existsSync(join(fixtures, "workspace-50f4575")) ? undefined : "there is no workspace-50f4575 among the fixtures",
  prepare: (workspace) => copyFixture(workspace),
  steps: () => [
    step("status"),
    step("runs", "ls"),
    step("runs", "show", "finished"),
    step("runs", "show", "unseen"),
    step("runs", "show", "killed"),
    step("runs", "watch", "unseen"),
    step("runs", "logs", "finished"),
    step("runs", "cancel", "unseen"),
    step("build", "mood"),
    step("train", "finished"),
    step("train", "unseen"),
    step("train", "killed", "--dry-run"),
    step("evaluate", "finished"),
    step("evaluate", "unseen"),
    step("dataset", "card", "mood"),
    step("dataset", "ls"),
    step("holdout", "refresh", "mood"),
    step("expand", "mood", "--strategy", "self-instruct"),
    step("run", "mood", "--job", "finished"),
    step("ledger", "costs"),
    step("ledger", "recording", "mood"),
    step("ledger", "verify"),
    step("doctor"),
  ],
}
