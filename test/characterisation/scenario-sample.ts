import { cpSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { decide } from "./decide.ts"
import { asJson, type Places, type Scenario, step } from "./scenario.ts"

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
    asJson("build", "order-extraction"),
    step("dataset", "export", "order-extraction", "--format", "messages", "--out", "out"),
    step("status", "order-extraction"),
  ],
}

const formats = ["gemini", "messages", "parquet", "prompt-completion", "sharegpt"]
const task = "ticket-triage"
const built = "ds_e82b482fe99df897"

/** The sample task of the quickstart, through every stage that trains nothing. */
export const sample: Scenario = {
  name: "sample",
  prepare: copySamples,
  steps: ({ checkout }) => {
    const data = (file: string) => join(checkout, "datasets", task, file)
    return [
      step("spec", "check"),
      step("spec", "check", "ticket-triag"),
      step("seed", "import", task, data("seeds.jsonl")),
      asJson("seed", "import", task, data("seeds.jsonl")),
      asJson("input", "import", task, data("inputs.jsonl")),
      step("expand", task, "--dry-run"),
      step("expand", task),
      asJson("expand", task),
      step("review", "export", task, "--out", "review.xlsx", "--limit", "10"),
      step("review", "export", task, "--out", "review.csv"),
      step("review", "import", task, data("recorded-review.csv"), "--dry-run", "--show", "3"),
      step("review", "import", task, data("recorded-review.csv")),
      asJson("review", "import", task, data("recorded-review.csv")),
      asJson("review", "status", task),
      step("review", "suspects", task, "--limit", "3"),
      step("build", task),
      asJson("build", task),
      step("dataset", "show", built),
      asJson("dataset", "show", "ex_4fe685834e30d648"),
      step("dataset", "card", task),
      ...formats.map((format) => step("dataset", "export", task, "--format", format, "--out", `out/${format}`)),
      step("dataset", "export", task, "--format", "messages", "--out", "out/sealed", "--with-test"),
      asJson("train", task, "--dry-run"),
      step("run", task),
      step("holdout", "refresh", task, "--force", "--why", "a recording"),
      step("dataset", "erase", task, "--matching", "@", "--why", "asked for"),
      step("dataset", "erase", task, "--matching", "@", "--why", "asked for", "--yes"),
      asJson("build", task),
      step("dataset", "diff", built, "latest"),
      asJson("dataset", "ls"),
      {
        words: ["task", "migrate", task, "--merge", "return,payment=money", "--yes"],
        before: (workspace) => mergeLabels(join(workspace, "specs", `${task}.yaml`)),
      },
      step("build", task),
      asJson("status"),
      step("ledger", "verify"),
      {
        words: ["spec", "check", "house-style-reply", "--json"],
        before: (workspace) => edit(join(workspace, "specs/house-style-reply.yaml"), "kind: text", "kind: poem"),
      },
    ]
  },
}

function mergeLabels(file: string): void {
  edit(file, "    return: sending back, exchange or cancelling\n", "")
  edit(file, "    payment: charges, refunds, invoices, vouchers\n", "    money: sending back, charges, refunds\n")
  const text = readFileSync(file, "utf8")
  writeFileSync(file, text.replace(/^expand:[\s\S]*?^review:/m, "review:"))
}
