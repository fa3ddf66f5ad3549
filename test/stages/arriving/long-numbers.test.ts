import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parquetWriteFile } from "hyparquet-writer"
import { beforeEach, describe, expect, it } from "vitest"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { stageContext } from "../training/workspace.ts"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tuneloop-long-"))
  mkdirSync(join(folder, "specs"))
  writeFileSync(
    join(folder, "specs", "orders.yaml"),
    `task: orders
kind: json
description: t
input: { text: { description: t }, account: { description: a, type: number, required: false } }
output: { schema: { type: object, required: [order], properties: { order: { type: [integer, string] } } } }
prompt: { system: s }
`,
  )
})

async function imported(name: string, content?: string): Promise<string[]> {
  if (content !== undefined) writeFileSync(join(folder, name), content)
  const context = stageContext(folder)
  await importSeeds(context, context.workspace.readTask("orders"), [join(folder, name)], { skipInvalid: false })
  return readFileSync(join(folder, "datasets", "orders", "seeds.jsonl"), "utf8")
    .trim()
    .split("\n")
}

const [one, other] = ["1610521604143693812", "1610521604143693813"]

describe("a number that would be rounded", () => {
  it.each([
    ["a.jsonl", (id: string) => `{"id":${id},"input":{"text":"t ${id}"},"output":{"order":1}}\n`],
    ["a.csv", (id: string) => `id,text,output\n${id},t ${id},"{""order"":1}"\n`],
    ["a.json", (id: string) => `[{"id":${id},"input":{"text":"t ${id}"},"output":{"order":1}}]`],
  ])("is two ids in %s, not one that is corrected", async (name, rowOf) => {
    await imported(name, rowOf(one))
    const rows = await imported(name, rowOf(other))
    expect(rows.map((row) => (JSON.parse(row) as { key: string }).key)).toEqual([one, other])
  })

  it("keeps its digits in an output that may be a text", async () => {
    const [row] = await imported("a.jsonl", `{"input":{"text":"t"},"output":{"order":${one}}}\n`)
    expect(row).toContain(`"order":"${one}"`)
  })

  it.each([
    ["a.jsonl", `{"input":{"text":"t","account":${one}},"output":{"order":1}}\n`],
    ["b.jsonl", `{"input":{"text":"t","account":1e400},"output":{"order":1}}\n`],
    ["a.csv", `text,account,output\nt,${one},"{""order"":1}"\n`],
  ])("is refused by its line where the task wants a number: %s", async (name, content) => {
    await expect(imported(name, content)).rejects.toThrow(/:[12]: input\.account: expected a number, got "1/)
  })

  it("beyond all is refused by its line wherever it is read, and disturbs nothing where it is not", async () => {
    const output = '"output":{"order":1,"x":[1e999]}'
    await expect(imported("a.jsonl", `{"input":{"text":"t"},${output}}\n`)).rejects.toThrow(
      /:1: output\.x\.0: expected a number, got "1e999": no number is so large/,
    )
    await expect(imported("a.jsonl", '{"input":{"text":1e999},"output":{"order":1}}\n')).rejects.toThrow(
      /:1: input\.text/,
    )
    await imported("b.jsonl", '{"text":"t","order":1,"unused":1e999}\n')
  })

  it("disturbs nothing in a Parquet column that nobody uses, nor does NaN", async () => {
    parquetWriteFile({
      filename: join(folder, "a.parquet"),
      columnData: [
        { name: "text", data: ["one", "two"], type: "STRING" },
        { name: "output", data: ['{"order":1}', '{"order":2}'], type: "STRING" },
        { name: "tweet", data: [BigInt(one), BigInt(other)], type: "INT64" },
        { name: "score", data: [Number.NaN, 1.5], type: "DOUBLE" },
      ],
    })
    expect(await imported("a.parquet")).toHaveLength(2)
  })
})
