import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Places, type Scenario, step } from "./scenario.ts"

const missingFolder =
  (...parts: string[]) =>
  ({ shared }: Places) =>
    shared !== undefined && existsSync(join(shared, ...parts)) ? undefined : `there is no ${join("shared", ...parts)}`

/** Inputs that users of such tools have: each case in a workspace of its own, with the commands that meet it. */
const caseCommands: Readonly<Record<string, readonly string[]>> = {
  "01-bigint": ["seed import orders a-output.jsonl"],
  "05-tsv-quotes": ["seed import nli a.tsv", "seed import nli b.tsv"],
  "15-multilabel": ["seed import topics b-semicolon.csv", "build topics"],
  "18-encoding": ["seed import mail a-cp1252.csv"],
  "19-json-shapes": ["seed import mail f-pretty.jsonl"],
  "21-pii": ["seed import mail a.jsonl", "build mail --json"],
  "22-shapes": ["seed import mail m-short-rows.csv --json"],
  "24-leak": ["build sms --from train=train.jsonl test=test.jsonl"],
  "26-dedup": ["dedup intents.csv --field text --report report.jsonl", "dedup dpo.jsonl --out kept.jsonl"],
  "27-review": ["input import code inputs.jsonl", "review import code a-code.xlsx --dry-run"],
  "28-parquet": ["seed import multi h-listlabels.parquet"],
  "33-groups": ["spec check", "seed import shop a.jsonl"],
}

export const cases: readonly Scenario[] = Object.entries(caseCommands).map(([name, commands]) => ({
  name: `case-${name}`,
  missing: missingFolder("cases", name),
  prepare: (workspace, { shared = "" }) => copyWritable(join(shared, "cases", name), workspace),
  steps: () => commands.map((command) => step(...command.split(" "))),
}))

/** Files of a folder that may be read only, as files that may be changed. */
function copyWritable(from: string, to: string): void {
  cpSync(from, to, { recursive: true, mode: 0 })
}

/** Ten thousand real rows of 77 labels. */
export const banking: Scenario = {
  name: "banking",
  missing: missingFolder("data", "banking77"),
  prepare: writeBankingTask,
  steps: ({ shared = "" }) => {
    const train = join(shared, "data", "banking77", "train.csv")
    const test = join(shared, "data", "banking77", "test.csv")
    return [
      step("build", "intents", "--from", `train=${train}`, `test=${test}`, "--column", "output=category"),
      step("build", "whole", "--from", train, "--column", "output=category"),
      step("dedup", train, "--field", "text", "--threshold", "0.6", "--report", "report.jsonl", "--threads", "1"),
      step("dedup", train, "--field", "text", "--out", "kept.csv", "--threads", "2", "--json"),
    ]
  },
}

function writeBankingTask(workspace: string, { shared = "" }: Places): void {
  const rows = readFileSync(join(shared, "data", "banking77", "train.csv"), "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
  const labels = [...new Set(rows.map((row) => row.slice(row.lastIndexOf(",") + 1).trim()))].sort()
  mkdirSync(join(workspace, "specs"))
  for (const task of ["intents", "whole"])
    writeFileSync(
      join(workspace, "specs", `${task}.yaml`),
      `task: ${task}\nkind: label\ndescription: What a customer wants.\ninput:\n  text: { description: ` +
        `the message }\noutput:\n  ` +
        `labels:\n${labels.map((label) => `    ${JSON.stringify(label)}: an intent\n`).join("")}`,
    )
}
