import { asJson, type Scenario, step } from "./scenario.ts"

/**
 * What needs no data: help, schemas, settings, the machine. The help of each command is in docs/cli.md, which a test
 * keeps true.
 */
export const machine: Scenario = {
  name: "machine",
  steps: () => [
    step("--help"),
    step("init", "made"),
    step("schema", "task"),
    step("schema", "job"),
    step("schema", "workspace"),
    step("schema", "example"),
    step("config", "show"),
    asJson("doctor"),
    asJson("status"),
    step("runs", "ls"),
    step("nonsense"),
  ],
}
