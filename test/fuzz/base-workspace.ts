import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parquetWriteFile } from "hyparquet-writer"
import { packageRoot } from "../../src/cli/version.ts"
import { contentDigest, idDigest } from "../../src/core/rows/erasure.ts"
import { inputDigest } from "../../src/core/rows/recorded-answer.ts"
import { writeWorkbook } from "../../src/store/tables/xlsx-writer.ts"
import { copyFixture, fixtureRuns } from "../characterisation/fixture.ts"
import { linesOf } from "../command-line.ts"
import type { CommandHost } from "./command-host.ts"

/** Fills the folder with a workspace that has a sound file of every kind that is read. */
export async function makeBase(folder: string, host: CommandHost): Promise<void> {
  copyFixture(folder)
  for (const file of [join("jobs", "runs", fixtureRuns.killed, "checkpoints"), "provider.json", "tiny-model"])
    rmSync(join(folder, file), { recursive: true })
  mkdirSync(join(folder, "datasets", "order-extraction"))
  for (const file of ["specs/order-extraction.yaml", ...orders]) cpSync(join(packageRoot, file), join(folder, file))
  for (const file of ["prices.yaml", "sunsets.yaml", "licences.yaml"])
    cpSync(join(packageRoot, "facts", file), join(folder, file))
  writeFileSync(join(folder, "tuneloop.yaml"), settings)
  await writeTables(folder)
  writeRecording(folder)
  writeTombstone(folder)
  const { code, stderr } = await host.run([
    ...["--workspace", folder, "review", "export", "mood", "--out", join(folder, "review.xlsx")],
  ])
  if (code !== 0) throw new Error(`no sheet for reviewers: ${stderr}`)
}

const orders = ["seeds.jsonl", "splits.jsonl"].map((name) => `datasets/order-extraction/${name}`)

const settings = `ledger: .tuneloop/ledger.db
allowedHosts: [127.0.0.1, localhost]
budgets: { requestsUsd: 5 }
backends:
  here: { name: local, options: {} }
`

/** The gold examples in every form in which people have tables. */
async function writeTables(folder: string): Promise<void> {
  const gold = linesOf<{ input: string; output: string }>(join(folder, "gold.jsonl"))
  const rows = gold
    .slice(0, 12)
    .map(({ input, output }, index) => ({ text: `${input} too`, output, number: index / 2 }))
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  write(
    "rows.json",
    JSON.stringify(
      rows.map(({ text, output }) => ({ input: { text }, output })),
      null,
      1,
    ),
  )
  write("rows.jsonl", rows.map(({ text, output }) => `${JSON.stringify({ input: { text }, output })}\n`).join(""))
  write("rows.csv", ["text,output", ...rows.map(({ text, output }) => `"${text}",${output}`)].join("\r\n"))
  write("rows.tsv", ["text\toutput", ...rows.map(({ text, output }) => `${text}\t${output}`)].join("\n"))
  await writeWorkbook(join(folder, "rows.xlsx"), {
    name: "rows",
    columns: ["text", "output"].map((title) => ({ key: "", title, width: 20, look: "open" as const })),
    frozen: 1,
    rows: rows.map(({ text, output }) => [text, output]),
    guideName: "Guide",
    guide: [{ look: "title", cells: ["a guide"] }],
  })
  parquetWriteFile({
    filename: join(folder, "rows.parquet"),
    columnData: [
      { name: "text", data: rows.map(({ text }) => text), type: "STRING" },
      { name: "output", data: rows.map(({ output }) => output), type: "STRING" },
      { name: "number", data: rows.map(({ number }) => number), type: "DOUBLE" },
    ],
  })
}

function writeRecording(folder: string): void {
  const holdout = join(folder, "datasets/mood/holdouts/hold_d7bfa20098a9c2c3/test.jsonl")
  const lines = linesOf<{ id: string; input: Record<string, string>; output: string }>(holdout)
  const terms = { model: "test-model", baseUrl: "http://127.0.0.1:47113/v1", prompt: "prompt_de866e3e9d5243d9" }
  const recorded = lines.map(({ id, input, output }) => ({
    ...{ id, inputDigest: inputDigest(input), output, finish: "stop", inputTokens: 20, outputTokens: 1 },
    ...{ ...terms, maxTokens: 256, at: "2026-11-30T00:00:00Z" },
  }))
  mkdirSync(join(folder, "datasets/mood/recorded"))
  const text = recorded.map((line) => `${JSON.stringify(line)}\n`).join("")
  writeFileSync(join(folder, "datasets/mood/recorded/old.jsonl"), text)
}

/** That a row was erased that no version has. */
function writeTombstone(folder: string): void {
  const input = { text: "a text that is gone" }
  const tombstone = {
    id: idDigest("input_0123456789abcdef"),
    contents: [contentDigest(input)],
    at: "2026-11-30T00:00:00Z",
  }
  writeFileSync(join(folder, "datasets/mood/tombstones.jsonl"), `${JSON.stringify(tombstone)}\n`)
}
