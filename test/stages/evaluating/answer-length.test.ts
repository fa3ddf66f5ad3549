import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { beforeAll, describe, expect, it } from "vitest"
import { stringify } from "yaml"
import { answerRoom } from "../../../src/core/asking/answer-room.ts"
import { estimatedTokens } from "../../../src/core/asking/tokens.ts"
import type { FineTuneBackend } from "../../../src/core/contracts/backend.ts"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { build } from "../../../src/stages/building/build.ts"
import { evaluate } from "../../../src/stages/evaluating/evaluate.ts"
import { train } from "../../../src/stages/training/train.ts"
import { makeFolder, toJsonLines, writeAtomically } from "../../../src/store/files/files.ts"
import { linesOf } from "../../command-line.ts"
import { stageContext } from "../training/workspace.ts"
import { quickBackend, requestOf } from "./evaluating.ts"

const output = (n: number) => ({
  number: `A-${1000 + n}`,
  date: "2026-11-30",
  lines: [`item ${n}`, "delivery"],
  total: n,
})
const specification = {
  task: "order",
  kind: "json",
  description: "Read the order.",
  input: { body: {} },
  output: { schema: { type: "object", required: ["number", "total"] } },
  prompt: { system: "Read the order.", user: "{{body}}" },
}

let prepared = ""
let run = ""
/** Answers as a model does that gets all right, where the length lets it. */
const backend = (seen: number[] = []): FineTuneBackend =>
  quickBackend(new Map(), {
    generate: async ({ jobs }) => {
      for (const { rows, predictions, maxNewTokens } of jobs) {
        seen.push(maxNewTokens)
        const answers = linesOf<{ id: string; messages: { content: string }[] }>(rows).map(({ id, messages }) => {
          const n = Number(/order (\d+) /.exec(messages.at(-1)?.content ?? "")?.[1])
          const whole = JSON.stringify(output(n))
          const said = whole.slice(0, 4 * maxNewTokens)
          const finish = said.length < whole.length ? "length" : "stop"
          return { id, output: said, latencyMs: 1, inputTokens: 9, outputTokens: 9, finish }
        })
        writeAtomically(predictions, toJsonLines(answers))
      }
    },
  })

beforeAll(async () => {
  prepared = mkdtempSync(join(tmpdir(), "tuneloop-length-"))
  for (const name of ["specs", "jobs"]) makeFolder(join(prepared, name))
  writeFileSync(join(prepared, "specs", "order.yaml"), stringify({ schemaVersion: 1, ...specification }))
  writeFileSync(
    join(prepared, "jobs", "order.yaml"),
    stringify({ schemaVersion: 1, job: "order", task: "order", baseModel: "b/m" }),
  )
  const context = stageContext(prepared)
  const task = context.workspace.readTask("order")
  const rows = Array.from({ length: 24 }, (_, n) => ({
    input: { body: `order ${n} w${n}x q${n * 7}y z${n * 13}v k${n * 29}t` },
    output: output(n),
    ...(n < 16 ? { split: "train" } : {}),
  }))
  writeFileSync(join(prepared, "rows.jsonl"), toJsonLines(rows))
  await importSeeds(context, task, [join(prepared, "rows.jsonl")], { skipInvalid: false })
  await build(context, task, [])
  run = (await train(context, context.workspace.readJob("order"), task, backend())).run.run
}, 60_000)

function copied(length?: number) {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-length-"))
  cpSync(prepared, folder, { recursive: true })
  const said: string[] = []
  const context = stageContext(folder, { said })
  const { workspace } = context
  const evaluated = async (given = length, seen: number[] = []) => {
    const job = workspace.readJob("order")
    const evaluation = {
      ...job.evaluation,
      contenders: ["zero-shot"],
      ...(given === undefined ? {} : { maxNewTokens: given }),
    }
    const task = {
      ...workspace.readTask("order"),
      verdict: { ...workspace.readTask("order").verdict, incumbent: "zero-shot" },
    }
    return evaluate(context, await requestOf(task, { ...job, evaluation }, run, backend(seen)))
  }
  return { folder, context, evaluated, said }
}

describe("the length of an answer", () => {
  it("follows from the outputs where nobody sets it, so that no answer to a JSON task is cut", async () => {
    const at = copied()
    const seen: number[] = []
    const { result } = await at.evaluated(undefined, seen)
    expect(result.contenders.map(({ unreadable }) => unreadable)).toEqual([0, 0])
    expect(new Set(seen)).toEqual(new Set([64]))
    // The same settings are the same evaluation.
    expect((await at.evaluated()).state).toBe("unchanged")
    expect(at.said.join()).not.toMatch(/maxNewTokens/)
  })

  it("that is too short for what was trained is told before the test set is opened, and after", async () => {
    const at = copied(16)
    const { result } = await at.evaluated()
    expect(at.said.join()).toMatch(/evaluation\.maxNewTokens of the job is 16, .* about 2\d tokens/)
    expect(result.contenders[0]).toMatchObject({ unreadable: result.contenders[0]?.cut })
    expect(result.notes.join()).toMatch(/all of them were cut off/)
  })

  it("stays for an evaluation that was made when it was 16 for all", async () => {
    const at = copied()
    const { result } = await at.evaluated(16)
    const file = join(at.folder, "jobs", "runs", run, "evaluations", `${result.evaluation}.json`)
    const before = readFileSync(file, "utf8")
    const again = await at.evaluated(undefined)
    expect(again).toMatchObject({ state: "unchanged", result: { evaluation: result.evaluation } })
    expect(readFileSync(file, "utf8")).toBe(before)
    expect(await at.context.ledger().openings.of(result.holdout)).toHaveLength(1)
  })

  it("has room for three of the longest, and for 16 tokens in any case", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 300 })), (texts) => {
        const room = answerRoom(texts, 16)
        const longest = Math.max(0, ...texts.map(estimatedTokens))
        expect(room).toBeGreaterThanOrEqual(Math.max(16, 3 * longest))
        expect(room).toBeLessThan(2 * Math.max(16, 3 * longest))
        expect(Number.isInteger(Math.log2(room))).toBe(true)
      }),
    )
  })
})
