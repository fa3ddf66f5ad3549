import { step, type Scenario } from "./scenario.ts"

const commands: Readonly<Record<string, readonly string[]>> = {
  quickstart: [],
  init: [],
  spec: ["check"],
  task: ["migrate"],
  seed: ["import"],
  input: ["import"],
  expand: [],
  review: ["export", "suspects", "import", "status", "agreement", "serve"],
  build: [],
  dataset: ["ls", "show", "diff", "export", "card", "tokens", "erase"],
  dedup: [],
  train: [],
  runs: ["ls", "show", "watch", "logs", "cancel"],
  evaluate: [],
  holdout: ["refresh"],
  run: [],
  status: [],
  doctor: [],
  config: ["show"],
  schema: [],
  ledger: ["verify", "costs", "recording"],
}

/** The help of every command. */
export const help: Scenario = {
  name: "help",
  isTextOnly: true,
  steps: () => [
    step("--help"),
    ...Object.entries(commands).flatMap(([command, parts]) => [
      step(command, "--help"),
      ...parts.map((part) => step(command, part, "--help")),
    ]),
  ],
}

/** What needs no data: schemas, settings, the machine. */
export const machine: Scenario = {
  name: "machine",
  steps: () => [
    step("init", "made"),
    step("schema", "task"),
    step("schema", "job"),
    step("schema", "workspace"),
    step("schema", "example"),
    step("schema", "recipe"),
    step("config", "show"),
    step("doctor"),
    step("status"),
    step("ledger", "verify"),
    step("runs", "ls"),
    step("nonsense"),
  ],
}
