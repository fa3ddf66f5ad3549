import { existsSync } from "node:fs"
import { join } from "node:path"
import { copyFixture } from "./fixture.ts"
import { asJson, type Places, type Scenario, step } from "./scenario.ts"

/** Goes on with the workspace that an earlier commit made. */
export const fixture: Scenario = {
  name: "fixture",
  missing: ({ fixtures }: Places) =>
    existsSync(join(fixtures, "workspace-50f4575")) ? undefined : "there is no workspace-50f4575 among the fixtures",
  prepare: (workspace) => copyFixture(workspace),
  steps: () => [
    asJson("status"),
    step("runs", "ls"),
    asJson("runs", "show", "finished"),
    step("runs", "show", "unseen"),
    asJson("runs", "show", "killed"),
    step("build", "mood"),
    asJson("train", "finished"),
    step("train", "unseen"),
    step("evaluate", "finished"),
    asJson("evaluate", "finished"),
    step("evaluate", "unseen"),
    step("expand", "mood", "--strategy", "self-instruct"),
    step("run", "mood", "--job", "finished"),
    step("ledger", "costs"),
    step("ledger", "verify"),
  ],
}
