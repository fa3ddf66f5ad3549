import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll, expect, it } from "vitest"
import openai from "../../../src/models/openai.ts"
import { evaluate } from "../../../src/stages/evaluating/evaluate.ts"
import { planRecording, record } from "../../../src/stages/models/record.ts"
import { train } from "../../../src/stages/training/train.ts"
import type { Example } from "../../../src/core/rows/example.ts"
import { linesOf } from "../../command-line.ts"
import { ChatServer } from "../../models/chat-server.ts"
import { stageContext, trainableWorkspace } from "../training/workspace.ts"
import { quickBackend, requestOf } from "./evaluating.ts"

let prepared = ""
let run = ""
beforeAll(async () => {
  prepared = await trainableWorkspace()
  const context = stageContext(prepared)
  const { workspace } = context
  run = (await train(context, workspace.readJob("mood"), workspace.readTask("mood"), quickBackend(new Map()))).run.run
}, 60_000)

/** A copy of the workspace with a finished run; recorded answers decide there, and all of them are right. */
function copied() {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-recorded-"))
  cpSync(prepared, folder, { recursive: true })
  const specification = join(folder, "specs", "mood.yaml")
  writeFileSync(specification, `${readFileSync(specification, "utf8")}verdict: {incumbent: "recorded:old"}\n`)
  const context = stageContext(folder)
  const task = context.workspace.readTask("mood")
  const asked = new Map<string, string[]>()
  const evaluated = async (contenders = ["recorded:old"]) => {
    const job = context.workspace.readJob("mood")
    const settings = { ...job, evaluation: { ...job.evaluation, contenders } }
    return evaluate(context, await requestOf(task, settings, run, quickBackend(asked)))
  }
  const recorded = async (server: ChatServer, model = "old-model", retryEmpty = false) => {
    const plan = await planRecording(context, {
      retryEmpty,
      ...{ task, name: "old", model, baseUrl: server.url, concurrency: 2, command: "" },
      ...{ maxTokens: undefined, holdout: undefined, inputs: undefined, budgetUsd: undefined },
    })
    await record(context, plan, () => openai.create({}, { baseUrl: server.url, fetch, readText: () => "" }))
    return plan
  }
  return { folder, context, evaluated, recorded, asked }
}

/** A server that knows the answers. */
async function knowing(folder: string, holdout: string): Promise<ChatServer> {
  const place = join(folder, "datasets", "mood", "holdouts", holdout)
  const rows = ["validation.jsonl", "test.jsonl"].flatMap((file) => linesOf<Example>(join(place, file)))
  const server = await ChatServer.start()
  let body = ""
  server.onAsked = (question) => {
    body = question.body
  }
  server.answer = () => String(rows.find(({ input }) => body.includes(String(input["body"])))?.output)
  return server
}

const holdoutOf = (folder: string) =>
  (JSON.parse(readFileSync(join(folder, "jobs", "runs", run, "plan.json"), "utf8")) as { holdout: string }).holdout

it("a model that has gone is the incumbent by what it answered, and its scoring opens the test set", async () => {
  const at = copied()
  const holdout = holdoutOf(at.folder)
  const server = await knowing(at.folder, holdout)
  await at.recorded(server)
  server.close()
  expect(await at.context.ledger().openings.of(holdout)).toEqual([])
  const { result } = await at.evaluated()
  expect(await at.context.ledger().openings.of(holdout)).toHaveLength(1)
  const scores = Object.fromEntries(result.contenders.map(({ name, metrics }) => [name, metrics["accuracy"]?.value]))
  expect(scores["recorded:old"]).toBe(1)
  expect(scores["tuned"]).toBe(0)
  expect(result).toMatchObject({ incumbent: "recorded:old", verdict: "reject" })
  expect(result.comparisons[0]).toMatchObject({ a: "tuned", b: "recorded:old", difference: -1, test: "exact McNemar" })
  expect(result.contenders.find(({ name }) => name === "recorded:old")).toMatchObject({
    latencyMs: null,
    tokens: { inputMean: 11, outputMean: 7 },
  })
  expect([...at.asked.keys()].sort()).toEqual(["tuned", "tuned-validation"])
  expect((await at.evaluated()).state).toBe("unchanged")
})

