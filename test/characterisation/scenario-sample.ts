import { cpSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { decide } from "./decide.ts"
import { type Places, type Scenario, step } from "./scenario.ts"

/** The specifications and jobs of the samples; their data is imported by the commands. */
export function copySamples(workspace: string, { checkout }: Places): void {
  for (const folder of ["specs", "jobs"])
    cpSync(join(checkout, folder), join(workspace, folder), {
      recursive: true,
      filter: (file) => !file.startsWith(join(checkout, "jobs", "runs")),
    })
}

/** Replaces a text in a file that a person wrote. */
export function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8")
  if (!text.includes(from)) throw new Error(`${file} does not say: ${from}`)
  writeFileSync(file, text.replace(from, to))
}

const rowsWithErrors = [
  { input: { message: "Two boxes of figs" }, output: { customer: null } },
  { input: { wrong: "x" }, output: "y" },
]

/** A small task from its specification to a version: short enough for a test. */
export const quick: Scenario = {
  name: "quick",
  prepare(workspace, places) {
    copySamples(workspace, places)
    writeFileSync(join(workspace, "bad.jsonl"), rowsWithErrors.map((row) => `${JSON.stringify(row)}\n`).join(""))
  },
  steps: ({ checkout }) => [
    step("seed", "import", "order-extraction", "bad.jsonl"),
    step("seed", "import", "order-extraction", join(checkout, "datasets", "order-extraction", "seeds.jsonl")),
    step("expand", "order-extraction"),
    step("review", "export", "order-extraction", "--out", "review.csv", "--reviewer", "amara"),
    {
      words: ["review", "import", "order-extraction", "review.csv"],
      before: (workspace) => decide(join(workspace, "review.csv")),
    },
    step("build", "order-extraction"),
    step("dataset", "export", "order-extraction", "--format", "messages", "--out", "out"),
    step("status", "order-extraction"),
  ],
}

const formats = ["alpaca", "gemini", "messages", "mlx-lm", "parquet", "prompt-completion", "sharegpt"]
const badPreferenceFormat = "preference-trl"

/** The sample task of the quickstart, through every stage that trains nothing. */
export const sample: Scenario = {
  name: "sample",
  prepare: copySamples,
  steps: ({ checkout }) => [
    step("spec", "check"),
    {
      words: ["spec", "check", "house-style-reply"],
      before: (workspace) => edit(join(workspace, "specs/house-style-reply.yaml"), "kind: text", "kind: poem"),
    },
    step("spec", "check", "ticket-triag"),
    step("seed", "import", "ticket-triage", join(checkout, "datasets", "ticket-triage", "seeds.jsonl")),
    step("seed", "import", "ticket-triage", join(checkout, "datasets", "ticket-triage", "seeds.jsonl")),
    step("input", "import", "ticket-triage", join(checkout, "datasets", "ticket-triage", "inputs.jsonl")),
    step("expand", "ticket-triage", "--dry-run"),
    step("expand", "ticket-triage", "--preview", "3"),
    step("expand", "ticket-triage"),
    step("expand", "ticket-triage"),
    step("review", "export", "ticket-triage", "--out", "review.xlsx", "--limit", "10"),
    step("review", "export", "ticket-triage", "--out", "review.csv"),
    step(
      "review",
      "import",
      "ticket-triage",
      join(checkout, "datasets/ticket-triage/recorded-review.csv"),
      "--dry-run",
    ),
    step("review", "import", "ticket-triage", join(checkout, "datasets/ticket-triage/recorded-review.csv")),
    step("review", "import", "ticket-triage", join(checkout, "datasets/ticket-triage/recorded-review.csv")),
    step("review", "status", "ticket-triage"),
    step("review", "suspects", "ticket-triage", "--limit", "3"),
    step("review", "agreement", "ticket-triage"),
    step("build", "ticket-triage"),
    step("build", "ticket-triage"),
    step("dataset", "show", "ticket-triage", "latest"),
    step("dataset", "show", "ds_e82b482fe99df897"),
    step("dataset", "show", "ex_4fe685834e30d648"),
    step("dataset", "card", "ticket-triage"),
    ...formats.map((format) =>
      step("dataset", "export", "ticket-triage", "--format", format, "--out", `out/${format}`),
    ),
    step("dataset", "export", "ticket-triage", "--format", badPreferenceFormat, "--out", "out/no"),
    step("dataset", "export", "ticket-triage", "--format", "messages", "--out", "out/sealed", "--with-test"),
    step("train", "ticket-triage", "--dry-run"),
    step("dataset", "tokens", "ticket-triage"),
    step("run", "ticket-triage"),
    step("holdout", "refresh", "ticket-triage", "--force", "--why", "a recording"),
    step("dataset", "erase", "ticket-triage", "--matching", "@", "--why", "asked for"),
    step("dataset", "erase", "ticket-triage", "--matching", "@", "--why", "asked for", "--yes"),
    step("build", "ticket-triage"),
    step("dataset", "diff", "ds_e82b482fe99df897", "latest"),
    step("dataset", "ls"),
    {
      words: ["task", "migrate", "ticket-triage", "--merge", "return,payment=money"],
      before: (workspace) => mergeLabels(join(workspace, "specs/ticket-triage.yaml")),
    },
    step("task", "migrate", "ticket-triage", "--merge", "return,payment=money", "--yes"),
    step("build", "ticket-triage"),
    step("status"),
    step("ledger", "verify"),
  ],
}

function mergeLabels(file: string): void {
  edit(file, "    return: sending back, exchange or cancelling\n", "")
  edit(file, "    payment: charges, refunds, invoices, vouchers\n", "    money: sending back, charges, refunds\n")
  const text = readFileSync(file, "utf8")
  writeFileSync(file, text.replace(/^expand:[\s\S]*?^review:/m, "review:"))
}
