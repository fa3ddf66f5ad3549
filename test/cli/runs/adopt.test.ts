import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { OpenAiServer } from "../../backends/openai-server.ts"
import { tuneloop } from "../../command-line.ts"
import { trainableWorkspace } from "../../stages/training/workspace.ts"

let server: OpenAiServer
let folder: string
beforeEach(async () => {
  server = await OpenAiServer.start()
  folder = await trainableWorkspace()
  const options = `{ profile: custom, baseUrl: "${server.url}", settleSeconds: 0 }`
  writeFileSync(join(folder, "tuneloop.yaml"), `backends: { old: { name: openai-compatible, options: ${options} } }\n`)
})
afterEach(() => server.close())

interface Adopted {
  readonly runs: {
    job: string
    run: string
    outcome: string
    state: string
    model: { id: string } | null
    rows: string[]
  }[]
  readonly version: string | null
}

async function adopt(...words: string[]): Promise<Adopted> {
  const environment = { OPENAI_API_KEY: server.key }
  const { code, stdout, stderr } = await tuneloop(folder, ["runs", "adopt", "old", ...words, "--json"], environment)
    .outcome
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Adopted
}

const rows = Array.from({ length: 12 }, (_, index) => {
  const [text, label] =
    index % 2 === 0 ? [`what a day number ${index} was it`, "good"] : [`rain and ${index} bills`, "bad"]
  return `${JSON.stringify({
    messages: [
      { role: "user", content: text },
      { role: "assistant", content: label },
    ],
  })}\n`
}).join("")

/** A job that somebody else created, and its end. */
async function foreignJob(end: "succeed" | "fail"): Promise<string> {
  const training_file = server.store.keep("gold.jsonl", Buffer.from(rows))
  const body = JSON.stringify({ model: server.models[0], training_file, suffix: "support" })
  const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json" }
  const response = await fetch(`${server.url}/fine_tuning/jobs`, { method: "POST", headers, body })
  const { id } = (await response.json()) as { id: string }
  server.step()
  server.newest.result_files.push(server.store.keep("step_metrics.csv", Buffer.from("step,train_loss\n1,2\n")))
  if (end === "succeed") server.succeed()
  else server.end(server.newest, "failed", "the moderation said no")
  return id
}

it("takes in every job of a service with its model, events, files and rows, once", async () => {
  const [good, bad] = [await foreignJob("succeed"), await foreignJob("fail")]
  const { runs } = await adopt("--all", "--task", "mood")
  expect(runs.map(({ job, outcome, state }) => [job, outcome, state])).toEqual([
    [bad, "adopted", "failed"],
    [good, "adopted", "succeeded"],
  ])
  const adopted = runs[1]
  expect(adopted?.model).toMatchObject({ id: `ft:gpt-4.1-mini-2025-04-14:org:support:${good}` })
  const runFolder = join(folder, "jobs", "runs", adopted?.run ?? "")
  expect(readFileSync(join(runFolder, "rendered", "train.jsonl"), "utf8")).toBe(rows)
  expect(existsSync(join(runFolder, "results", "step_metrics.csv"))).toBe(true)
  expect(JSON.parse(readFileSync(join(runFolder, "adopted.json"), "utf8"))).toMatchObject({
    job: good,
    said: { training_file: "file-1", a_field_nobody_knows: null },
  })
  const again = await adopt("--all", "--task", "mood")
  expect(again.runs.map(({ run, outcome }) => [run, outcome])).toEqual(runs.map(({ run }) => [run, "known"]))
  const listed = await tuneloop(folder, ["runs", "ls", "--json"]).outcome
  expect((JSON.parse(listed.stdout) as { runs: object[] }).runs).toHaveLength(2)
  const shown = await tuneloop(folder, ["runs", "show", adopted?.run ?? ""]).outcome
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining("succeeded")])
  expect(shown.stdout).toMatch(new RegExp(`gpt-4.1-mini-2025-04-14, .*adopted on .* as the job ${good}`))
  expect(shown.stdout).toContain("not known: dataset, holdout, prompt")
})