it("answers that are missing are named with the command that records them, before the test set is opened", async () => {
  const at = copied()
  const holdout = holdoutOf(at.folder)
  await expect(at.evaluated()).rejects.toMatchObject({
    code: "not-recorded",
    hint: "Record them: tuneloop models record <model> --task mood --as old",
  })
  const server = await knowing(at.folder, holdout)
  const { recording, rows } = await at.recorded(server)
  server.close()
  const [gone] = rows.test
  const kept = readFileSync(recording.file, "utf8").split("\n")
  writeFileSync(recording.file, kept.filter((line) => !line.includes(`"${gone?.id}"`)).join("\n"))
  const failure = await at.evaluated().then(
    () => undefined,
    (error: unknown) => error as Error & { hint: string },
  )
  expect(failure?.message).toBe(
    `datasets/mood/recorded/old.jsonl has no answers to 1 of ${rows.test.length} test rows: ${gone?.id}`,
  )
  expect(failure?.hint).toContain(`models record old-model --task mood --as old --holdout ${holdout}`)
  expect(await at.context.ledger().openings.of(holdout)).toEqual([])
})

it("a row without a text is recorded as such, kept, and asked again where that is wished", async () => {
  const at = copied()
  const holdout = holdoutOf(at.folder)
  const server = await knowing(at.folder, holdout)
  const knows = server.answer
  let asked = 0
  server.choice = () => {
    asked++
    const message = asked <= 2 ? { content: null, reasoning_content: "Hm." } : { content: `Hm.</think>${knows("")}` }
    return { index: 0, finish_reason: asked === 1 ? "length" : "stop", message }
  }
  const { recording, rows } = await at.recorded(server)
  const all = [...rows.validation, ...rows.test]
  const silent = () => [...recording.answersTo(all).values()].filter(({ output }) => output === "")
  expect(server.asked).toHaveLength(all.length)
  expect(silent()).toHaveLength(2)
  expect(silent().map(({ thought }) => thought)).toEqual(["Hm.", "Hm."])
  await at.recorded(server)
  expect(server.asked).toHaveLength(all.length)
  const again = await at.recorded(server, "old-model", true)
  expect(again).toMatchObject({ unasked: 2 })
  expect(server.asked).toHaveLength(all.length + 2)
  server.close()
  expect(silent()).toEqual([])
  expect([...recording.answersTo(all).values()].every(({ thought }) => thought === "Hm.")).toBe(true)
  const { result } = await at.evaluated()
  const scores = result.contenders.find(({ name }) => name === "recorded:old")
  expect(scores?.metrics["accuracy"]?.value).toBe(1)
})

it("an incumbent that does not answer stops the evaluation before the test set is opened", async () => {
  const at = copied()
  await expect(at.evaluated(["zero-shot"])).rejects.toMatchObject({ code: "no-incumbent" })
  expect(await at.context.ledger().openings.of(holdoutOf(at.folder))).toEqual([])
})

it("another recording under the name is another evaluation, and a mixed one is none", async () => {
  const at = copied()
  const server = await knowing(at.folder, holdoutOf(at.folder))
  const { recording } = await at.recorded(server)
  const first = await at.evaluated()
  const before = readFileSync(recording.file, "utf8")
  writeFileSync(
    recording.file,
    before.replaceAll('"old-model"', '"older-model"').replaceAll('"output":"bad"', '"output":"good"'),
  )
  const second = await at.evaluated()
  server.close()
  expect(second.result.evaluation).not.toBe(first.result.evaluation)
  expect(second.result.contenders[1]?.metrics["accuracy"]?.value).toBeLessThan(1)
  writeFileSync(recording.file, before.replace('"old-model"', '"older-model"'))
  await expect(at.evaluated()).rejects.toThrow(/holds more than one recording: its lines differ in model/)
})
