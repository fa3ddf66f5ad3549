import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { z } from "zod"
import { backendContext } from "../stages/training/workspace.ts"
import { backendChecks } from "../../src/cli/backend-checks.ts"
import openAiCompatible from "../../src/backends/openai-compatible.ts"
import type { BackendModule } from "../../src/core/contracts/backend.ts"
import { describeSunset } from "../../src/cli/sunset.ts"
import { tuneloop } from "../command-line.ts"

const at = (day: string) => backendContext({ OPENAI_API_KEY: "k" }, () => new Date(day))
const module: BackendModule = openAiCompatible as unknown as BackendModule

it("a backend that needs options is no fault while no job uses it", async () => {
  const needy: BackendModule = { ...module, options: z.strictObject({ host: z.string() }) }
  const [check] = await backendChecks("wire", needy, [], at("2026-11-30"))
  expect(check).toMatchObject({ name: "wire", status: "missing", detail: expect.stringContaining("host: missing") })
})

it("a job's wrong options are a fault with the command that says more", async () => {
  const uses = [{ job: "a", options: { baseUrl: "http://127.0.0.1:1", pace: 1 } }]
  expect(await backendChecks("wire", module, uses, at("2026-11-30"))).toMatchObject([
    {
      name: "wire",
      status: "failed",
      detail: expect.stringContaining("pace: unknown key"),
      hint: "tuneloop job check a",
    },
  ])
})

it("each different answer stands once, with the job that it is for", async () => {
  const one = { baseUrl: "http://127.0.0.1:1" }
  const uses = [
    { job: "a", options: one },
    { job: "b", options: one },
    { job: "c", options: { ...one, pollSeconds: 9 } },
    { job: "d", options: { ...one, apiKeyEnv: "OTHER_KEY" } },
  ]
  const checks = await backendChecks("wire", module, uses, at("2026-11-30"))
  expect(checks.filter(({ name }) => name.endsWith(": key")).map(({ name, status }) => [name, status])).toEqual([
    ["wire: key", "ok"],
    ["wire, job d: key", "missing"],
  ])
})

it.each([
  ["2026-11-30", "ok", "takes jobs until 2027-01-06: 37 days left"],
  ["2027-01-05", "ok", "1 day left"],
  ["2027-01-06", "ok", "0 days left"],
  ["2027-01-08", "failed", "has taken no more jobs since 2027-01-06"],
])("on %s a backend with a last day is %s: %s", async (day, status, text) => {
  const uses = [{ job: "a", options: { baseUrl: "http://127.0.0.1:1" } }]
  const checks = await backendChecks("wire", module, uses, at(day))
  expect(checks).toContainEqual({ name: "wire: sunset", status, detail: expect.stringContaining(text) })
  expect(describeSunset("wire", "2027-01-06", new Date(day)).isOver).toBe(status === "failed")
})

it("doctor checks the one backend that is named, by an id or by a name of the workspace's own", async () => {
  const workspace = mkdtempSync(join(tmpdir(), "tuneloop-doctor-"))
  onTestFinished(() => rmSync(workspace, { recursive: true, force: true }))
  const house = "house: {name: openai-compatible, options: {profile: nebius, apiKeyEnv: HOUSE_KEY}}"
  const typo = "typo: {name: openai-compatible, options: {profil: nebius}}"
  writeFileSync(join(workspace, "tuneloop.yaml"), `backends:\n  ${house}\n  ${typo}\n`)
  const doctor = (name: string) => tuneloop(workspace, ["doctor", "--backend", name]).outcome
  expect((await doctor("together")).stdout).toMatch(/^missing {2}together: key: TOGETHER_API_KEY is not set/)
  expect((await doctor("house")).stdout).toMatch(/^missing {2}openai-compatible: key: HOUSE_KEY is not set/)
  expect(await doctor("typo")).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/profil: unknown key.*\n\s+Edit backends\.typo in tuneloop\.yaml\./),
  })
  expect(await doctor("hous")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/there is no backend "hous"; .*did you mean "house"/),
  })
})