it("adopts a job although one at another address has its id", async () => {
  const elsewhere = await OpenAiServer.start()
  const id = await foreignJob("succeed")
  const first = await adopt(id, "--task", "mood")
  const settings = join(folder, "tuneloop.yaml")
  writeFileSync(settings, readFileSync(settings, "utf8").replace(server.url, elsewhere.url))
  await server.close()
  server = elsewhere
  expect(await foreignJob("fail")).toBe(id)
  const { runs } = await adopt("--all", "--task", "mood")
  expect(runs).toMatchObject([{ job: id, outcome: "adopted", state: "failed" }])
  expect(runs[0]?.run).not.toBe(first.runs[0]?.run)
  expect((await adopt("--all", "--task", "mood")).runs).toMatchObject([{ outcome: "known", run: runs[0]?.run }])
})

it("brings the rows by the next call where the first one broke off before they came", async () => {
  const id = await foreignJob("succeed")
  server.newest.result_files.length = 0
  for (let time = 0; time < 3; time++) server.faults.push({ call: /content$/, when: "before", answer: { status: 500 } })
  const words = ["runs", "adopt", "old", id, "--task", "mood"]
  expect((await tuneloop(folder, words, { OPENAI_API_KEY: server.key }).outcome).code).toBe(1)
  const { runs } = await adopt(id, "--task", "mood")
  expect(runs).toMatchObject([{ outcome: "known", state: "succeeded", rows: [expect.stringContaining("train.jsonl")] }])
  expect((await adopt(id, "--task", "mood")).runs).toMatchObject([{ outcome: "known", rows: [] }])
})

it("shows the settings of an adopted run by the service's own names", async () => {
  await foreignJob("succeed")
  const { runs } = await adopt("--all", "--task", "mood")
  const { stdout } = await tuneloop(folder, ["runs", "show", runs[0]?.run ?? ""]).outcome
  expect(stdout).toContain("settings, as the service has them: ")
  for (const setting of ["n_epochs auto", "batch_size auto", "learning_rate_multiplier auto", "seed 1"])
    expect(stdout).toContain(setting)
  expect(stdout).toContain("not known: dataset, holdout, prompt")
})

it("takes in one job whose files are gone, with what is left", async () => {
  const id = await foreignJob("succeed")
  server.store.files.clear()
  server.newest.result_files.length = 0
  const { runs } = await adopt(id, "--task", "mood")
  expect(runs).toMatchObject([{ job: id, state: "succeeded", rows: [] }])
})

it("builds a version of the training file, whose rows all train", async () => {
  const id = await foreignJob("succeed")
  const file = join(folder, "gold.jsonl")
  writeFileSync(file, rows)
  const { version } = await adopt(id, "--task", "mood", "--training-file", file)
  expect(version).toMatch(/^ds_/)
  const train = readFileSync(join(folder, "datasets", "mood", "versions", version ?? "", "train.jsonl"), "utf8")
  expect(train).toContain("rain and 1 bills")
})

it("wants one job or all of them, and says that there is no such job", async () => {
  const environment = { OPENAI_API_KEY: server.key }
  const neither = await tuneloop(folder, ["runs", "adopt", "old", "--task", "mood"], environment).outcome
  expect([neither.code, neither.stderr]).toEqual([2, expect.stringContaining("name one job, or give --all")])
  const missing = await tuneloop(folder, ["runs", "adopt", "old", "ftjob-9", "--task", "mood"], environment).outcome
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("no such object")])
  expect(missing.stderr).toContain("--all in its place adopts every job")
  // Together says of an id that is none of its kind that the request is bad.
  server.faults.push({
    call: /ftjob-9$/,
    when: "before",
    answer: { status: 400, body: '{"error":{"message":"bad id"}}' },
  })
  const bad = await tuneloop(folder, ["runs", "adopt", "old", "ftjob-9", "--task", "mood"], environment).outcome
  expect(bad.stderr).toMatch(/there is no job ftjob-9: .*bad id\n.*--all in its place/)
  server.faults.push({ call: /jobs/, when: "before", answer: { status: 403, body: '{"error":{"message":"no"}}' } })
  const barred = await tuneloop(folder, ["runs", "adopt", "old", "--all", "--task", "mood"], environment).outcome
  expect(barred.stderr).toMatch(/HTTP 403: no\n.*tuneloop doctor --backend openai-compatible/)
})

