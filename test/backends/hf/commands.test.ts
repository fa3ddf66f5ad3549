import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { stringify } from "yaml"
import { HubServer } from "./server.ts"
import { json, tuneloop } from "../../command-line.ts"
import { trainableWorkspace } from "../../stages/training/workspace.ts"

let server: HubServer
let folder: string
beforeEach(async () => {
  server = await HubServer.start()
  folder = await trainableWorkspace()
  writeSettings()
  writeJob()
})
afterEach(() => server.close())

function writeSettings(settings: object = {}): void {
  writeFileSync(join(folder, "tuneloop.yaml"), stringify({ allowedHosts: ["127.0.0.1"], ...settings }))
}

function writeJob(options: object = {}): void {
  const backend = { name: "hf-jobs", options: { baseUrl: server.url, settleSeconds: 0, quietSeconds: 0.2, ...options } }
  const job = { job: "mood", task: "mood", baseModel: "HuggingFaceTB/SmolLM2-135M-Instruct", backend }
  writeFileSync(join(folder, "jobs", "mood.yaml"), stringify(job))
}

const run = (...words: string[]) => tuneloop(folder, words, { HF_TOKEN: server.key }).outcome
const printed = async (...words: string[]) => {
  const { stdout, stderr, code } = await run(...words, "--json")
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}
const datasets = () => [...server.store.repositories.values()].filter(({ kind }) => kind === "dataset")
const theRun = () => readdirSync(join(folder, "jobs", "runs"))[0] ?? ""

it("a training is priced at the whole of its time, and a ceiling below that stops it", async () => {
  const plan = await printed("train", "mood", "--dry-run")
  expect(plan.estimate.figures).toContainEqual(
    expect.objectContaining({ unit: "USD", value: 1.0001, source: "provider" }),
  )
  writeSettings({ budgets: { trainingUsd: 0.9 } })
  expect(await run("train", "mood", "--yes")).toMatchObject({ code: 4, stderr: expect.stringContaining("ceiling") })
  writeSettings()
  writeJob({ timeoutSeconds: 300 })
  expect((await run("train", "mood", "--yes")).stderr).toMatch(/timeoutSeconds is 300; the training is estimated at/)
  expect([server.jobs, datasets().length]).toEqual([[], 0])
})

it("runs cancel says what was spent, and may come twice", async () => {
  await printed("train", "mood", "--yes")
  server.step()
  const cancelled = await run("runs", "cancel", "latest")
  expect([cancelled.code, cancelled.stdout]).toEqual([0, expect.stringMatching(/cancelled.*\$0\.017/s)])
  expect((await run("runs", "cancel", "latest")).code).toBe(0)
  expect((await run("runs", "logs", "latest")).stdout).toContain("loss is falling")
})

it("what was sent is purged once what came of it is here, and not before", async () => {
  await printed("train", "mood", "--yes")
  server.succeed()
  for (let time = 0; time < 3; time++)
    server.faults.push({
      call: /adapter_config/,
      when: "before",
      answer: { status: 503, headers: { "retry-after": "0" } },
    })
  await run("runs", "sync")
  for (let time = 0; time < 3; time++)
    server.faults.push({
      call: /adapter_config/,
      when: "before",
      answer: { status: 503, headers: { "retry-after": "0" } },
    })
  const early = await run("runs", "purge", "latest", "--yes")
  expect(early.stdout + early.stderr).toContain(
    `what ${theRun()} made is not here yet: tuneloop runs fetch ${theRun()}`,
  )
  expect(datasets().length).toBe(1)
  const repository = datasets()[0]?.name ?? ""
  const listed = await printed("runs", "ls", "--on", "hf-jobs")
  expect(JSON.stringify(listed)).toContain(repository)
  await printed("runs", "fetch", "latest")
  expect(existsSync(join(folder, "jobs", "runs", theRun(), "adapter", "adapter_config.json"))).toBe(true)
  await printed("runs", "purge", "latest", "--yes")
  expect(datasets().length).toBe(0)
  expect(await json(folder, "runs", "show", "latest")).toMatchObject({ state: "succeeded" })
})

it("no token is in what is printed or kept, and another service's is refused before anything is sent", async () => {
  server.faults.push({
    call: /^POST \/api\/jobs/,
    when: "before",
    answer: { status: 400, body: `{"error":"${server.key}"}` },
  })
  const refused = await run("train", "mood", "--yes")
  expect(refused.code).toBe(1)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const kept = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"))
  expect([refused.stdout, refused.stderr, ...kept].filter((text) => text.includes(server.key))).toEqual([])
  const calls = server.calls.length
  const wrong = await tuneloop(folder, ["train", "mood", "--yes"], { HF_TOKEN: "sk-something-else" }).outcome
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("begin with hf_") })
  expect(server.calls.slice(calls).filter((call) => call.startsWith("POST"))).toEqual([])
})