it("an adopted model that ends is warned of, with the command that keeps its answers", async () => {
  await foreignJob("succeed")
  const { runs } = await adopt("--all", "--task", "mood")
  const [{ run, model } = { run: "", model: null }] = runs
  const fact = { what: "serving", source: "a letter", asOf: "2026-11-30" }
  const retires = new Date(Date.now() + 20 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10)
  const models = [{ match: model?.id, host: "127.0.0.1", retires, ...fact }]
  writeFileSync(join(folder, "sunsets.yaml"), JSON.stringify({ models }))
  const { stdout } = await tuneloop(folder, ["status"]).outcome
  expect(stdout).toContain(`ends soon: ${model?.id} answers until ${retires}`)
  expect(stdout).toContain(
    `keep its answers: tuneloop models record ${model?.id} --task mood --as NAME ` +
      "--base-url ADDRESS --api-key-env VARIABLE (those of 127.0.0.1)",
  )
  const listed = JSON.parse((await tuneloop(folder, ["models", "--json"]).outcome).stdout)
  expect(listed.models[0]).toMatchObject({ host: "127.0.0.1", usedBy: [{ kind: "run", name: run, as: "tuned model" }] })
})

it("reads what a job was trained for, and takes preferences for no rows of a version", async () => {
  const answer = (content: string) => [{ role: "assistant", content }]
  const preference = {
    input: { messages: [{ role: "user", content: "well" }] },
    ...{ preferred_output: answer("good"), non_preferred_output: answer("bad") },
  }
  const training_file = server.store.keep("pairs.jsonl", Buffer.from(`${JSON.stringify(preference)}\n`))
  const method = { type: "dpo", dpo: { hyperparameters: { beta: 0.2 } } }
  const body = JSON.stringify({ model: server.models[0], training_file, method })
  const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json" }
  await fetch(`${server.url}/fine_tuning/jobs`, { method: "POST", headers, body })
  server.succeed()
  const words = ["runs", "adopt", "old", "--all", "--task", "mood"]
  const { stdout } = await tuneloop(folder, words, { OPENAI_API_KEY: server.key }).outcome
  expect(stdout).toMatch(/preferences in .*train\.jsonl/)
  expect(stdout).not.toContain("tuneloop build")
  expect((await adopt("--all", "--task", "mood")).runs).toMatchObject([{ objective: "dpo" }])
})

it("evaluates an adopted model while it is served, and says what is not known of it", async () => {
  const id = await foreignJob("succeed")
  const [{ run } = { run: "" }] = (await adopt(id, "--task", "mood")).runs
  server.answerOf = () => "good"
  const words = ["evaluate", run, "--against", "few-shot", "--yes", "--json"]
  const { code, stdout, stderr } = await tuneloop(folder, words, { OPENAI_API_KEY: server.key }).outcome
  expect(code, stderr).toBe(0)
  const result = JSON.parse(stdout) as { contenders: { name: string }[]; notes: string[]; report: string }
  expect(result.contenders.map(({ name }) => name)).toEqual(["tuned", "few-shot"])
  expect(result.notes.join("\n")).toContain("trained elsewhere, on rows that are not known here")
  expect(readFileSync(join(folder, result.report), "utf8")).toContain("as the service chose")
})
